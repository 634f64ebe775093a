import { describe, expect, test } from 'vitest';
import { judgeCredit } from '../../src/payouts/top-up.ts';

describe('what became of a credit', () => {
  const of = (status: 'success' | 'pending' | 'failed', hash = 'a') => ({ hash, status });
  const how = { sats: 5n, answer: null, quiet: true } as const;
  test.each([
    ['one new success', [of('success')], { ...how, quiet: false }, 'arrive'],
    ['one new success beside a failed one', [of('success'), of('failed', 'b')], how, 'arrive'],
    ['none within the quiet time', [], { ...how, quiet: false }, 'wait'],
    ['none after the quiet time', [], how, 'drop'],
    ['a failed one after the quiet time', [of('failed')], how, 'drop'],
    ['none, and LNbits said no', [], { ...how, quiet: false, answer: { refused: 'no' } }, 'take-back'],
    ['none, and LNbits said yes', [], { ...how, answer: 'done' }, 'hold'],
    ['none yet, and LNbits said yes', [], { ...how, answer: 'done', quiet: false }, 'wait'],
    ['a pending one within the quiet time', [of('pending')], { ...how, quiet: false }, 'wait'],
    ['a pending one after the quiet time', [of('pending')], how, 'hold'],
    ['two', [of('success'), of('success', 'b')], how, 'hold'],
    ['one, and a pending one', [of('success'), of('pending', 'b')], how, 'hold'],
  ] as const)('%s', (_name, fresh, circumstances, expected) => {
    expect(judgeCredit([...fresh], circumstances).do).toBe(expected);
  });
});

test.each([
  [[], { refused: 'no' }, true, 'no'],
  [[], null, false, 'LNbits shows no new credit of 1,000 sat yet'],
  [[], null, true, 'LNbits gave no answer, and shows no new credit of 1,000 sat'],
  [
    [],
    'done',
    true,
    'LNbits answered that it credited 1,000 sat, and the source wallet shows no such payment',
  ],
  [['pending'], 'done', true, 'LNbits began a credit of 1,000 sat and did not finish it: h0 (pending)'],
  [
    ['success', 'failed', 'pending'],
    null,
    false,
    'the source wallet shows 2 new credits of 1,000 sat, which may or may not be this one: h0 (success), h2 (pending)',
  ],
] as const)('%j, after %j, is explained', (shown, answer, quiet, reason) => {
  const fresh = shown.map((status, index) => ({ hash: `h${index}`, status }));
  expect(judgeCredit(fresh, { sats: 1_000n, answer, quiet })).toMatchObject({ reason });
});
