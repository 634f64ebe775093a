import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { sum } from '../../../src/dca/money.ts';
import { settle } from '../../../src/ledger/cash-outs/settlement.ts';
import { voidSettlement } from '../../../src/ledger/cash-outs/void.ts';
import { findClient } from '../../../src/ledger/clients/clients.ts';
import { type CurrencyStatement, readStatement } from '../../../src/ledger/clients/statement.ts';
import { viewsOf } from '../../../src/ledger/clients/view.ts';
import { adjustFunding, moveFunding } from '../../../src/ledger/fundings/corrections.ts';
import { cancelFunding, confirmFunding, withdrawFunding } from '../../../src/ledger/fundings/fundings.ts';
import { listFundings } from '../../../src/ledger/fundings/view.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { seeMachine } from '../../../src/ledger/machines/register.ts';
import type { Ledger, Trx } from '../../../src/ledger/store/open.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { statementCsv } from '../../../src/statement/as-csv.ts';
import { type Instant, plus, systemClock } from '../../../src/time.ts';
import { type Books, books } from '../../support/books.ts';
import { arriveAll } from '../../support/client-scene.ts';
import { forEachLedger } from '../../support/ledgers.ts';

const BEGIN = '2026-09-01T00:00:00.000000Z';
const HOUR = 3_600_000;
const who = (at: Instant) => ({
  principal: OPERATOR,
  actor: 'dora',
  run: null,
  clock: systemClock,
  reason: 'why',
  at,
});

interface Scene {
  book: Books;
  client: string;
  /** Two machines of this history alone. */
  machines: [string, string];
  at: Instant;
  count: number;
}

/** What can happen; a step that the ledger refuses at that moment changes nothing. */
const steps: Record<string, (scene: Scene, amount: bigint) => Promise<unknown>> = {
  deposit: ({ book, client, machines, at }, usd) =>
    book.cash(client, Number(usd), at, { machine: machines[0], past: 'leave' }),
  announce: ({ book, client, machines, at }, usd) =>
    book.cash(client, Number(usd), at, { machine: machines[1], depositedAt: null }),
  'deposit that was entered late': ({ book, client, machines, at }, usd) =>
    book.cash(client, Number(usd), at, {
      ...{ machine: machines[0], depositedAt: plus(at, -200 * HOUR), past: 'from-own' },
    }),
  confirm: (scene, usd) =>
    ofFirst(scene, 'in_flight', (trx, id) => {
      const counted = { minor: usd * 100n, currency: 'USD' };
      return confirmFunding(trx, who(scene.at), id, { depositedAt: scene.at, counted, past: 'leave' });
    }),
  cancel: (scene) => ofFirst(scene, 'in_flight', (trx, id) => cancelFunding(trx, who(scene.at), id)),
  withdraw: (scene, usd) =>
    ofFirst(scene, 'deposited', (trx, id) =>
      withdrawFunding(trx, who(scene.at), id, { minor: usd * 10n, currency: 'USD' }),
    ),
  'withdraw all': (scene) =>
    ofFirst(scene, 'deposited', (trx, id) => withdrawFunding(trx, who(scene.at), id, null)),
  'adjust up': (scene, usd) =>
    ofFirst(scene, 'deposited', (trx, id) =>
      adjustFunding(trx, who(scene.at), id, { minor: usd * 7n, currency: 'USD' }),
    ),
  'adjust down': (scene, usd) =>
    ofFirst(scene, 'deposited', (trx, id) =>
      adjustFunding(trx, who(scene.at), id, { minor: -usd * 3n, currency: 'USD' }),
    ),
  move: (scene) =>
    ofFirst(scene, 'deposited', (trx, id) => moveFunding(trx, who(scene.at), id, scene.machines[1])),
  'cash-out': (scene, usd) => cashOut(scene, usd, 0),
  'cash-out that is read a day later': (scene, usd) => cashOut(scene, usd, 24),
  'cash-out by a clock that is ahead': (scene, usd) =>
    cashOut({ ...scene, at: plus(scene.at, 2 * HOUR) }, usd, -2),
  'settlement that is undone': async (scene, usd) => {
    const { book, at, machines } = scene;
    const id = `receipt ${machines[0]} ${scene.count}`;
    await book.ledger.write(async (trx) => {
      const figures = { fiat: usd * 100n, distributed: usd * 1_000n, commission: 0n, undelivered: 0n };
      const of = {
        id,
        source: 'external',
        machine: machines[0],
        confirmedAt: at,
        currency: 'USD',
        digits: 2,
      };
      const cashOut = { ...of, ...figures, method: 'given' as const, lamassu: null };
      const options = { timezone: 'America/Guatemala', priority: 'shared' as const };
      await settle(trx, who(at), { cashOut, origin: 'external', stated: {}, credit: false }, options);
    });
    await book.ledger.write((trx) => voidSettlement(trx, who(plus(at, HOUR)), id, async () => null));
  },
  pay: async ({ book, at }) => {
    await book.pay(at);
    await arriveAll(book.ledger, plus(at, HOUR));
  },
  'form payouts that wait': ({ book, at }) => book.pay(at),
};

async function cashOut({ book, machines, at, count }: Scene, usd: bigint, hours: number): Promise<unknown> {
  const commission = usd * 37n;
  return book.cashOut(Number(usd), at, plus(at, hours * HOUR), {
    ...{ id: `cash-out ${machines[0]} ${count}`, machine: machines[count % 2] ?? '', commission },
  });
}

async function ofFirst(
  { book: { ledger }, client }: Scene,
  status: 'in_flight' | 'deposited',
  work: (trx: Trx, id: bigint) => Promise<unknown>,
): Promise<unknown> {
  const [first] = await listFundings(ledger.db, { client, status });
  return first && ledger.write((trx) => work(trx, first.id));
}

/** The least of `waiting_sats` in the CSV. */
function leastWaiting(one: CurrencyStatement): bigint {
  const statement = {
    client: 'c',
    month: '2026-11',
    until: BEGIN,
    isRunning: false,
    timezone: 'UTC',
    payday: null,
  };
  const rows = statementCsv({ ...statement, currencies: [one] }, 'en', (instant) => instant).split('\r\n');
  const column = rows[0]?.split(',').indexOf('waiting_sats') ?? -1;
  return rows
    .slice(1, -1)
    .map((row) => BigInt(row.split(',')[column] ?? ''))
    .reduce((least, sats) => (sats < least ? sats : least));
}

/** Months of this history, by their first moments; the last one is over, also where every step took 400 hours. */
const months = Array.from({ length: 9 }, (_, index) => plus(BEGIN, index * 30 * 24 * HOUR));

forEachLedger((kind, open) => {
  test('over any history, statements chain, and their sums are those of the ledger', async () => {
    const ledger = await open();
    const book = await books(ledger);
    onTestFinished(async () => expect((await verifyLedger(ledger)).differences).toEqual([]));
    const step = fc.record({
      what: fc.constantFrom(...Object.keys(steps)),
      usd: fc.bigInt({ min: 1n, max: 400n }),
      hours: fc.integer({ min: 0, max: 400 }),
    });
    let histories = 0;
    const happened = new Set<string>();
    const history = async (all: { what: string; usd: bigint; hours: number }[]) => {
      histories += 1;
      const client = `client-${histories}`;
      const machines: [string, string] = [`one-${histories}`, `two-${histories}`];
      for (const machine of machines)
        await ledger.write((trx) => seeMachine(trx, who(BEGIN), machine, 'lamassu'));
      await book.client(client, { mode: 'flow' }, BEGIN);
      let at = BEGIN;
      await book.cash(client, 500, at, { machine: machines[0] });
      for (const [count, { what, usd, hours }] of all.entries()) {
        at = plus(at, hours * HOUR);
        const run = steps[what];
        const done = run?.({ book, client, machines, at, count }, usd);
        if (await done?.then(() => true, refused)) happened.add(what);
      }
      await checkChain(ledger, client);
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 14 }), history), {
      numRuns: kind === 'sqlite' ? 16 : 5,
    });
    // Otherwise the histories would say little.
    expect(happened.size).toBeGreaterThan(8);
  });

  async function checkChain(ledger: Ledger, name: string): Promise<void> {
    const { db } = ledger;
    const client = await findClient(db, name, '2027-06-01T00:00:00.000000Z');
    const all: (CurrencyStatement | undefined)[] = [];
    for (const [index, from] of months.slice(0, -1).entries()) {
      const [one] = await readStatement(db, client, from, months[index + 1] ?? from);
      all.push(one);
    }
    for (const one of all) {
      expect(one?.sats.closing ?? 0n).toBeGreaterThanOrEqual(0n);
      if (one) expect(leastWaiting(one)).toBeGreaterThanOrEqual(0n);
    }
    for (const [index, one] of all.slice(1).entries()) {
      const before = all[index];
      expect(one?.cash.opening ?? 0n).toBe(before?.cash.closing ?? 0n);
      expect(one?.sats.opening ?? 0n).toBe(before?.sats.closing ?? 0n);
    }
    const [known] = await viewsOf(db, [client]);
    const [ledgers] = known?.currencies ?? [];
    const total = (of: (one: CurrencyStatement) => bigint) =>
      sum(all.map((one) => (one === undefined ? 0n : of(one))));
    expect(all.at(-1)?.cash.closing ?? 0n).toBe(ledgers?.remaining);
    expect(all.at(-1)?.inFlight ?? 0n).toBe(ledgers?.inFlight);
    expect(all.at(-1)?.sats.closing ?? 0n).toBe(ledgers?.waitingSats);
    expect(total(({ cash }) => cash.spent)).toBe(ledgers?.spent);
    expect(total(({ sats }) => sats.paid)).toBe(ledgers?.metrics.satsStacked);
    expect(total(({ sats }) => sats.bought)).toBe(
      (ledgers?.metrics.satsStacked ?? 0n) + (ledgers?.waitingSats ?? 0n),
    );
    expect(total((one) => sum(one.purchases.map(({ gross, commission }) => gross - commission)))).toBe(
      total(({ sats }) => sats.bought),
    );
    const { withdrawn } = await db
      .selectFrom('fundings')
      .select((eb) => eb.fn.sum<bigint>('withdrawn').as('withdrawn'))
      .where('client_id', '=', client.id)
      .where('status', '<>', 'cancelled')
      .executeTakeFirstOrThrow();
    expect(total(({ cash }) => cash.withdrawn)).toBe(BigInt(withdrawn));
  }

  test('each movement, purchase and payment of a month, in its order; several currencies', async () => {
    const ledger = await open();
    const book = await books(ledger);
    const day = (text: string): Instant => `2026-${text}T18:00:00.000000Z`;
    await book.client('alice', { mode: 'flow' }, day('10-01'));
    const id = await book.cash('alice', 100, day('10-02'));
    const eur = { amount: { minor: 5_000n, currency: 'EUR', digits: 2 }, newCurrency: true };
    await book.cash('alice', 50, day('10-20'), { ...eur, depositedAt: null });
    await book.cashOut(10, day('10-31'), day('11-01'), { commission: 500n });
    await book.pay(day('11-01'));
    await arriveAll(ledger, day('11-02'));
    await ledger.write((trx) =>
      withdrawFunding(trx, who(day('11-03')), id, { minor: 500n, currency: 'USD' }),
    );
    await book.cashOut(15, day('11-04'), day('11-04'), { commission: 750n });
    const alice = await findClient(ledger.db, 'alice', day('12-01'));
    const month = (from: Instant, until: Instant) => readStatement(ledger.db, alice, from, until);

    const [october, none] = (await month(day('10-01'), day('11-01'))).toReversed();
    // Bought by the time of the cash-out, however late it was read; paid in the next month.
    expect(october).toMatchObject({
      cash: { opening: 0n, added: 10_000n, withdrawn: 0n, spent: 1_000n, closing: 9_000n },
      sats: { opening: 0n, bought: 9_500n, paid: 0n, closing: 9_500n },
      purchases: [{ cashOut: 'cash-out 1', fiat: 1_000n, gross: 10_000n, commission: 500n, net: 9_500n }],
    });
    expect(none).toMatchObject({ currency: 'EUR', inFlight: 5_000n, movements: [], purchases: [] });
    const november = (await month(day('11-01'), day('12-01'))).find(({ currency }) => currency === 'USD');
    expect(november).toMatchObject({
      cash: { opening: 9_000n, added: 0n, withdrawn: 500n, spent: 1_500n, closing: 7_000n },
      movements: [{ at: day('11-03'), kind: 'withdrawn', funding: id, fiat: -500n }],
      purchases: [{ at: day('11-04'), paidAt: null, payouts: [] }],
      payments: [{ at: day('11-02'), payout: 1n, sats: 9_500n }],
      sats: { opening: 9_500n, bought: 14_250n, paid: 9_500n, closing: 14_250n },
      machines: [{ machine: 'm', fiat: 7_000n }],
    });
    expect(await month('2026-08-01T00:00:00.000000Z', '2026-09-01T00:00:00.000000Z')).toEqual([]);
  });

  test('no sats arrive before they were bought, although Lamassu’s clock is ahead', async () => {
    const ledger = await open();
    const book = await books(ledger);
    const [october, november, december] = [9, 10, 11].map(
      (month): Instant => new Date(Date.UTC(2026, month)).toISOString().replace('.000Z', '.000000Z'),
    ) as [Instant, Instant, Instant];
    await book.client('alice', { mode: 'flow' }, october);
    await book.cash('alice', 100, october);
    const confirmed = plus(november, 20_000);
    await book.cashOut(10, confirmed, plus(november, -10_000));
    await book.pay(plus(november, -8_000));
    await arriveAll(ledger, plus(november, -5_000));
    const alice = await findClient(ledger.db, 'alice', december);
    const [first] = await readStatement(ledger.db, alice, october, november);
    expect(first).toMatchObject({ sats: { opening: 0n, bought: 0n, paid: 0n, closing: 0n }, payments: [] });
    const [second] = await readStatement(ledger.db, alice, november, december);
    expect(second).toMatchObject({
      sats: { opening: 0n, bought: 10_000n, paid: 10_000n, closing: 0n },
      purchases: [{ at: confirmed, paidAt: confirmed }],
      payments: [{ at: confirmed, sats: 10_000n }],
    });
    expect(second && leastWaiting(second)).toBe(0n);
  });

  test('cash counts from the time since which it lies in a machine, however late that was entered', async () => {
    const ledger = await open();
    const book = await books(ledger);
    await ledger.write((trx) => seeMachine(trx, who(BEGIN), 'n', 'lamassu'));
    const day = (text: string): Instant => `2026-${text}T18:00:00.000000Z`;
    const usd = (minor: bigint) => ({ minor, currency: 'USD' });
    await book.client('alice', { mode: 'flow' }, day('10-01'));
    const change = (work: (trx: Trx) => Promise<unknown>) => ledger.write(work);
    // Announced and corrected on its way; confirmed in November for October.
    const first = await book.cash('alice', 50, day('10-20'), { depositedAt: null });
    await change((trx) => adjustFunding(trx, who(day('10-21')), first, usd(500n)));
    const counted = { counted: usd(5_200n), depositedAt: day('10-25'), past: 'leave' as const };
    await change((trx) => confirmFunding(trx, who(day('11-05')), first, counted));
    // Entered for October, and partly taken out, before its time was corrected to November.
    const second = await book.cash('alice', 30, day('10-28'), { machine: 'n' });
    await change((trx) => withdrawFunding(trx, who(day('10-29')), second, usd(1_000n)));
    const redated = { counted: null, stated: true, depositedAt: day('11-02'), past: 'leave' as const };
    await change((trx) => confirmFunding(trx, who(day('11-04')), second, redated));
    await change((trx) => moveFunding(trx, who(day('11-06')), first, 'n'));

    const alice = await findClient(ledger.db, 'alice', day('12-01'));
    const [october] = await readStatement(ledger.db, alice, day('10-01'), day('11-01'));
    expect(october).toMatchObject({
      ...{ cash: { added: 5_200n, withdrawn: 0n, adjusted: 0n, closing: 5_200n }, inFlight: 0n },
      movements: [{ at: day('10-25'), kind: 'added', funding: first, fiat: 5_200n }],
      machines: [{ machine: 'm', fiat: 5_200n }],
    });
    const [november] = await readStatement(ledger.db, alice, day('11-01'), day('12-01'));
    expect(november).toMatchObject({
      cash: { opening: 5_200n, added: 3_000n, withdrawn: 1_000n, closing: 7_200n },
      movements: [
        { at: day('11-02'), kind: 'added', fiat: 3_000n },
        { at: day('11-02'), kind: 'withdrawn', fiat: -1_000n },
      ],
      machines: [{ machine: 'n', fiat: 7_200n }],
    });
    const [early] = await readStatement(ledger.db, alice, day('10-01'), day('10-22'));
    expect(early).toMatchObject({ cash: { closing: 0n }, inFlight: 5_500n, movements: [], machines: [] });
    expect((await verifyLedger(ledger)).differences).toEqual([]);
  });

  test('books that do not add up make no statement', async () => {
    const ledger = await open();
    const book = await books(ledger);
    await book.client('alice', { mode: 'flow' }, BEGIN);
    await book.cash('alice', 100, BEGIN);
    await ledger.db.updateTable('fundings').set({ remaining: 9_999n, amount: 9_999n }).execute();
    const alice = await findClient(ledger.db, 'alice', BEGIN);
    await expect(readStatement(ledger.db, alice, BEGIN, plus(BEGIN, HOUR))).rejects.toThrow(
      'the cash of a client by its changes: the parts add up to 10000, not to 9999',
    );
  });
});

/** A refusal is part of a history; any other error is a finding. */
function refused(error: unknown): false {
  if (error instanceof Error && 'code' in error && error.code === 'usage/invalid') return false;
  throw error;
}
