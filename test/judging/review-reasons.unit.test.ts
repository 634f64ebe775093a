import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reviewReasons } from '../../src/judging/review-reasons.ts';

test('docs/settlements.md has each reason for review once, with its meaning and what to do', () => {
  const docs = readFileSync(new URL('../../docs/settlements.md', import.meta.url), 'utf8');
  const rows = docs.split('\n').flatMap((line) => {
    const [, reason, means, advice] = /^\| `([a-z-]+)` \| (.*?) \| (.*) \|$/.exec(line) ?? [];
    return reason && means && advice ? [[reason, means]] : [];
  });
  expect(rows).toEqual(Object.entries(reviewReasons));
});
