import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { settledBefore } from '../../src/ledger/cash-outs/settlement.ts';
import { setClient } from '../../src/ledger/clients/changes.ts';
import { creditsIn, dropCredit } from '../../src/ledger/credits/credits.ts';
import { intendCredits } from '../../src/ledger/credits/plan.ts';
import { addFunding, withdrawFunding } from '../../src/ledger/fundings/fundings.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { ALWAYS } from '../../src/ledger/store/effective-dated.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { externalReference } from '../../src/operations/settlement-draft.ts';
import {
  previewExternal,
  previewSettle,
  settleCashOut,
  settleExternal,
} from '../../src/operations/settlements.ts';
import { previewVoid, voidSettled } from '../../src/operations/void-settlement.ts';
import { plus } from '../../src/time.ts';
import { bootless, now } from '../support/clock.ts';
import { type Counter, openCounter } from '../support/counter.ts';
import { ledgerKinds } from '../support/ledgers.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };

describe.each(ledgerKinds)('a settlement by hand, in %s', (kind) => {
  let counter: Counter;

  beforeAll(async () => {
    counter = await openCounter({ ledger: kind });
  });
  afterAll(() => counter.stop());
  afterEach(async () => {
    expect((await verifyLedger(counter.ledger)).differences).toEqual([]);
  });

  /** Figures as they are typed. */
  type Figures = Partial<Record<'fiat' | 'gross' | 'commission' | 'rate' | 'price', string>> & {
    credit?: boolean;
  };

  const jammed = { reason: 'jammed' };
  /** Crediting the source wallet is off by default. */
  const crediting = () => {
    const { config } = counter;
    return { ...config, lnbits: { ...config.lnbits, creditSource: true } };
  };
  const settle = (id: string, figures: Figures = {}, ledger = counter.ledger) =>
    counter.perform(settleCashOut, { id, ...figures }, { ...jammed, ledger, config: crediting() });
  const undo = (id: string) => counter.perform(voidSettled, { id }, { reason: 'oops' });
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
      ...{ origin: 'settled', commission_method: 'ticker', fiat: '200.00', gross_sats: 529_100n },
      ...{ net_sats: 200_000n, commission_sats: 11_640n, own_sats: 0n, undelivered_sats: 317_460n },
      allocations: [{ fiat: '200.00', net_sats: 200_000n }],
      settlement: { actor: 'dora', reason: 'jammed', credit: false },
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

  test('if Lamassu confirms it later, it is already processed: nothing is paid twice or reported as changed', async () => {
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

  test('a repetition answers the first result; other figures are refused with both', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const id = await shop.jammed();
    const first = await settle(id, { fiat: '100 USD', rate: '5%' });
    expect(first).toMatchObject({
      ...{ gross_sats: 529_100n, commission_sats: 5291n, undelivered_sats: 423_280n },
      ...{ commission_method: 'given', already_settled: false },
    });
    const { proposal: _, ...division } = first;
    const again = { ...division, already_settled: true, proposal: null };
    expect(await settle(id, { fiat: '100 USD', rate: '5%' })).toEqual(again);
    expect(await settle(id, { fiat: '100 USD', commission: '5291', gross: '105820' })).toEqual(again);
    expect(await shop.remaining('alice')).toMatchObject({ spent: 100_00n });
    await expect(settle(id)).rejects.toThrow(/fiat was 100.00 USD, now left to Lamassu.*commission/);
    await expect(settle(id, { fiat: '200 USD', rate: '5%' })).rejects.toThrow(
      'fiat was 100.00 USD, now 200.00 USD',
    );
    await expect(settle(id, { fiat: '100 USD', rate: '5%', credit: true })).rejects.toThrow(
      'credit was not given, now given',
    );
  });

  test('two terminals at once: one settlement, one answer', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const id = await shop.jammed();
    const other = await counter.openAgain();
    try {
      const [one, two] = await Promise.all([settle(id), settle(id, {}, other)]);
      expect(one.settlement).toEqual(two.settlement);
      expect(one.allocations).toEqual(two.allocations);
    } finally {
      await other.close();
    }
    expect(await shop.remaining('alice')).toMatchObject({ spent: 200_00n });
    expect(await logged(id)).toHaveLength(1);
  });

  test('a row that needs no settling is refused', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const fine = { dispense_confirmed: true, error: null };
    await expect(settle('00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({
      ...{ code: 'usage/invalid', kind: 'not-found', field: 'id' },
      message: expect.stringContaining('Lamassu has no cash-out'),
      next: { operation: 'settlements.external' },
    });
    const good = await shop.jammed(fine);
    await expect(settle(good)).rejects.toThrow('Lamassu holds');
    await counter.poll();
    await expect(settle(good)).rejects.toThrow('as Lamassu confirmed it');
    await expect(undo(good)).rejects.toThrow('only what the operator settled can be undone');
  });

  test('a row from before the start is settled; for one that was never confirmed, its creation counts', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const early = plus(now(), -40 * DAY);
    const before = await shop.jammed({ dispense_confirmed: true, error: null, confirmed_at: early });
    // Nobody's cash was in the machine then.
    expect(await settle(before)).toMatchObject({ own_fiat: '500.00', net_sats: 0n, allocations: [] });
    const created = plus(now(), -2 * DAY);
    const never = await shop.jammed({ status: 'authorized', confirmed_at: null, created });
    expect(await settle(never)).toMatchObject({ confirmed_at: created, net_sats: 200_000n });
  });

  test('the settings are those of its time', async () => {
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
    expect(await settle(await shop.jammed())).toMatchObject({ allocations: [{ fiat: '200.00' }] });
    const { mode } = await counter.ledger.db
      .selectFrom('allocations')
      .select('mode')
      .where('funding_id', '=', shop.funding('alice'))
      .executeTakeFirstOrThrow();
    expect(mode).toBe('flow');
  });

  test.each<[string, Figures, Record<string, string | boolean | null>, string]>([
    [
      'nothing tells the cash',
      {},
      { error_code: 'operatorCancel', dispense: false },
      'fiat: it is not known',
    ],
    ['more than was asked', { fiat: '501 USD' }, {}, 'fiat: this is more cash than'],
    ['another currency', { fiat: '1 GTQ' }, {}, 'fiat: the cash-out is in USD'],
    ['another coin', {}, { crypto_code: 'LTC' }, 'gross: it is not known'],
    ['another coin, gross known', { gross: '1000' }, { crypto_code: 'LTC' }, 'commission: it is not known'],
    ['no rate', {}, { raw_ticker_price: null, commission_percentage: null }, 'commission: '],
    ['a commission above half', { commission: '105821' }, {}, 'commission: 105,821 sat are more than half'],
    ['a price in another currency', { price: '780000 GTQ' }, {}, 'price: the cash-out is in USD'],
    ['both a price and a rate', { price: '100000 USD', rate: '5%' }, {}, 'price: rate is given too'],
    ['both a rate and a commission', { commission: '1', rate: '5%' }, {}, 'rate: commission is given too'],
  ])('a figure that is missing or wrong is named: %s', async (_what, figures, columns, message) => {
    const shop = await counter.shop({ alice: 1000n });
    const id = await shop.jammed(columns);
    if (columns.dispense === false)
      await counter.world.lamassu.query('delete from cash_out_actions where tx_id = $1', [id]);
    await expect(settle(id, figures)).rejects.toMatchObject({
      ...{ code: 'usage/invalid', message: expect.stringContaining(message) },
    });
    expect(await shop.remaining('alice')).toMatchObject({ spent: 0n });
  });

  test('another coin is settled by the price of one BTC; the same again changes nothing, another price does not go', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const id = await shop.jammed({ crypto_code: 'LTC' });
    const { proposal } = await counter.perform(previewSettle, { id, price: '80000 USD' }, jammed);
    expect(proposal).toMatchObject({ stated_price: '80000.00', gross_sats: 250_000n, commission_sats: 0n });
    // 200 USD at 80,000 USD are 250,000 sat.
    expect(await settle(id, { price: '80000 USD' })).toMatchObject({
      ...{ fiat: '200.00', gross_sats: 250_000n, commission_sats: 0n, net_sats: 250_000n },
      ...{ undelivered_sats: 0n, commission_method: 'given', price: '80000.00', commission_fiat: '0.00' },
    });
    expect(await settle(id, { price: '80000 USD' })).toMatchObject({ already_settled: true });
    await expect(settle(id, { price: '81000 USD' })).rejects.toThrow(
      'price was 80,000.00 USD, now 81,000.00 USD',
    );
    await expect(settle(id)).rejects.toThrow('price was 80,000.00 USD, now left to Lamassu');
    await undo(id);
    // What was paid for it goes before: the rest is commission.
    expect(await settle(id, { price: '80000 USD', gross: '260000 sat' })).toMatchObject({
      ...{ gross_sats: 260_000n, commission_sats: 10_000n, net_sats: 250_000n, commission_fiat: '8.00' },
    });
  });

  test('a preview writes nothing, and a division that changed meanwhile is not written', async () => {
    const shop = await counter.shop({ alice: 300n, bob: 100n });
    const id = await shop.jammed();
    const { ledger } = counter;
    const preview = async () => counter.perform(previewSettle, { id }, jammed);
    const write = async (digest: string | null) =>
      counter.perform(settleCashOut, { id, digest: digest ?? '' }, jammed);
    const shown = await preview();
    expect(shown).toMatchObject({ dry_run: true, settled: false });
    expect(shown.allocations.map((one) => one.fiat)).toEqual(['150.00', '50.00']);
    expect(await shop.remaining('bob')).toMatchObject({ spent: 0n });
    expect(await settledBefore(ledger.db, { id, stated: {}, credit: false })).toBeUndefined();
    await ledger.write((trx) =>
      withdrawFunding(trx, { ...who, at: now(), reason: 'asked for' }, shop.funding('bob'), null),
    );
    await expect(write(shown.digest)).rejects.toMatchObject({ code: 'settle/changed' });
    expect(await shop.remaining('alice')).toMatchObject({ spent: 0n });
    const again = await preview();
    await counter.world.lamassu.query('update cash_out_txs set discount = 10 where id = $1', [id]);
    await expect(write(again.digest)).rejects.toMatchObject({ code: 'settle/changed' });
    expect(await write((await preview()).digest)).toMatchObject({
      ...{ settled: true, dry_run: false },
      allocations: [{ fiat: '200.00' }],
    });
    const undoing = await counter.perform(previewVoid, { id }, jammed);
    expect(undoing).toMatchObject({ voided: false, fundings: [{ fiat: '200.00', remaining: '300.00' }] });
    await ledger.write((trx) =>
      withdrawFunding(trx, { ...who, at: now(), reason: 'asked for' }, shop.funding('alice'), null),
    );
    const agreed = { id, digest: undoing.digest ?? '' };
    await expect(counter.perform(voidSettled, agreed, jammed)).rejects.toMatchObject({
      code: 'settle/changed',
    });
  });

  test('undone, everything is as before and the row is in review again; confirmed, it is distributed', async () => {
    const shop = await counter.shop({ alice: 200n });
    const id = await shop.jammed();
    await counter.poll();
    const { id: recipient } = await counter.ledger.write((trx) => commissionTo(trx, shop.machine));
    await settle(id);
    expect(await shop.remaining('alice')).toEqual({ remaining: 0n, spent: 200_00n, status: 'exhausted' });
    const done = await undo(id);
    expect(done.fundings).toMatchObject([{ fiat: '200.00', remaining: '200.00', client_closing: false }]);
    expect(await shop.remaining('alice')).toEqual({ remaining: 200_00n, spent: 0n, status: 'deposited' });
    expect(await reviewOf(id)).toMatchObject({ state: 'open', reason: 'error', closed_by: null });
    await expect(undo(id)).rejects.toThrow('was already undone by dora');
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

  test('undone, a row that was never in review is in review from then on', async () => {
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
    const { ledger } = counter;
    const id = await shop.jammed();
    const off = counter.perform(settleCashOut, { id, credit: true }, jammed);
    await expect(off).rejects.toThrow('credit: [lnbits] credit_source is off');
    await settle(id, { credit: true });
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

  test('undone, it may be settled again; once it is in a payout it cannot be undone', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const id = await shop.jammed();
    await settle(id);
    await undo(id);
    expect(await settle(id, { fiat: '500 USD' })).toMatchObject({ fiat: '500.00', undelivered_sats: 0n });
    await counter.poll();
    await expect(undo(id)).rejects.toMatchObject({
      code: 'usage/invalid',
      message: expect.stringMatching(/are in p\d+, and a payout cannot be undone/),
      ...{ kind: 'state', next: { operation: 'settlements.external' } },
    });
    expect(await shop.remaining('alice')).toMatchObject({ spent: 500_00n });
  });

  test('an external settlement uses the operator’s figures and a reference of its own', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const at = plus(now(), -HOUR);
    const id = `receipt-${shop.machine}`;
    const given = { reference: ` ${id} `, machine: shop.machine, at, fiat: '100 USD', gross: '110000' };
    const external = async (more: object) =>
      counter.perform(settleExternal, { ...given, rate: '5.5%', ...more }, jammed);
    expect(await external({})).toMatchObject({
      ...{ id, origin: 'external', commission_sats: 6050n, net_sats: 103_950n, commission_method: 'given' },
      ...{ settled: true, already_settled: false },
    });
    const same = { rate: undefined, commission: '6050 sat' };
    expect(await external(same)).toMatchObject({ id, already_settled: true });
    await expect(external({ at: now() })).rejects.toThrow('at was');
    const future = { reference: 'receipt-of-tomorrow', at: plus(now(), HOUR) };
    await expect(external(future)).rejects.toThrow('at: ');
    await undo(id);
    expect(await shop.remaining('alice')).toMatchObject({ spent: 0n });
  });

  test('a currency that the machine never paid out, or that no client put in, is doubted', async () => {
    const { ledger } = counter;
    const shop = await counter.shop({ alice: 1000n });
    const given = (currency: string) => ({
      ...{ reference: 'receipt-1', machine: shop.machine, at: plus(now(), -HOUR) },
      ...{ fiat: `100 ${currency}`, gross: '110000 sat', rate: '5.5%' },
    });
    const doubtOf = async (currency: string) => {
      const { proposal } = await counter.perform(previewExternal, given(currency), jammed);
      return proposal?.currency_doubt;
    };
    await expect(counter.perform(settleExternal, given('GTQ'), jammed)).rejects.toMatchObject({
      ...{ kind: 'conflict', field: 'fiat' },
    });
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

  test('a reference must not look like an id of Lamassu', () => {
    for (const text of ['8C1F0000-0000-4000-8000-000000000000', 'short', 'with space', '']) {
      expect(() => externalReference(text)).toThrow('reference: ');
    }
  });

  test('verify names figures that differ from the agreed ones, and a settlement without an actor', async () => {
    const shop = await counter.shop({ alice: 1000n });
    const id = await shop.jammed();
    await settle(id);
    const found = async () => (await verifyLedger(counter.ledger)).differences.map((one) => one.code);
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
