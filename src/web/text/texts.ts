import type { SiteLanguage } from '../format/formats.ts';
import { type CommonTexts, commonEn } from './en/common.ts';
import { commonEs } from './es/common.ts';

/*
 * The texts of the pages. Those of `en` are the type, so a text that `es` lacks does not compile. A page has texts of
 * its own in a file of each language, and puts the two together: `textsIn(speech, { en: cashEn, es: cashEs })`.
 */

const COMMON: Record<SiteLanguage, CommonTexts> = { en: commonEn, es: commonEs };

export function commonTexts(language: SiteLanguage): CommonTexts {
  return COMMON[language];
}

/** The text of a code; a code without one is shown as it is. */
export function textOf(texts: Readonly<Record<string, string>>, code: string): string {
  return Object.hasOwn(texts, code) ? (texts[code] ?? code) : code;
}
