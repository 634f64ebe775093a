import { describe, expect, test } from 'vitest';
import { type ClientSide, decide, type SourceSide } from '../../src/payouts/decide.ts';

// One row per cell of the table: what the client shows, what the source shows, and what follows from it
// when the last POST is older than the quiet time, when it is younger, and when there was none.
const table: [ClientSide, SourceSide, quiet: string, young: string, unsent: string][] = [
  ['arrived', 'success', 'settle', 'settle', 'settle'],
  ['arrived', 'pending', 'wait', 'wait', 'wait'],
  ['arrived', 'failed', 'hold', 'hold', 'hold'],
  ['arrived', 'none', 'hold', 'hold', 'hold'],
  ['pending', 'success', 'hold', 'wait', 'hold'],
  ['pending', 'pending', 'wait', 'wait', 'wait'],
  ['pending', 'failed', 'send', 'send', 'send'],
  ['pending', 'none', 'send', 'send', 'send'],
  ['failed', 'success', 'hold', 'wait', 'hold'],
  ['failed', 'pending', 'wait', 'wait', 'wait'],
  ['failed', 'failed', 'bury', 'wait', 'bury'],
  ['failed', 'none', 'bury', 'wait', 'bury'],
  ['wrong-amount', 'success', 'hold', 'wait', 'hold'],
  ['wrong-amount', 'pending', 'wait', 'wait', 'wait'],
  ['wrong-amount', 'failed', 'hold', 'hold', 'hold'],
  ['wrong-amount', 'none', 'hold', 'hold', 'hold'],
  ['none', 'success', 'hold', 'hold', 'hold'],
  ['none', 'pending', 'wait', 'wait', 'wait'],
  ['none', 'failed', 'hold', 'hold', 'hold'],
  ['none', 'none', 'hold', 'hold', 'hold'],
  ['gone', 'success', 'hold', 'hold', 'hold'],
  ['gone', 'pending', 'wait', 'wait', 'wait'],
  ['gone', 'failed', 'hold', 'hold', 'hold'],
  ['gone', 'none', 'hold', 'hold', 'hold'],
];

describe.each(table)('client %s, source %s', (client, source, quiet, young, unsent) => {
  test('after the quiet time', () => {
    expect(decide(client, source, { sent: true, quiet: true }).do).toBe(quiet);
  });
  test('within the quiet time', () => {
    expect(decide(client, source, { sent: true, quiet: false }).do).toBe(young);
  });
  test('never sent', () => {
    expect(decide(client, source, { sent: false, quiet: true }).do).toBe(unsent);
  });
});

test.each<[ClientSide, SourceSide, young: boolean, reason: string]>([
  ['gone', 'none', false, "the client's wallet does not answer to its key any more"],
  ['pending', 'pending', false, 'LNbits shows the payment as pending'],
  ['none', 'success', false, "paid from the source wallet, but the client's wallet knows nothing of it"],
  ['failed', 'success', true, "paid from the source wallet, the client's side is failed"],
  ['wrong-amount', 'success', false, "debited, not credited: the client's side is wrong-amount"],
  ['failed', 'none', false, 'LNbits will not pay this invoice any more'],
  ['failed', 'none', true, 'the invoice failed, but its payment may still be under way'],
  ['arrived', 'none', false, 'arrived at the client, but not from the source wallet'],
  [
    'wrong-amount',
    'failed',
    false,
    'the client shows another amount, and the source wallet shows no payment',
  ],
  ['none', 'none', false, "LNbits does not know the invoice that the client's wallet made"],
])('client %s, source %s (within the quiet time: %s) is explained', (client, source, young, reason) => {
  expect(decide(client, source, { sent: true, quiet: !young })).toMatchObject({ reason });
});

test('a new payment is only made where the old one can never be paid', () => {
  const buried = table.filter(([, , ...outcomes]) => outcomes.includes('bury'));
  expect(buried.map(([client, source]) => [client, source])).toEqual([
    ['failed', 'failed'],
    ['failed', 'none'],
  ]);
});

test('the table has every pair', () => {
  expect(new Set(table.map(([client, source]) => `${client} ${source}`)).size).toBe(6 * 4);
});
