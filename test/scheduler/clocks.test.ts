import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { now, plus } from '../../src/time.ts';
import { setLamassuClock } from '../support/clocks.ts';
import { type Counter, openCounter, type Shop } from '../support/counter.ts';
import { insertAction } from '../support/lamassu.ts';
import { ledgerKinds } from '../support/ledgers.ts';

/* What a run reads while a clock is wrong, and after it was. */

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
    // It is off for ten days, and was on before: nine days ago somebody sold.
    const id = await sell({ confirmed_at: ago(9 * DAY) });
    const newer = await sell({ confirmed_at: ago(MINUTE) });
    expect(await counter.poll()).toMatchObject({ exitCode: 0, distributed: { cashOuts: 2 } });
    expect(await mark()).toBe(newer);
    expect(
      await counter.ledger.db.selectFrom('cash_outs').select('id').where('id', '=', id).execute(),
    ).toHaveLength(1);
  });

  test('after a run by a clock a year ahead, an outage longer than the overlap loses nothing', async () => {
    await setLamassuClock(counter.world, 365 * DAY);
    await sell({ confirmed_at: ago(-365 * DAY + 1_000) });
    expect(await counter.poll()).toMatchObject({
      exitCode: 2,
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
  ])('confirmed %s before it was created, a row waits for a person', async (_, ms) => {
    await sell();
    await counter.poll();
    const id = await sell({ confirmed_at: ago(ms), created: ago(10 * MINUTE) });
    expect(await counter.poll()).toMatchObject({ exitCode: 2, news: { reviews: 1 } });
    expect(await reviews()).toEqual([{ id, reason: 'backdated', state: 'open' }]);
    expect(await counter.poll()).toMatchObject({ exitCode: 0, distributed: { cashOuts: 0 } });
    const settled = await counter.world.must([
      ...['settle', id, '--at', ago(9 * MINUTE), '--reason', 'the clock was behind', '--yes', '--json'],
    ]);
    expect(settled.json()).toMatchObject({ net_sats: 500_000 });
    expect(await counter.poll()).toMatchObject({ payouts: { settled: 1 } });
    expect(await shop.remaining('alice')).toMatchObject({ spent: 100_000n });
  });

  test('confirmed a minute before it was created, a row is paid', async () => {
    await sell({ confirmed_at: ago(11 * MINUTE), created: ago(10 * MINUTE) });
    expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 1 } });
  });

  test('a row that turns up under an earlier time waits where an entry in between counts, and is paid where none does', async () => {
    await counter.poll();
    await sell({ confirmed_at: ago(6 * HOUR) });
    expect(await counter.poll()).toMatchObject({ exitCode: 0, distributed: { cashOuts: 1 } });
    const other = await counter.shop({ bob: 1_000n });
    await counter.ledger.db
      .updateTable('fundings')
      .set({ deposited_at: plus(now(), -3 * HOUR) })
      .where('id', '=', other.funding('bob'))
      .execute();
    const id = await sell({ device_id: other.machine, confirmed_at: ago(6 * HOUR) });
    expect(await counter.poll()).toMatchObject({ exitCode: 2, distributed: { cashOuts: 0 } });
    expect(await reviews()).toEqual([{ id, reason: 'backdated', state: 'open' }]);
    // However often it is read again, it waits until somebody has said what holds.
    expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 0 } });
    await counter.world.must(['review', 'release', id]);
    expect(await counter.poll()).toMatchObject({ distributed: { cashOuts: 1, net: 0n } });
  });

  test('what Lamassu wrote under times of last year is found by the number of its action', async () => {
    await insertAction(counter.world.lamassu, { tx_id: await sell() });
    await counter.poll();
    const at = ago(365 * DAY);
    const id = await sell({ created: at, confirmed_at: at });
    await insertAction(counter.world.lamassu, { tx_id: id, created: at });
    expect(await counter.poll()).toMatchObject({ exitCode: 2, news: { reviews: 1 } });
    expect(await reviews()).toEqual([{ id, reason: 'before-start', state: 'open' }]);
  });
});
