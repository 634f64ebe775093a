import { describe, expect, test } from 'vitest';
import { Secret } from '../../../src/config/secret.ts';
import { settle } from '../../../src/ledger/cash-outs/settlement.ts';
import { addCommission, removeCommission } from '../../../src/ledger/commission/commission.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { dueGroups, type FormOptions, formPayouts } from '../../../src/ledger/payouts/form.ts';
import type { Instant } from '../../../src/time.ts';
import { type Books, books } from '../../support/books.ts';
import { bootless } from '../../support/clock.ts';
import { freshLedger } from '../../support/ledgers.ts';

/*
 * Which allocations become which payouts, in which parts. test/scheduler/poll.modes.test.ts shows by examples, on both
 * ledgers, what is due in fixed mode; this file tests the moments around them.
 */

const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };
const BEFORE = '2026-11-01T00:00:00.000000Z';
const at = (time: string): Instant => `2026-11-20T${time}:00.000000Z`;

const OPTIONS: FormOptions = {
  ...{
    batch: 'poll',
    minimumSats: 1n,
    maximumSats: 10_000_000n,
    fixedDueAt: null,
    now: at('20:00'),
    run: 1n,
  },
};

async function open(): Promise<Books> {
  const book = await books(await freshLedger('sqlite'));
  await book.read(BEFORE);
  return book;
}

/** Two clients with as much cash, a recipient of the commission, and two cash-outs. */
async function twoCashOuts(): Promise<Books> {
  const book = await open();
  await commission(book, 'owner');
  await flow(book, 'alice');
  await flow(book, 'bob');
  await book.cashOut(100, at('10:00'), at('10:01'), { commission: 10_000n });
  await book.cashOut(50, at('11:00'), at('11:01'), { commission: 10_000n });
  return book;
}

const form = ({ ledger }: Books, options: Partial<FormOptions> = {}) =>
  ledger.write((trx) => formPayouts(trx, { ...OPTIONS, ...options }));

/** A client in flow mode with so many USD in the machine. */
async function flow(book: Books, name: string, usd = 5_000): Promise<void> {
  await book.client(name, { mode: 'flow' }, BEFORE);
  await book.cash(name, usd, BEFORE);
}

const commission = (book: Books, name: string) =>
  book.ledger.write((trx) =>
    addCommission(
      trx,
      { ...who, at: BEFORE },
      { name, wallet: { id: `wallet of ${name}`, key: new Secret(name) }, weight: 1n, machine: null },
    ),
  );

/** Recipient, sats, the ids of its cash-outs. */
async function formed({ ledger: { db } }: Books) {
  const payouts = await db
    .selectFrom('payouts')
    .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
    .select(['payouts.id', 'recipients.name', 'payouts.sats'])
    .orderBy('payouts.id')
    .execute();
  return Promise.all(
    payouts.map(async ({ id, name, sats }) => {
      const own = db.selectFrom('allocations').select('cash_out_id').where('payout_id', '=', id);
      const shares = db.selectFrom('commission_shares').select('cash_out_id').where('payout_id', '=', id);
      const members = await own.unionAll(shares).orderBy('cash_out_id').execute();
      return [name, sats, members.map((one) => one.cash_out_id.replace('cash-out ', '')).join()];
    }),
  );
}

test('one payout per client, then one per recipient of the commission', async () => {
  const book = await twoCashOuts();
  const ids = await form(book);
  expect(await formed(book)).toEqual([
    ['alice', 65_000n, '1,2'],
    ['bob', 65_000n, '1,2'],
    ['owner', 20_000n, '1,2'],
  ]);
  const rows = await book.ledger.db.selectFrom('payouts').selectAll().orderBy('id').execute();
  expect(rows.map(({ id }) => id)).toEqual(ids);
  const same = { currency: 'USD', state: 'planned', created_at: at('20:00'), run_id: 1n };
  expect(rows).toMatchObject([
    { ...same, kind: 'client', fiat: 7_500n },
    { ...same, kind: 'client', fiat: 7_500n },
    { ...same, kind: 'commission', fiat: 0n },
  ]);
  expect(await form(book)).toEqual([]);
  await book.cashOut(10, at('12:00'), at('12:01'), { commission: 2_000n });
  await form(book);
  expect((await formed(book)).slice(3)).toEqual([
    ['alice', 4_000n, '3'],
    ['bob', 4_000n, '3'],
    ['owner', 2_000n, '3'],
  ]);
});

test('with batch = "cash-out" one per client and cash-out, but not of the commission', async () => {
  const book = await twoCashOuts();
  await form(book, { batch: 'cash-out' });
  expect(await formed(book)).toEqual([
    ['alice', 45_000n, '1'],
    ['alice', 20_000n, '2'],
    ['bob', 45_000n, '1'],
    ['bob', 20_000n, '2'],
    ['owner', 20_000n, '1,2'],
  ]);
});

test('each currency has its own', async () => {
  const book = await open();
  await commission(book, 'owner');
  await flow(book, 'alice');
  const euros = { currency: 'EUR', digits: 2 };
  await book.cash('alice', 0, BEFORE, { amount: { minor: 100_000n, ...euros } });
  await book.cashOut(100, at('10:00'), at('10:01'), { commission: 1_000n });
  await book.cashOut(50, at('11:00'), at('11:01'), { commission: 2_000n, ...euros });
  await form(book);
  expect(await formed(book)).toEqual([
    ['alice', 48_000n, '2'],
    ['alice', 99_000n, '1'],
    ['owner', 2_000n, '2'],
    ['owner', 1_000n, '1'],
  ]);
});

test.each([
  [100_000n, [100_000n]],
  [100_001n, [100_000n]],
  [99_999n, [99_999n, 1n]],
  [50_000n, [50_000n, 50_000n]],
  [40_000n, [40_000n, 40_000n, 20_000n]],
])('100,000 sat with a maximum of %d go in such parts', async (maximumSats, parts) => {
  const book = await open();
  await flow(book, 'alice');
  await book.cashOut(100, at('10:00'));
  await form(book, { maximumSats });
  const rows = await book.ledger.db.selectFrom('payout_parts').selectAll().orderBy('part').execute();
  expect(rows.map(({ part, sats }) => [part, sats])).toEqual(
    parts.map((sats, index) => [BigInt(index + 1), sats]),
  );
});

describe('less than the minimum', () => {
  test('waits, and exactly the minimum does not', async () => {
    const book = await open();
    await commission(book, 'owner');
    await flow(book, 'alice');
    await book.cashOut(100, at('10:00'), at('10:01'), { commission: 40_000n });
    expect(await form(book, { minimumSats: 60_001n })).toEqual([]);
    await form(book, { minimumSats: 60_000n });
    expect(await formed(book)).toEqual([['alice', 60_000n, '1']]);
    await form(book, { minimumSats: 40_001n });
    expect(await formed(book)).toHaveLength(1);
    await form(book, { minimumSats: 40_000n });
    expect((await formed(book))[1]).toEqual(['owner', 40_000n, '1']);
  });

  test.each([
    ['is closing', 5_000, 1],
    ['has cash in the machine', 5_000, 0],
    ['has cash on its way', 100, 0],
    ['took the rest out', 5_000, 1],
    ['has no cash left', 100, 1],
  ] as const)('of a client who %s', async (name, usd, payouts) => {
    const book = await open();
    const { db } = book.ledger;
    await flow(book, 'alice', usd);
    // Cash of other clients makes no difference.
    await book.client('bob', { mode: 'flow' }, BEFORE);
    const onItsWay = name === 'has cash on its way' ? 'alice' : 'bob';
    await book.cash(onItsWay, 100, BEFORE, { depositedAt: null });
    await book.cashOut(100, at('10:00'));
    if (name === 'is closing')
      await db.updateTable('recipients').set({ status: 'closing' }).where('name', '=', 'alice').execute();
    if (name === 'took the rest out')
      await db
        .updateTable('fundings')
        .set({ status: 'withdrawn', remaining: 0n, withdrawn: 490_000n })
        .where('status', '=', 'deposited')
        .execute();
    await form(book, { minimumSats: 1_000_000n });
    expect(await formed(book)).toHaveLength(payouts);
  });

  test('of a recipient of the commission who was removed is paid', async () => {
    const book = await open();
    await commission(book, 'owner');
    await commission(book, 'shop');
    await flow(book, 'alice');
    await book.cashOut(100, at('10:00'), at('10:01'), { commission: 10_000n });
    await book.ledger.write((trx) => removeCommission(trx, { ...who, at: at('11:00') }, 'shop', null));
    await form(book, { minimumSats: 1_000_000n });
    expect(await formed(book)).toEqual([['shop', 5_000n, '1']]);
  });
});

test('no payout of 0 sat is formed', async () => {
  const book = await open();
  await flow(book, 'alice', 100);
  await book.cashOut(100, at('10:00'), at('10:00'), { distributed: 1_000n, commission: 1_000n });
  expect(await form(book)).toEqual([]);
  expect(await form(book, { minimumSats: 0n })).toEqual([]);
});

test('what was processed before a moment can be asked for alone', async () => {
  const book = await open();
  await commission(book, 'owner');
  await flow(book, 'alice');
  await book.cashOut(100, at('10:00'), at('10:01'), { commission: 10_000n });
  await book.cashOut(50, at('10:00'), at('10:02'), { commission: 10_000n });
  const sats = async (before?: Instant) =>
    (await dueGroups(book.ledger.db, OPTIONS, before)).map((group) => [
      group.kind,
      group.sats,
      group.cash_out_id,
    ]);
  expect(await sats(at('10:01'))).toEqual([]);
  expect(await sats(at('10:02'))).toEqual([
    ['client', 90_000n, null],
    ['commission', 10_000n, null],
  ]);
  expect(await sats()).toEqual([
    ['client', 130_000n, null],
    ['commission', 20_000n, null],
  ]);
});

describe('of a client in fixed mode', () => {
  const DUE = at('12:00');
  const felix = async () => {
    const book = await open();
    await book.client('felix', { mode: 'fixed', daily: 5_000 }, BEFORE);
    await book.cash('felix', 5_000, BEFORE);
    return book;
  };
  const due = async (book: Books, fixedDueAt: Instant | null = DUE) =>
    (await form(book, { fixedDueAt })).length;

  test.each([
    ['processed at the time', '11:59', '12:00', null, 1],
    ['confirmed until then, and processed before any run read it', '12:00', '12:01', null, 1],
    ['confirmed until then, and processed by the first run after it', '12:00', '12:05', '12:00', 1],
    ['confirmed until then, and processed after a run that read past it', '12:00', '12:05', '12:01', 0],
    ['confirmed until then, and processed by the run that read just then', '12:00', '12:05', '12:05', 1],
    ['confirmed after it', '12:01', '12:05', null, 0],
  ] as const)('%s', async (_name, confirmed, processed, read, payouts) => {
    const book = await felix();
    if (read) await book.read(at(read));
    await book.cashOut(10, at(confirmed), at(processed));
    expect(await due(book)).toBe(payouts);
  });

  test('only the newest run that read its Lamassu counts', async () => {
    const book = await felix();
    await book.read(at('11:50'));
    await book.read(at('12:01'));
    await book.read(at('12:02'), 'another');
    await book.cashOut(10, at('11:59'), at('12:05'));
    expect(await due(book)).toBe(0);
    await book.cashOut(20, at('11:59'), at('12:05'), { source: 'another' });
    expect(await due(book)).toBe(0);
    await book.cashOut(30, at('11:59'), at('12:05'), { source: 'a third' });
    expect(await due(book)).toBe(1);
    expect(await formed(book)).toEqual([['felix', 30_000n, '3']]);
  });

  test('before any time has passed nothing is due', async () => {
    const book = await felix();
    await book.cashOut(10, at('10:00'));
    expect(await due(book, null)).toBe(0);
    expect(await due(book)).toBe(1);
  });

  test('an external cash-out, entered after the time', async () => {
    const book = await felix();
    const cashOut = {
      ...{ id: 'receipt', source: 'external', machine: 'm', confirmedAt: at('11:50'), lamassu: null },
      ...{ currency: 'USD', digits: 2, fiat: 1_000n, distributed: 10n, commission: 0n, undelivered: 0n },
      method: 'given' as const,
    };
    const settlement = { cashOut, origin: 'external' as const, stated: {}, credit: false };
    const act = { ...who, at: at('12:25'), reason: 'receipt' };
    await book.ledger.write((trx) => settle(trx, act, settlement, book.settings));
    expect(await due(book)).toBe(0);
    expect(await due(book, at('12:25'))).toBe(1);
  });

  test('back in flow mode everything is due; of two changes at the same moment the later one counts', async () => {
    const book = await felix();
    await book.cashOut(10, at('10:00'));
    const set = (mode: 'flow' | 'fixed', from: Instant) =>
      book.ledger.db
        .insertInto('client_settings')
        .values({ client_id: 1n, from_at: from, mode, paused: 0n })
        .execute();
    await set('flow', at('10:30'));
    await set('fixed', at('10:30'));
    expect(await due(book, null)).toBe(0);
    await set('flow', at('10:40'));
    await set('fixed', at('10:35'));
    expect(await due(book, null)).toBe(1);
  });
});
