import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reviewReasons } from '../../src/judging/review-reasons.ts';
import { judgedInWords, reasonWords } from '../../src/lib/reason-words.ts';

test('docs/settlements.md has each reason for review once, with its meaning and what to do', () => {
  const docs = readFileSync(new URL('../../docs/settlements.md', import.meta.url), 'utf8');
  const rows = docs.split('\n').flatMap((line) => {
    const [, reason, means, advice] = /^\| `([a-z-]+)` \| (.*?) \| (.*) \|$/.exec(line) ?? [];
    return reason && means && advice ? [[reason, means]] : [];
  });
  expect(rows).toEqual(Object.entries(reviewReasons));
});

test('each reason has words of its own for pages', () => {
  expect(Object.keys(reasonWords)).toEqual(Object.keys(reviewReasons));
  expect(new Set(Object.values(reasonWords)).size).toBe(Object.keys(reviewReasons).length);
  expect(judgedInWords({ reason: 'no-rate', detail: 'no price' })).toBe(
    'commission unknown (no-rate): no price',
  );
  expect(judgedInWords({ reason: 'of-later', detail: 'x' })).toBe('of-later (of-later): x');
});
