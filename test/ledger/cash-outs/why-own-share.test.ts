import { expect, test } from 'vitest';
import { causesText } from '../../../src/cli/pages/own-share.ts';
import { ownSharesSince } from '../../../src/ledger/cash-outs/own-shares.ts';
import { causesOf } from '../../../src/ledger/cash-outs/why-own-share.ts';
import { readNames } from '../../../src/ledger/store/names-by-id.ts';
import type { Instant } from '../../../src/time.ts';
import { viewOfCauses } from '../../../src/views/own-share.ts';
import { type Books, books } from '../../support/books.ts';
import { forEachLedger } from '../../support/ledgers.ts';

/* Why a part of a cash-out is the operator's own share, as it is recorded with it. */

const day = (number: number): Instant => `2026-11-${`${number}`.padStart(2, '0')}T12:00:00.000000Z`;

/** The recorded reasons of the newest cash-out, with names; null: it records none. */
async function why({ ledger: { db } }: Books) {
  const { own_reasons: text } = await db
    .selectFrom('cash_outs')
    .select('own_reasons')
    .orderBy('confirmed_at', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  const causes = causesOf(text);
  if (causes === null) return null;
  const named = viewOfCauses(causes, await readNames(db));
  return [named.map(({ reason, clients }) => [reason, ...clients].join(' ')), causesText(named)];
}

forEachLedger((_kind, open) => {
  test('nothing is recorded where all came from clients', async () => {
    const book = await books(await open());
    await book.client('alice', { mode: 'flow' }, day(1));
    await book.cash('alice', 100, day(1));
    await book.cashOut(100, day(2));
    expect(await why(book)).toBeNull();
  });

  test('no client had cash for that machine and currency', async () => {
    const book = await books(await open());
    await book.client('alice', { mode: 'flow' }, day(1));
    await book.cash('alice', 100, day(1), { amount: { minor: 10_000n, currency: 'GTQ', digits: 2 } });
    await book.cashOut(10, day(2));
    expect(await why(book)).toEqual([['not-funded'], 'no client had cash for it']);
  });

  test('the cash is used up, by this cash-out or before', async () => {
    const book = await books(await open());
    await book.client('alice', { mode: 'flow' }, day(1));
    await book.cash('alice', 100, day(1));
    for (const date of [2, 3]) {
      await book.cashOut(150, day(date));
      expect(await why(book)).toEqual([['no-cash-left'], 'no client had cash left there']);
    }
  });

  test('a daily limit is reached, a client is paused, cash is not in the machine yet', async () => {
    const book = await books(await open());
    for (const name of ['alice', 'bob', 'dave']) await book.client(name, { mode: 'flow' }, day(1));
    await book.client('carla', { mode: 'fixed', daily: 50 }, day(1));
    await book.cash('alice', 100, day(1));
    await book.cash('bob', 100, day(1));
    await book.cash('carla', 500, day(1));
    await book.cash('dave', 500, day(9));
    await book.cash('dave', 500, day(1), { depositedAt: null });
    await book.pause('bob', day(2));
    expect(await book.cashOut(400, day(3))).toEqual({ alice: '100.00', carla: '50.00', own: '250.00' });
    expect(await why(book)).toEqual([
      ['daily-limit carla', 'paused bob', 'not-deposited dave', 'no-cash-left'],
      'the daily limit of carla was reached; bob was paused; the cash of dave was not in the machine yet; ' +
        'no other client had cash left there',
    ]);
  });

  test('they add up by machine, currency and reason', async () => {
    const book = await books(await open());
    await book.client('alice', { mode: 'flow' }, day(1));
    await book.cash('alice', 100, day(1));
    await book.cashOut(150, day(2));
    await book.cashOut(30, day(3));
    await book.cashOut(20, day(4), day(4), { machine: 'm2' });
    const causes = [{ reason: 'no-cash-left', clients: [] }];
    expect(await ownSharesSince(book.ledger.db, day(2))).toMatchObject([
      { machine: 'm2', cashOuts: 1, fiat: 2_000n, sats: 20_000n, causes: [{ reason: 'not-funded' }] },
      { machine: 'm', cashOuts: 2, fiat: 8_000n, sats: 80_000n, digits: 2, causes },
    ]);
    expect(await ownSharesSince(book.ledger.db, day(3))).toMatchObject([{ cashOuts: 1 }, { fiat: 3_000n }]);
  });
});
