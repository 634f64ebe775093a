import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Stated } from '../../src/dca/settlement.ts';
import { settledBefore } from '../../src/ledger/cash-outs/settlement.ts';
import { setClient } from '../../src/ledger/clients/changes.ts';
import { creditsIn, dropCredit } from '../../src/ledger/credits/credits.ts';
import { intendCredits } from '../../src/ledger/credits/plan.ts';
import { addFunding, withdrawFunding } from '../../src/ledger/fundings/fundings.ts';
import { ALWAYS } from '../../src/ledger/store/effective-dated.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import {
  draftExternal,
  draftSettled,
  externalReference,
  previewSettlement,
  undoSettlement,
  writeSettlement,
} from '../../src/operations/settlements.ts';
import { now, plus } from '../../src/time.ts';
import { type Counter, openCounter } from '../support/counter.ts';
import { ledgerKinds } from '../support/ledgers.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const who = { actor: 'dora', run: null };
const usd = (amount: bigint) => ({ minor: amount * 100n, currency: 'USD', digits: 2 });

describe.each(ledgerKinds)('a settlement by hand, in %s', (kind) => {
  let counter: Counter;

  beforeAll(async () => {
    counter = await openCounter({ ledger: kind });
  });
  afterAll(() => counter.stop());
  afterEach(async () => {
    expect((await verifyLedger(counter.ledger.db)).differences).toEqual([]);
  });

  const settle = async (id: string, stated: Stated = {}, ledger = counter.ledger) => {
    const words = { stated, reason: 'jammed', credit: false };
    const before = await settledBefore(ledger.db, { id, stated, credit: false });
    if (before) return before;
    const draft = await draftSettled(counter.config, ledger.db, id, words);
    return writeSettlement(ledger, counter.config, draft, who, undefined);
  };
  const undo = (id: string) =>
    counter.ledger.write((trx) => undoSettlement(trx, counter.config, id, 'oops', who));
  const reviewOf = (id: string) =>
    counter.ledger.db
      .selectFrom('review')
      .select(['state', 'reason', 'closed_by', 'closed_reason'])
      .where('cash_out_id', '=', id)
      .executeTakeFirst();
  const logged = (subject: string) =>
    counter.ledger.db
      .selectFrom('log')
      .select(['action', 'actor', 'reason'])
      .where('subject', '=', subject)
      .orderBy('id')
      .execute();

  test('of a partial dispense the cash that came out is divided, and the rest is undelivered', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const id = await shop.jammed();
    await counter.poll();
    expect(await settle(id)).toMatchObject({
      cashOut: {
        ...{ origin: 'settled', method: 'ticker', fiat: 200_00n, gross: 529_100n },
        ...{ net: 200_000n, commission: 11_640n, own: 0n, undelivered: 317_460n },
      },
      allocations: [{ fiat: 200_00n, net: 200_000n, mode: 'flow' }],
      settlement: { actor: 'dora', reason: 'jammed', credit: 0n },
    });
    expect(await shop.remaining('alice')).toMatchObject({ remaining: 800_00n, spent: 200_00n });
    expect(await reviewOf(id)).toEqual({
      ...{ state: 'processed', reason: 'error', closed_by: 'dora', closed_reason: 'jammed' },
    });
    expect(await logged(id)).toEqual([
      {
        action: 'review open',
        actor: 'test',
        reason: 'error "jam", error_code null; 200 of 500 USD came out',
      },
      { action: 'settle', actor: 'dora', reason: 'jammed' },
    ]);
  });

  test('confirmed by Lamassu later it is already processed: nothing twice, and no word of a change', async () => {
    const shop = await counter.shop({ alice: 1000n });
    await counter.poll();
    const id = await shop.jammed();
    await settle(id);
    expect(await counter.poll()).toMatchObject({ payouts: { satsSettled: 200_000n } });
    await counter.world.lamassu.query(
      'update cash_out_txs set dispense_confirmed = true, error = null where id = $1',
      [id],
    );
    expect(await counter.poll()).toMatchObject({
      ...{ outcome: 'ok', distributed: { cashOuts: 0 }, source: { toReview: 0 }, payouts: { settled: 0 } },
    });
    expect(await reviewOf(id)).toBeUndefined();
  });

  test('the same again answers the first result; other figures are refused with both', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const id = await shop.jammed();
    const first = await settle(id, { fiat: usd(100n), rate: 5000n });
    expect(first.cashOut).toMatchObject({
      gross: 529_100n,
      commission: 5291n,
      undelivered: 423_280n,
      method: 'given',
    });
    expect(await settle(id, { fiat: usd(100n), rate: 5000n })).toEqual(first);
    expect(await settle(id, { fiat: usd(100n), commission: 5291n, gross: 105_820n })).toEqual(first);
    expect(await shop.remaining('alice')).toMatchObject({ spent: 100_00n });
    await expect(settle(id)).rejects.toThrow(/--fiat was 100.00 USD, now left to Lamassu.*--commission/);
    await expect(settle(id, { fiat: usd(200n), rate: 5000n })).rejects.toThrow(
      '--fiat was 100.00 USD, now 200.00 USD',
    );
    const credit = { id, stated: { fiat: usd(100n), rate: 5000n }, credit: true };
    await expect(settledBefore(counter.ledger.db, credit)).rejects.toThrow(
      '--credit was not given, now given',
    );
  });

  test('two terminals at once: one settlement, one answer', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const id = await shop.jammed();
    const other = await counter.openAgain();
    try {
      const [one, two] = await Promise.all([settle(id), settle(id, {}, other)]);
      expect(one).toEqual(two);
    } finally {
      await other.close();
    }
    expect(await shop.remaining('alice')).toMatchObject({ spent: 200_00n });
    expect(await logged(id)).toHaveLength(1);
  });

  test('what needs no settling is refused', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const fine = { dispense_confirmed: true, error: null };
    await expect(settle('00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({
      message: expect.stringContaining('Lamassu has no cash-out'),
      hint: expect.stringContaining('--external'),
    });
    const good = await shop.jammed(fine);
    await expect(settle(good)).rejects.toThrow('Lamassu holds');
    await counter.poll();
    await expect(settle(good)).rejects.toThrow('as Lamassu confirmed it');
    await expect(undo(good)).rejects.toThrow('only what a person settled can be undone');
  });

  test('a row from before the start is settled, and one that was never confirmed goes by its creation', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const early = plus(now(), -40 * DAY);
    const before = await shop.jammed({ dispense_confirmed: true, error: null, confirmed_at: early });
    // Nobody's cash was in the machine then.
    expect(await settle(before)).toMatchObject({ cashOut: { own_fiat: 500_00n, net: 0n }, allocations: [] });
    const created = plus(now(), -2 * DAY);
    const never = await shop.jammed({ status: 'authorized', confirmed_at: null, created });
    expect(await settle(never)).toMatchObject({ cashOut: { confirmed_at: created, net: 200_000n } });
  });

  test('settings are those of its own time', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const change = {
      mode: 'fixed',
      limits: [{ currency: 'USD', digits: 2, daily: 10_00n }],
      newWallet: false,
    } as const;
    const name = shop.client('alice');
    await counter.ledger.write((trx) =>
      setClient(trx, { ...who, at: now() }, name, { ...change, limits: [...change.limits] }),
    );
    expect(await settle(await shop.jammed())).toMatchObject({
      allocations: [{ mode: 'flow', fiat: 200_00n }],
    });
  });

  test.each<[string, Stated, Record<string, string | boolean | null>, string]>([
    [
      'nothing tells the cash',
      {},
      { error_code: 'operatorCancel', dispense: false },
      '--fiat: nothing tells',
    ],
    ['more than was asked', { fiat: usd(501n) }, {}, '--fiat: this is more cash than'],
    [
      'another currency',
      { fiat: { minor: 1n, currency: 'GTQ', digits: 2 } },
      {},
      '--fiat: the cash-out is in USD',
    ],
    ['another coin', {}, { crypto_code: 'LTC' }, '--gross: nothing tells'],
    ['another coin, gross known', { gross: 1000n }, { crypto_code: 'LTC' }, '--commission: nothing tells'],
    ['no rate', {}, { raw_ticker_price: null, commission_percentage: null }, '--commission: '],
    ['a commission above half', { commission: 105_821n }, {}, '--commission: 105821 sat are more than half'],
  ])('a figure that is missing or wrong is named: %s', async (_what, stated, columns, message) => {
    const shop = await counter.shop({ alice: 1000n });
    const id = await shop.jammed(columns);
    if (columns.dispense === false)
      await counter.world.lamassu.query('delete from cash_out_actions where tx_id = $1', [id]);
    await expect(settle(id, stated)).rejects.toMatchObject({
      ...{ code: 'usage/invalid', message: expect.stringContaining(message) },
    });
    expect(await shop.remaining('alice')).toMatchObject({ spent: 0n });
  });

  test('a dry run writes nothing, and a division that changed meanwhile is not written', async () => {
    const shop = await counter.shop({ alice: 300n, bob: 100n });
    const id = await shop.jammed();
    const { ledger, config } = counter;
    const words = { stated: {}, reason: 'jammed', credit: false };
    const draft = await draftSettled(config, ledger.db, id, words);
    const shown = await previewSettlement(ledger, config, draft, who);
    expect(shown.allocations.map((one) => one.fiat)).toEqual([150_00n, 50_00n]);
    expect(await shop.remaining('bob')).toMatchObject({ spent: 0n });
    expect(await settledBefore(ledger.db, { id, stated: {}, credit: false })).toBeUndefined();
    await ledger.write((trx) =>
      withdrawFunding(trx, { ...who, at: now(), reason: 'asked for' }, shop.funding('bob'), null),
    );
    await expect(writeSettlement(ledger, config, draft, who, shown)).rejects.toMatchObject({
      code: 'settle/changed',
    });
    expect(await shop.remaining('alice')).toMatchObject({ spent: 0n });
    const again = await previewSettlement(ledger, config, draft, who);
    expect(await writeSettlement(ledger, config, draft, who, again)).toMatchObject({
      allocations: [{ fiat: 200_00n }],
    });
  });

  test('undone, everything is as before and the row is before a person again; confirmed, it is distributed', async () => {
    const shop = await counter.shop({ alice: 200n });
    const id = await shop.jammed();
    await counter.poll();
    const { id: recipient } = await counter.ledger.write((trx) => commissionTo(trx, shop.machine));
    await settle(id);
    expect(await shop.remaining('alice')).toEqual({ remaining: 0n, spent: 200_00n, status: 'exhausted' });
    const done = await undo(id);
    expect(done.fundings).toMatchObject([{ fiat: 200_00n, remaining: 200_00n, closing: false }]);
    expect(await shop.remaining('alice')).toEqual({ remaining: 200_00n, spent: 0n, status: 'deposited' });
    expect(await reviewOf(id)).toMatchObject({ state: 'open', reason: 'error', closed_by: null });
    await expect(undo(id)).rejects.toThrow('was undone by dora');
    const shares = await counter.ledger.db
      .selectFrom('commission_shares')
      .selectAll()
      .where('recipient_id', '=', recipient)
      .execute();
    expect(shares).toEqual([]);
    await counter.world.lamassu.query(
      'update cash_out_txs set dispense_confirmed = true, error = null where id = $1',
      [id],
    );
    expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 1 } });
    expect(await shop.remaining('alice')).toEqual({ remaining: 0n, spent: 200_00n, status: 'exhausted' });
    const [kept] = await counter.ledger.db
      .selectFrom('voids')
      .selectAll()
      .where('cash_out_id', '=', id)
      .execute();
    expect(kept).toMatchObject({ actor: 'dora', reason: 'oops' });
    expect(JSON.parse(kept?.was ?? '')).toMatchObject({
      net: '200000',
      allocations: [{ funding: `f${shop.funding('alice')}` }],
    });
  });

  test('undone, one that no run had put into review waits there from then on', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const id = await shop.jammed();
    await settle(id);
    expect(await reviewOf(id)).toBeUndefined();
    expect(await undo(id)).toMatchObject({ back: 'review' });
    expect(await reviewOf(id)).toMatchObject({ state: 'open', reason: 'error', closed_by: null });
    expect(await counter.poll()).toMatchObject({ source: { toReview: 0 }, distributed: { cashOuts: 0 } });
    const hidden = { state: 'dismissed', closed_at: now(), closed_by: 'dora', closed_reason: 'x' } as const;
    await counter.ledger.db.updateTable('review').set(hidden).where('cash_out_id', '=', id).execute();
    await settle(id);
    expect(await undo(id)).toMatchObject({ back: 'review' });
    expect(await reviewOf(id)).toMatchObject({ state: 'open', closed_by: null });
  });

  test('undone, it leaves a credit of the source wallet that never happened; not one that may', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const { ledger, config } = counter;
    const id = await shop.jammed();
    const words = { stated: {}, reason: 'jammed', credit: true };
    await writeSettlement(ledger, config, await draftSettled(config, ledger.db, id, words), who, undefined);
    await ledger.write((trx) =>
      intendCredits(trx, { ...who, at: now() }, { wallet: 'w', largest: 10_000_000n }),
    );
    const [credit] = await creditsIn(ledger.db, ['intended']);
    if (!credit) throw new Error('there is no credit');
    await expect(undo(id)).rejects.toThrow(`are part of c${credit.id}, a credit of the source wallet`);
    await ledger.write((trx) => dropCredit(trx, { ...who, at: now() }, credit, 'another wallet'));
    await undo(id);
    expect(await shop.remaining('alice')).toMatchObject({ spent: 0n });
    const { was } = await ledger.db
      .selectFrom('voids')
      .select('was')
      .where('cash_out_id', '=', id)
      .executeTakeFirstOrThrow();
    expect(JSON.parse(was)).toMatchObject({ credits: [{ credit_id: `${credit.id}`, sats: '200000' }] });
  });

  test('undone, it may be settled anew; once it is in a payout it may not be undone', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const id = await shop.jammed();
    await settle(id);
    await undo(id);
    expect(await settle(id, { fiat: usd(500n) })).toMatchObject({
      cashOut: { fiat: 500_00n, undelivered: 0n },
    });
    await counter.poll();
    await expect(undo(id)).rejects.toMatchObject({
      code: 'usage/invalid',
      message: expect.stringMatching(/are in p\d+, and a payout is never taken back/),
      hint: expect.stringContaining('fundings adjust'),
    });
    expect(await shop.remaining('alice')).toMatchObject({ spent: 500_00n });
  });

  test('one that Lamassu never saw goes by the person’s figures and a reference of its own', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const { ledger, config } = counter;
    const at = plus(now(), -HOUR);
    const stated = { fiat: usd(100n), gross: 110_000n, rate: 5500n };
    const words = { stated, reason: 'server was down', credit: false };
    const id = externalReference(` receipt-${shop.machine} `);
    const draft = await draftExternal(config, ledger.db, id, { machine: shop.machine, at }, words);
    const done = await writeSettlement(ledger, config, draft, who, undefined);
    expect(done).toMatchObject({
      cashOut: { id, origin: 'external', lamassu: null, commission: 6050n, net: 103_950n, method: 'given' },
    });
    const repeat = { id, machine: shop.machine, at, credit: false };
    expect(
      await settledBefore(ledger.db, {
        ...repeat,
        stated: { ...stated, rate: undefined, commission: 6050n },
      }),
    ).toEqual(done);
    await expect(settledBefore(ledger.db, { ...repeat, at: now(), stated })).rejects.toThrow('--at was');
    const future = { machine: shop.machine, at: plus(now(), HOUR) };
    await expect(draftExternal(config, ledger.db, id, future, words)).rejects.toThrow('--at: ');
    await undo(id);
    expect(await shop.remaining('alice')).toMatchObject({ spent: 0n });
  });

  test('cash that the machine never paid out, or that nobody put in, is doubted', async () => {
    const { ledger, config } = counter;
    const shop = await counter.shop({ alice: 1000n });
    const words = { reason: 'server was down', credit: false };
    const doubtOf = async (currency: string) => {
      const stated = { fiat: { minor: 100_00n, currency, digits: 2 }, gross: 110_000n, rate: 5500n };
      const where = { machine: shop.machine, at: plus(now(), -HOUR) };
      const draft = await draftExternal(config, ledger.db, 'receipt-1', where, { ...words, stated });
      return draft.doubt;
    };
    expect(await doubtOf('USD')).toBeNull();
    expect(await doubtOf('GTQ')).toContain('nobody has put GTQ into it, so all of it falls to the own share');
    const euro = { minor: 100_00n, currency: 'EUR', digits: 2 };
    const everywhere = { client: shop.client('alice'), machine: null, rate: null, amount: euro };
    const { funding } = await ledger.write((trx) =>
      addFunding(trx, { ...who, at: now() }, { ...everywhere, depositedAt: plus(now(), -HOUR) }),
    );
    expect(await doubtOf('EUR')).toContain('it has paid out USD so far, and no EUR');
    await ledger.write((trx) =>
      withdrawFunding(trx, { ...who, at: now(), reason: 'a test' }, funding.id, null),
    );
  });

  test('a reference is not to be mistaken for an id of Lamassu', () => {
    for (const text of ['8C1F0000-0000-4000-8000-000000000000', 'short', 'with space', '']) {
      expect(() => externalReference(text)).toThrow('--external: ');
    }
  });

  test('verify names figures that are others than those agreed to, and a settlement of nobody', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const id = await shop.jammed();
    await settle(id);
    const found = async () => (await verifyLedger(counter.ledger.db)).differences.map((one) => one.code);
    const { db } = counter.ledger;
    const { figures } = await db
      .selectFrom('settlements')
      .selectAll()
      .where('cash_out_id', '=', id)
      .executeTakeFirstOrThrow();
    const set = (text: string) =>
      db.updateTable('settlements').set({ figures: text }).where('cash_out_id', '=', id).execute();
    await set(figures.replace('"20000"', '"20001"'));
    expect(await found()).toEqual(['settlement/figures']);
    await set('{');
    expect(await found()).toEqual(['settlement/figures']);
    await set(figures);
    const kept = await db
      .selectFrom('settlements')
      .selectAll()
      .where('cash_out_id', '=', id)
      .executeTakeFirstOrThrow();
    await db.deleteFrom('settlements').where('cash_out_id', '=', id).execute();
    expect(await found()).toEqual(['settlement/missing']);
    await db.insertInto('settlements').values(kept).execute();
  });
});

/** A recipient of this machine's commission. */
async function commissionTo(trx: Parameters<Parameters<Counter['ledger']['write']>[0]>[0], machine: string) {
  const wallet = `wallet-of-${machine}`;
  await trx.insertInto('wallets').values({ id: wallet, invoice_key: wallet, created_at: ALWAYS }).execute();
  const recipient = await trx
    .insertInto('recipients')
    .values({
      kind: 'commission',
      name: `ops-${machine}`,
      wallet_id: wallet,
      status: 'active',
      created_at: ALWAYS,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await trx
    .insertInto('commission_weights')
    .values({ recipient_id: recipient.id, machine, from_at: ALWAYS, weight: 1n })
    .execute();
  return recipient;
}
