import { describe, expect, test } from 'vitest';
import { decide } from '../../src/payouts/decide.ts';
import type { ClientSide, SourceWalletSide } from '../../src/payouts/destination.ts';

// One row per cell of the table: what the client shows, what the source shows, and what follows from it
// when the last POST is older than the quiet time or there was none, and when it is younger.
const table: [ClientSide, SourceWalletSide, quiet: string, young: string][] = [
  ['arrived', 'success', 'settle', 'settle'],
  ['arrived', 'pending', 'wait', 'wait'],
  ['arrived', 'failed', 'hold', 'hold'],
  ['arrived', 'none', 'hold', 'hold'],
  ['pending', 'success', 'hold', 'wait'],
  ['pending', 'pending', 'wait', 'wait'],
  ['pending', 'failed', 'send', 'send'],
  ['pending', 'none', 'send', 'send'],
  ['failed', 'success', 'hold', 'wait'],
  ['failed', 'pending', 'wait', 'wait'],
  ['failed', 'failed', 'abandon', 'wait'],
  ['failed', 'none', 'abandon', 'wait'],
  ['wrong-amount', 'success', 'hold', 'wait'],
  ['wrong-amount', 'pending', 'wait', 'wait'],
  ['wrong-amount', 'failed', 'hold', 'hold'],
  ['wrong-amount', 'none', 'hold', 'hold'],
  ['none', 'success', 'hold', 'hold'],
  ['none', 'pending', 'wait', 'wait'],
  ['none', 'failed', 'hold', 'hold'],
  ['none', 'none', 'hold', 'hold'],
  ['unseen', 'success', 'hold', 'hold'],
  ['unseen', 'pending', 'wait', 'wait'],
  ['unseen', 'failed', 'hold', 'hold'],
  ['unseen', 'none', 'hold', 'hold'],
  ['gone', 'success', 'hold', 'hold'],
  ['gone', 'pending', 'wait', 'wait'],
  ['gone', 'failed', 'hold', 'hold'],
  ['gone', 'none', 'hold', 'hold'],
];

describe.each(table)('client %s, source %s', (client, source, quiet, young) => {
  test('after the quiet time, or never sent', () => {
    expect(decide(client, source, true).do).toBe(quiet);
  });
  test('within the quiet time', () => {
    expect(decide(client, source, false).do).toBe(young);
  });
});

test.each<[ClientSide, SourceWalletSide, young: boolean, reason: string]>([
  ['gone', 'none', false, "the client's wallet does not answer to its key any more"],
  ['pending', 'pending', false, 'LNbits shows the payment as pending'],
  ['none', 'success', false, "paid from the source wallet, but the client's wallet does not show it"],
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
  [
    'unseen',
    'success',
    false,
    "paid from the source wallet; whether it arrived cannot be seen: the key of the client's wallet does not show its payments",
  ],
  ['unseen', 'failed', false, "the key of the client's wallet does not show its payments"],
  ['none', 'none', false, "LNbits does not know the invoice that the client's wallet made"],
])('client %s, source %s (within the quiet time: %s) is explained', (client, source, young, reason) => {
  expect(decide(client, source, !young)).toMatchObject({ reason });
});

test('a new payment is only made where the old one can never be paid', () => {
  const abandoned = table.filter(([, , ...outcomes]) => outcomes.includes('abandon'));
  expect(abandoned.map(([client, source]) => [client, source])).toEqual([
    ['failed', 'failed'],
    ['failed', 'none'],
  ]);
});

test('the table has every pair', () => {
  expect(new Set(table.map(([client, source]) => `${client} ${source}`)).size).toBe(7 * 4);
});
