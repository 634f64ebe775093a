import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { plus } from '../../src/time.ts';
import { now } from '../support/clock.ts';
import { hostOff, setLamassuClock } from '../support/clocks.ts';
import { type Counter, openCounter, type Shop } from '../support/counter.ts';
import { insertAction } from '../support/lamassu.ts';
import { ledgerKinds } from '../support/ledgers.ts';

/* What a run reads while a clock is wrong, and afterwards. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

describe.each(ledgerKinds)('Lamassu, a ledger in %s', (ledger) => {
  let counter: Counter;
  let shop: Shop;
  beforeEach(async () => {
    counter = await openCounter({ ledger });
    shop = await counter.shop({ alice: 10_000n });
  });
  afterEach(async () => {
    const verified = await counter.world.aioDca(['verify']);
    await counter.stop();
    expect(verified.stdout + verified.stderr).toContain('balance');
  });

  /** A sound cash-out of 500 USD. */
  const sell = (columns: Parameters<Shop['jammed']>[0] = {}) =>
    counter.world.insertCashOut({
      ...{ device_id: shop.machine, fiat: '500', fiat_code: 'USD', raw_ticker_price: '100000' },
      ...{ crypto_atoms: '529100', received_crypto_atoms: '529100' },
      ...columns,
    });
  const reviews = async () =>
    (await counter.ledger.db.selectFrom('review').select(['cash_out_id', 'reason', 'state']).execute()).map(
      ({ cash_out_id: id, reason, state }) => ({ id, reason, state }),
    );
  const entered = (funding: bigint, ms: number) =>
    counter.ledger.db
      .updateTable('fundings')
      .set({ deposited_at: plus(now(), -ms) })
      .where('id', '=', funding)
      .execute();
  const mark = async () =>
    (
      await counter.ledger.db
        .selectFrom('sources')
        .select(['mark_confirmed_at', 'mark_id', 'read_to'])
        .executeTakeFirstOrThrow()
    ).mark_id;

  test.each([
    ['an older version', '0001-01-01T00:00:00.000000Z'],
    ['this version', undefined],
  ])('a mark that a clock left ahead under %s hides nothing, and goes back', async (_, readTo) => {
    await sell();
    await counter.poll();
    await counter.ledger.db
      .updateTable('sources')
      .set({
        mark_confirmed_at: '2126-11-01T00:00:00.000000Z',
        ...(readTo === undefined ? {} : { read_to: readTo }),
      })
      .execute();
    // It is off for ten days, and was on before: a cash-out is nine days old.
    const id = await sell({ confirmed_at: ago(9 * DAY) });
    const newer = await sell({ confirmed_at: ago(MINUTE) });
    expect(await counter.poll()).toMatchObject({ outcome: 'ok', distributed: { cashOuts: 2 } });
    expect(await mark()).toBe(newer);
    expect(
      await counter.ledger.db.selectFrom('cash_outs').select('id').where('id', '=', id).execute(),
    ).toHaveLength(1);
  });

  test('after a run by a clock a year ahead, an outage longer than the overlap loses nothing', async () => {
    await setLamassuClock(counter.world, 365 * DAY);
    await sell({ confirmed_at: ago(-365 * DAY + 1_000) });
    expect(await counter.poll()).toMatchObject({
      outcome: 'attention',
      distributed: { cashOuts: 1 },
      problems: [{ code: 'clock/differs' }],
    });
    await setLamassuClock(counter.world, 0);
    await sell({ confirmed_at: ago(9 * DAY) });
    expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 1 } });
    const doctor = await counter.world.aioDca(['doctor']);
    expect(doctor.stdout).not.toContain('has not reached');
  });

  test.each([
    ['before start_at', 300 * DAY],
    ['behind the overlap', 9 * DAY],
    ['a minute and a second', 11 * MINUTE + 1_000],
  ])('confirmed %s before it was created, a row waits for the operator', async (_, ms) => {
    await sell();
    await counter.poll();
    const id = await sell({ confirmed_at: ago(ms), created: ago(10 * MINUTE) });
    expect(await counter.poll()).toMatchObject({ outcome: 'attention', news: { reviews: 1 } });
    expect(await reviews()).toEqual([{ id, reason: 'backdated', state: 'open' }]);
    expect(await counter.poll()).toMatchObject({ outcome: 'ok', distributed: { cashOuts: 0 } });
    const settled = await counter.world.must([
      ...['settle', id, '--at', ago(9 * MINUTE), '--reason', 'the clock was behind', '--yes', '--json'],
    ]);
    expect(settled.json()).toMatchObject({ net_sats: 500_000 });
    expect(await counter.poll()).toMatchObject({ payouts: { settled: 1 } });
    expect(await shop.remaining('alice')).toMatchObject({ spent: 100_000n });
  });

  test('confirmed a minute before it was created, a row is paid', async () => {
    const created = ago(10 * MINUTE);
    await sell({ confirmed_at: plus(created, -MINUTE), created });
    expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 1 } });
  });

  test('a row that turns up under an earlier time waits where an entry in between counts, and is paid where none does', async () => {
    await counter.poll();
    await sell({ confirmed_at: ago(6 * HOUR) });
    expect(await counter.poll()).toMatchObject({ outcome: 'ok', distributed: { cashOuts: 1 } });
    const other = await counter.shop({ bob: 1_000n });
    await entered(other.funding('bob'), 3 * HOUR);
    const id = await sell({ device_id: other.machine, confirmed_at: ago(6 * HOUR) });
    expect(await counter.poll()).toMatchObject({ outcome: 'attention', distributed: { cashOuts: 0 } });
    expect(await reviews()).toEqual([{ id, reason: 'backdated', state: 'open' }]);
    // However often it is read again, it waits until the operator has decided.
    expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 0 } });
    await counter.world.must(['review', 'release', id]);
    expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 1, net: 0n } });
  });

  test('cash that was entered after the last read has its part in a row that a clock stamped earlier', async () => {
    await counter.poll();
    const other = await counter.shop({ bob: 1_000n });
    await entered(other.funding('bob'), 0);
    const id = await sell({ device_id: other.machine, confirmed_at: ago(6 * HOUR) });
    expect(await counter.poll()).toMatchObject({ outcome: 'attention', distributed: { cashOuts: 0 } });
    expect(await reviews()).toEqual([{ id, reason: 'backdated', state: 'open' }]);
    await counter.world.must([
      ...['settle', id, '--at', new Date().toISOString(), '--reason', 'the clock was behind', '--yes'],
    ]);
    expect(await counter.poll()).toMatchObject({ payouts: { settled: 1 } });
    expect(await other.remaining('bob')).toMatchObject({ spent: 50_000n });
  });

  test.each([
    ['ahead', 6 * HOUR],
    ['behind', -6 * HOUR],
    ['a year ahead', 365 * DAY],
  ])(
    'while Lamassu’s clock is %s, and was in every run, only an entry in between waits for the operator',
    async (_, ms) => {
      await setLamassuClock(counter.world, ms);
      const [, others] = [await counter.poll(), await counter.shop({ bob: 1_000n })];
      await entered(others.funding('bob'), 5 * MINUTE);
      // It came out ten minutes ago where the clock is ahead, one where it is behind: before bob's cash, and after it.
      const id = await sell({
        device_id: others.machine,
        confirmed_at: ago(-ms + (ms > 0 ? 10 * MINUTE : MINUTE)),
      });
      const sound = await sell({ confirmed_at: ago(-ms + MINUTE) });
      expect(await counter.poll()).toMatchObject({
        outcome: 'attention',
        distributed: { cashOuts: 1, net: 500_000n },
        problems: [{ code: 'clock/differs' }],
      });
      expect(await reviews()).toEqual([{ id, reason: 'backdated', state: 'open' }]);
      expect(sound).not.toBe(id);
      // The clock is corrected: that does not correct the times it wrote before.
      await setLamassuClock(counter.world, 0);
      expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 0 } });
      expect(await others.remaining('bob')).toMatchObject({ spent: 0n });
    },
  );

  test.each([
    ['a year', 365 * DAY, undefined],
    ['a year, and this host booted since', 365 * DAY, 'another boot'],
  ])(
    'where Lamassu’s clock went back by %s, neither entries nor distributed cash-outs are in doubt',
    async (_, ms, boot) => {
      const { world } = counter;
      const id = await sell({ confirmed_at: ago(MINUTE) });
      await counter.poll();
      await setLamassuClock(world, -ms);
      // A distributed cash-out really happened: Lamassu says the same of it, and there is nothing to accept.
      expect((await world.must(['reconcile', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
      const dismissed = await world.aioDca(['review', 'dismiss', id, '--reason', 'seen']);
      expect(dismissed.stderr).toContain('is not in review');
      const off = boot === undefined ? {} : hostOff(0, boot);
      const ran = await world.aioDca(['poll', '--json'], off);
      expect(ran.json()).toMatchObject({ problems: [{ code: 'clock/differs' }], source: { to_review: 0 } });
      expect(await reviews()).toEqual([]);
      expect((await world.aioDca(['status', '--json'], off)).json()).toMatchObject({
        attention: { clock: 1 },
      });
      expect((await world.aioDca(['clock', 'show', '--json'], off)).json()).toMatchObject({ entries: [] });
      expect((await world.aioDca(['doctor'], off)).stdout).not.toContain('entries:');
      // The way out that the refusal of an entry "from now on" names.
      const add = ['fundings', 'add', shop.client('alice'), '5 USD', '--any-machine', '--deposited'];
      expect((await world.aioDca(add, off)).stderr).toContain('Cash can be entered with its time');
      await world.must([...add, '--at', ago(10_000)], off);
      const late = await world.aioDca([...add, '--at', ago(-10 * MINUTE)], off);
      expect(late.stderr).toContain('is in the future');
      await setLamassuClock(world, 0);
      expect((await world.aioDca(['poll'], off)).code).toBe(0);
      expect((await world.must(['cash-outs', 'show', id, '--json'])).json()).toMatchObject({
        net_sats: 500_000,
      });
    },
  );

  test.each([
    ['before any run', false],
    ['after one', true],
  ])(
    'where this host’s clock went back and Lamassu’s did not, %s, cash-outs are paid as usual',
    async (_, after) => {
      if (after) await counter.poll();
      const id = await sell({ confirmed_at: ago(MINUTE) });
      const ran = await counter.world.aioDca(['poll', '--json'], hostOff(-365 * DAY, 'another boot'));
      expect(ran.json()).toMatchObject({
        problems: expect.arrayContaining([expect.objectContaining({ code: 'clock/differs' })]),
        distributed: { cash_outs: 1, net_sats: 500_000 },
      });
      expect((await reviews()).map((one) => one.id)).not.toContain(id);
    },
  );

  test('a row dated in the future waits when its time comes, if cash was entered meanwhile', async () => {
    const other = await counter.shop({ bob: 1_000n });
    const ids = [
      await sell({ device_id: other.machine, confirmed_at: ago(-HOUR), created: ago(MINUTE) }),
      await sell({ confirmed_at: ago(-HOUR), created: ago(MINUTE) }),
    ];
    await counter.poll();
    expect(await reviews()).toHaveLength(2);
    // Two hours go by, and bob's cash came in one and a half before.
    await entered(other.funding('bob'), -30 * MINUTE);
    await setLamassuClock(counter.world, 2 * HOUR);
    const ran = await counter.world.aioDca(['poll', '--json'], hostOff(2 * HOUR, 'another boot'));
    expect(ran.json()).toMatchObject({ distributed: { cash_outs: 1, net_sats: 500_000 } });
    const open = (await reviews()).filter(({ state }) => state === 'open');
    expect(open).toEqual([{ id: ids[0], reason: 'backdated', state: 'open' }]);
  });

  test('what Lamassu wrote under times of last year is found by the number of its action', async () => {
    await insertAction(counter.world.lamassu, { tx_id: await sell() });
    await counter.poll();
    const at = ago(365 * DAY);
    const id = await sell({ created: at, confirmed_at: at });
    await insertAction(counter.world.lamassu, { tx_id: id, created: at });
    expect(await counter.poll()).toMatchObject({ outcome: 'attention', news: { reviews: 1 } });
    expect(await reviews()).toEqual([{ id, reason: 'before-start', state: 'open' }]);
  });
});
