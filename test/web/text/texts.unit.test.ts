import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { catalogue } from '../../../src/errors.ts';
import { reviewReasons } from '../../../src/judging/review-reasons.ts';
import { waitReasons } from '../../../src/ledger/payouts/waits.ts';
import { commonTexts, textOf } from '../../../src/web/text/texts.ts';

const FOLDER = new URL('../../../src/web/text/', import.meta.url);

const files = readdirSync(new URL('en/', FOLDER)).filter((file) => !file.startsWith('errors'));

/** Every text by its place; a function is called with its own name for each value. */
function leaves(texts: unknown, place = ''): [string, string][] {
  if (typeof texts === 'string') return [[place, texts]];
  if (typeof texts !== 'object' || texts === null) return [];
  return Object.entries(texts).flatMap(([key, one]) => leaves(one, `${place}.${key}`));
}

test('every code of the program has a text, in each language', () => {
  for (const language of ['en', 'es'] as const) {
    const t = commonTexts(language);
    expect(new Set(Object.keys(t.reviewReasons))).toEqual(new Set(Object.keys(reviewReasons)));
    expect(new Set(Object.keys(t.waits))).toEqual(new Set(Object.keys(waitReasons)));
    expect(new Set(Object.keys(t.errors))).toEqual(new Set(Object.keys(catalogue)));
  }
  expect(textOf({ held: 'retenido' }, 'held')).toBe('retenido');
  expect(textOf({ held: 'retenido' }, 'toString')).toBe('toString');
});

test.each(files)('the texts of %s are in both languages, and none is empty', async (file) => {
  const [en, es] = await Promise.all(
    ['en', 'es'].map(async (language) => {
      const module = (await import(new URL(`${language}/${file}`, FOLDER).pathname)) as Record<
        string,
        unknown
      >;
      return Object.values(module).flatMap((one) => leaves(one));
    }),
  );
  expect(new Set(es?.map(([place]) => place))).toEqual(new Set(en?.map(([place]) => place)));
  for (const [place, text] of [...(en ?? []), ...(es ?? [])])
    expect([place, text.trim() !== '']).toEqual([place, true]);
});
