import { describe, expect, test } from 'vitest';
import { bothSides, judgeWord, type Shown } from '../../src/payouts/resolve.ts';
import { fakeLnbits, openFake, payment } from '../support/fake-lnbits.ts';

/* The operator's decision about a payment is checked against both wallets. */

test("the source's side is read after the client's", async () => {
  const base = await openFake();
  const lnbits = fakeLnbits({ source: ['success'], client: 'pending' });
  expect(await bothSides(base.context(lnbits), payment)).toEqual({
    sourceWallet: 'success',
    client: 'pending',
  });
  expect(lnbits.asked).toEqual(['client', 'source']);
  await base.close();
});

test('a credit of 0 sat, or the debit of the source, is told from a credit of another amount', async () => {
  const base = await openFake();
  for (const [amountMsat, client] of [
    [0n, 'nothing'],
    [-10_000n, 'nothing'],
    [9_000n, 'wrong-amount'],
  ] as const) {
    const lnbits = fakeLnbits({ source: ['success'], client: { amountMsat } });
    expect(await bothSides(base.context(lnbits), payment)).toEqual({ sourceWallet: 'success', client });
  }
  await base.close();
});

describe('nothing that a key shows', () => {
  test.each([
    [true, 'none'],
    [false, 'unseen'],
  ] as const)('counts as absent only if the key can see payments (%s)', async (sees, told) => {
    const base = await openFake();
    const lnbits = fakeLnbits({ source: ['none'], client: 'none', sees });
    expect(await bothSides(base.context(lnbits), payment)).toEqual({ sourceWallet: told, client: told });
    await base.close();
  });
});

/*
 * b: the wallets confirm the decision; o: they leave it open, and the operator is asked; x: they contradict it, and it
 * is refused. `unread`: the wallet could not be read. Each is `paid` and then `not paid`, by the source's side
 * (columns) and the client's (rows).
 */
const SOURCES = ['success', 'pending', 'failed', 'none', 'unseen', 'unread'] as const;
const TABLE: Record<Shown['client'], string> = {
  arrived: /*       */ 'bx xx ox ox ox ox',
  'wrong-amount': /**/ 'ox xx xo xo ox ox',
  nothing: /*       */ 'xo xx xb xb xx xx',
  failed: /*        */ 'xo xx xb xb xx xx',
  pending: /*       */ 'xx xx xb xb xx xx',
  none: /*          */ 'oo xx xb xb ox ox',
  unseen: /*        */ 'ox xx xb xb ox ox',
  gone: /*          */ 'ox xx xb xb ox ox',
  unread: /*        */ 'ox xx xx xx ox ox',
};
const LETTERS = { 'bears-out': 'b', open: 'o', contradicts: 'x' };

test.each(Object.entries(TABLE))('what the wallets say to a word: client %s', (client, expected) => {
  const words = SOURCES.map((sourceWallet) =>
    [true, false]
      .map((paid) => LETTERS[judgeWord({ sourceWallet, client: client as Shown['client'] }, paid)])
      .join(''),
  );
  expect(words.join(' ')).toBe(expected);
});
