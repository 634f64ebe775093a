import { expect, test } from 'vitest';
import { Secret } from '../../../src/config/secret.ts';
import { addCommission } from '../../../src/ledger/commission/commission.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { owed } from '../../../src/ledger/owed.ts';
import { type FormOptions, formPayouts } from '../../../src/ledger/payouts/form.ts';
import { pausePaying } from '../../../src/ledger/payouts/pause.ts';
import { deferPayout, holdPayout } from '../../../src/ledger/payouts/payouts.ts';
import { whoWaits } from '../../../src/ledger/payouts/waits.ts';
import type { Instant } from '../../../src/time.ts';
import { type Books, books } from '../../support/books.ts';
import { bootless } from '../../support/clock.ts';
import { forEachLedger } from '../../support/ledgers.ts';

/* Who waits for what and until when; together it is what is owed. */

const BEFORE = '2026-11-01T00:00:00.000000Z';
const at = (time: string): Instant => `2026-11-20T${time}:00.000000Z`;
const NOON = at('18:00');
const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };
const OPTIONS: FormOptions = {
  ...{ batch: 'poll', minimumSats: 20_000n, maximumSats: 10_000_000n, fixedDueAt: null },
  ...{ now: at('17:00'), run: 1n },
};

async function waits({ ledger: { db } }: Books, options: Partial<FormOptions> = {}) {
  const found = await whoWaits(db, { ...OPTIONS, ...options }, NOON);
  expect(found.reduce((all, { sats }) => all + sats, 0n)).toBe((await owed(db)).sats);
  return found.map((one) => {
    const payouts = one.payouts.map((id) => `p${id}`).join(' ');
    return `${one.recipient} ${one.sats} ${one.reason} ${one.until ?? ''}${payouts}`.trim();
  });
}

/** Alice and bob in flow mode, carla in fixed mode, the operator with the commission; one cash-out of 100 USD. */
async function world(book: Books): Promise<void> {
  await book.read(BEFORE);
  await book.ledger.write((trx) =>
    addCommission(
      trx,
      { ...who, at: BEFORE },
      {
        name: 'operator',
        wallet: { id: 'commission', key: new Secret('key') },
        weight: 1n,
        machine: null,
        from: BEFORE,
      },
    ),
  );
  await book.client('alice', { mode: 'flow' }, BEFORE);
  await book.client('bob', { mode: 'flow' }, BEFORE);
  await book.client('carla', { mode: 'fixed', daily: 1_000 }, BEFORE);
  await book.cash('alice', 500, BEFORE);
  await book.cash('bob', 100, BEFORE);
  await book.cash('carla', 400, BEFORE);
  await book.cashOut(100, at('10:00'), at('10:01'), { commission: 10_000n });
}

forEachLedger((_kind, open) => {
  test('fixed mode, the minimum, the next run', async () => {
    const book = await books(await open());
    expect(await waits(book)).toEqual([]);
    await world(book);
    expect(await waits(book)).toEqual([
      'alice 45000 next-run',
      'bob 9000 minimum',
      `carla 36000 fixed-time ${NOON}`,
      'operator 10000 minimum',
    ]);
    expect(await waits(book, { fixedDueAt: NOON, minimumSats: 1n })).toEqual([
      'alice 45000 next-run',
      'bob 9000 next-run',
      'carla 36000 next-run',
      'operator 10000 next-run',
    ]);
  });

  test('a pause stops what the next run would pay', async () => {
    const book = await books(await open());
    await world(book);
    await book.ledger.write((trx) => pausePaying(trx, { ...who, at: NOON, reason: 'counting' }));
    expect(await waits(book)).toContain('alice 45000 paused');
    expect(await waits(book)).toContain('bob 9000 minimum');
  });

  test('open payouts by their state and reason', async () => {
    const book = await books(await open());
    await world(book);
    await book.ledger.write((trx) => formPayouts(trx, { ...OPTIONS, minimumSats: 1n, fixedDueAt: NOON }));
    const all = await waits(book);
    expect(all).toHaveLength(4);
    expect(all[0]).toBe('alice 45000 next-run p1');
    await book.ledger.write((trx) => deferPayout(trx, 1n, 'too little', 'sats'));
    await book.ledger.write((trx) => deferPayout(trx, 2n, 'LNbits: insufficient balance in channel'));
    await book.ledger.write((trx) => holdPayout(trx, { ...who, at: NOON }, 3n, 'the ceiling'));
    expect((await waits(book)).slice(0, 3)).toEqual([
      'alice 45000 balance p1',
      'bob 9000 deferred p2',
      'carla 36000 held p3',
    ]);
    const [alice] = await whoWaits(book.ledger.db, OPTIONS, NOON);
    expect(alice).toMatchObject({ kind: 'client', detail: 'too little' });
  });
});
