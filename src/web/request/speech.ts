import { getCookie, setCookie } from 'hono/cookie';
import { type Formats, formatsOf, LANGUAGES, type SiteLanguage } from '../format/formats.ts';
import type { CommonTexts } from '../text/en/common.ts';
import { commonTexts } from '../text/texts.ts';
import type { WebContext } from './site-context.ts';

/* How a visitor wants the pages: kept in a cookie of the browser, for it says nothing of anybody. */

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export interface Preferences {
  language: SiteLanguage;
  theme: Theme;
  /** Amounts are dots. */
  hidden: boolean;
}

const COOKIE = 'aio-dca-view';
const YEAR_S = 365 * 86_400;

/** What the cookie says; the language, without one, is the first that the browser asks for and that there is. */
export function preferencesOf(context: WebContext): Preferences {
  const [language, theme, hidden] = (getCookie(context, COOKIE) ?? '').split('.');
  return {
    language: LANGUAGES.find((one) => one === language) ?? languageAsked(context),
    theme: THEMES.find((one) => one === theme) ?? 'auto',
    hidden: hidden === 'hidden',
  };
}

export function setPreferences(context: WebContext, { language, theme, hidden }: Preferences): void {
  setCookie(context, COOKIE, [language, theme, hidden ? 'hidden' : 'shown'].join('.'), {
    ...{
      path: '/',
      httpOnly: true,
      secure: context.get('site').isProtected,
      sameSite: 'Lax',
      maxAge: YEAR_S,
    },
  });
}

/** Browsers name the languages in the order in which they are wanted. */
function languageAsked(context: WebContext): SiteLanguage {
  const asked = (context.req.header('accept-language') ?? '')
    .toLowerCase()
    .split(',')
    .filter((part) => !/;\s*q=0(\.0*)?\s*$/.test(part))
    .map((part) => /^\s*([a-z]+)/.exec(part)?.[1]);
  return asked.flatMap((tag) => LANGUAGES.find((one) => one === tag) ?? [])[0] ?? 'en';
}

/** How a page speaks to its visitor: the common texts, and how amounts and times are written. */
export interface Speech extends Preferences {
  t: CommonTexts;
  f: Formats;
  /** Whether the page is the admin site's. */
  isAdmin: boolean;
}

export function speechOf(context: WebContext): Speech {
  const chosen = preferencesOf(context);
  const { timezone } = context.get('site').serving.config;
  const { language, hidden } = chosen;
  const isAdmin = context.get('site').name === 'admin';
  return { ...chosen, t: commonTexts(language), f: formatsOf(language, timezone, hidden), isAdmin };
}

/** The texts of a page, in the language of the visitor. */
export function textsIn<Texts>(
  { language }: Pick<Speech, 'language'>,
  texts: Record<SiteLanguage, Texts>,
): Texts {
  return texts[language];
}
