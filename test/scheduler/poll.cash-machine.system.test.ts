import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { addCommission } from '../../src/ledger/commission/commission.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { setMachine } from '../../src/ledger/machine-changes.ts';
import { bootless, now } from '../support/clock.ts';
import { type Counter, openCounter, type Shop } from '../support/counter.ts';
import { insertAction, pairMachine, unpairMachine } from '../support/lamassu.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { ledgerKinds } from '../support/ledgers.ts';

const HOUR = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * HOUR).toISOString();

describe.each(ledgerKinds)('the machine that gave out the cash, in %s', (ledger) => {
  let counter: Counter;
  /** Alice's cash is at the one, Bob's at the other. */
  let sold: Shop;
  let fetched: Shop;

  beforeAll(async () => {
    counter = await openCounter({ ledger });
    sold = await counter.shop({ alice: 1000n });
    fetched = await counter.shop({ bob: 1000n });
  });
  afterAll(async () => {
    expect((await counter.world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });
    await counter.stop();
  });

  const run = (...args: string[]) => counter.world.aioDca(args);
  const sale = (columns: Parameters<Shop['jammed']>[0] = {}) =>
    counter.world.insertCashOut({
      ...{ device_id: sold.machine, fiat: '200', fiat_code: 'USD', raw_ticker_price: '100000', redeem: true },
      ...{ crypto_atoms: '211700', received_crypto_atoms: '211700' },
      ...columns,
    });
  const dispense = (tx_id: string, device_id: string, columns: object = {}) =>
    insertAction(counter.world.lamassu, {
      ...{ tx_id, device_id, denomination_1: 20, dispensed_1: 10 },
      ...columns,
    });
  const inReview = async (id: string) =>
    (await run('review', 'show', id, '--json')).json<{
      reason: string;
      detail: string;
      machine: string;
      commands: string[];
    }>();

  test('counts, with its cash, its rate and its recipients; both machines are shown', async () => {
    const { world } = counter;
    const wallet = await world.lnbits.createUserWallet('owner');
    const owner = { id: wallet.id, key: new Secret(wallet.inkey) };
    const at = now();
    await counter.ledger.write(async (trx) => {
      const who = { principal: OPERATOR, actor: 'test', run: null, clock: bootless };
      await setMachine(trx, { ...who, at }, fetched.machine, { rate: 10_000n });
      const shop = { name: `owner-${ledger}`, wallet: owner, weight: 1n, machine: fetched.machine };
      await addCommission(trx, { ...who, at }, shop);
    });
    const id = await sale({ created: ago(0.1), confirmed_at: ago(0) });
    await dispense(id, fetched.machine);
    await counter.poll();
    expect(await sold.remaining('alice')).toMatchObject({ remaining: 1000_00n, spent: 0n });
    expect(await fetched.remaining('bob')).toMatchObject({ remaining: 800_00n, spent: 200_00n });
    const shown = (await world.must(['cash-outs', 'show', id, '--json'])).json();
    expect(shown).toMatchObject({
      ...{ machine: fetched.machine, begun_at_machine: sold.machine },
      // A tenth of it, and not what Lamassu charged.
      ...{ gross_sats: 211_700, commission_sats: 21_170, own_sats: 0 },
      allocations: [{ client: fetched.client('bob') }],
    });
    const shares = await ledgerSql(
      world.ledgerUrl,
      `select sats from commission_shares where cash_out_id = '${id}'`,
    );
    expect(shares).toEqual([{ sats: 21_170n }]);
    const page = (await world.must(['cash-outs', 'show', id])).stdout;
    expect(page).toContain(`Sold at machine ${sold.machine}; the cash was fetched at the other one.`);
    const csv = (await world.must(['export', 'cash-outs'])).stdout;
    expect(csv).toMatch(/^id,.*,begun_at_machine,price,commission_fiat$/m);
    expect(csv).toMatch(new RegExp(`^${id},.*,${fetched.machine},.*,${sold.machine},[^,]*,[^,]*$`, 'm'));
    expect((await counter.poll()).news.reviews).toBe(0);
    expect((await run('reconcile', '--json')).json()).toMatchObject({ ok: true });
  });

  test('may be two: the operator names one', async () => {
    const id = await sale();
    await dispense(id, sold.machine, { dispensed_1: 4 });
    await dispense(id, fetched.machine, { dispensed_1: 6 });
    const before = await fetched.remaining('bob');
    await counter.poll();
    expect(await inReview(id)).toMatchObject({
      reason: 'several-machines',
      detail: `dispense at ${sold.machine}: 80 USD; dispense at ${fetched.machine}: 120 USD`,
      commands: [
        `aio-dca settle ${id} --machine … --fiat "… USD" --reason "…"`,
        expect.stringContaining('review dismiss'),
      ],
    });
    const asked = await run('settle', id, '--reason', 'two', '--fiat', '120 USD', '--yes');
    expect(asked).toMatchObject({ code: 64 });
    expect(asked.stderr).toContain('--machine: Lamassu names several machines');
    // The whole of it came out of neither.
    const whole = await run('settle', id, '--machine', fetched.machine, '--reason', 'two', '--yes');
    expect(whole).toMatchObject({ code: 64 });
    expect(whole.stderr).toContain('--fiat: it is not known how much cash came out');
    const settle = [
      'settle',
      id,
      '--machine',
      fetched.machine,
      '--fiat',
      '120 USD',
      '--reason',
      'the part of this one',
    ];
    expect((await run(...settle, '--yes', '--json')).json()).toMatchObject({
      ...{ machine: fetched.machine, begun_at_machine: sold.machine, fiat: '120.00', gross_sats: 211_700 },
    });
    expect((await run(...settle)).stdout).toContain('nothing was changed');
    expect((await fetched.remaining('bob')).spent).toBe(before.spent + 120_00n);
    expect((await run('reconcile', '--json')).json()).toMatchObject({ ok: true });
    // The operator cannot override what Lamassu says.
    const jam = await sold.jammed();
    const refused = await run('settle', jam, '--machine', fetched.machine, '--reason', 'no', '--yes');
    expect(refused.stderr).toContain(`the cash came out of ${sold.machine}`);
  });

  test('a dispense that was logged twice is shown one by one, and not added up', async () => {
    const id = await sold.jammed();
    await dispense(id, sold.machine, { action: 'dispenseError' });
    await counter.poll();
    const page = (await run('review', 'show', id)).stdout.replaceAll(/\s+/g, ' ');
    expect(page).toContain('Lamassu logged 2 dispenses, which may be one and the same: 200 USD at');
    expect((await inReview(id)).commands[0]).toBe(`aio-dca settle ${id} --fiat "… USD" --reason "…"`);
    const unsaid = await run('settle', id, '--reason', 'jam', '--yes');
    expect(unsaid).toMatchObject({ code: 64 });
    expect(unsaid.stderr).toContain('--fiat: it is not known how much cash came out');
    const said = await run('settle', id, '--reason', 'jam', '--fiat', '200 USD', '--dry-run');
    expect(said.stdout).toContain('It was logged more than once, and is not added up:');
    expect(said.stdout.split(`dispenseError at ${sold.machine}: 200 USD`)).toHaveLength(3);
  });

  test('a count of no notes is a count: the row can only be dismissed', async () => {
    const id = await sale({ dispense_confirmed: false, error: 'jam' });
    await dispense(id, sold.machine, { action: 'dispenseError', dispensed_1: 0 });
    await counter.poll();
    const { detail, commands } = await inReview(id);
    expect(detail).toBe('error "jam", error_code null; Lamassu counted no notes out');
    expect(commands).toEqual([
      `aio-dca review dismiss ${id} --reason "…"`,
      `aio-dca settle ${id} --fiat "… USD" --reason "…"`,
    ]);
    const refused = await run('settle', id, '--reason', 'jam', '--yes');
    expect(refused.stderr).toContain(
      '--fiat: Lamassu counted no notes out, so there is nothing to distribute',
    );
    expect((await run('settle', id, '--reason', 'jam', '--fiat', '40 USD', '--dry-run')).code).toBe(0);
  });

  test('dispensed and not confirmed goes to review after an hour; confirmed later it is distributed', async () => {
    const id = await sale({ dispense_confirmed: false, confirmed_at: ago(2), created: ago(2.1) });
    await dispense(id, sold.machine, { dispensed_1: 5, created: ago(0.9) });
    const alice = await sold.remaining('alice');
    expect((await counter.poll()).news.reviews).toBe(0);
    await counter.world.lamassu.query('update cash_out_actions set created = $2 where tx_id = $1', [
      id,
      ago(1.1),
    ]);
    expect((await counter.poll()).news.reviews).toBe(1);
    expect(await inReview(id)).toMatchObject({
      reason: 'dispense-unconfirmed',
      detail: expect.stringMatching(/^100 of 200 USD came out; dispensing began by /),
      commands: [`aio-dca settle ${id} --reason "…"`, expect.any(String)],
    });
    expect((await counter.poll()).news.reviews).toBe(0);
    await counter.world.lamassu.query('update cash_out_txs set dispense_confirmed = true where id = $1', [
      id,
    ]);
    await counter.poll();
    expect((await sold.remaining('alice')).spent).toBe(alice.spent + 200_00n);
    expect((await inReview(id)) as object).toMatchObject({ state: 'processed' });
  });

  test('a commission below zero: the clients get all that was paid', async () => {
    const id = await sale({
      commission_percentage: '-0.05',
      crypto_atoms: '190000',
      received_crypto_atoms: '190000',
    });
    await counter.poll();
    const { reason, detail, commands } = await inReview(id);
    expect([reason, detail]).toEqual([
      'negative-commission',
      expect.stringContaining(
        'the cash was worth 200,000 sat, and only 190,000 were paid: 10,000 are missing',
      ),
    ]);
    expect(commands[0]).toBe(`aio-dca settle ${id} --commission "0 sat" --reason "…"`);
    const done = await run(
      'settle',
      id,
      '--commission',
      '0 sat',
      '--reason',
      'our mistake',
      '--yes',
      '--json',
    );
    expect(done.json()).toMatchObject({ net_sats: 190_000, commission_sats: 0 });
  });

  test('a machine that was unpaired before the ledger knew it has its name', async () => {
    const { lamassu } = counter.world;
    const machine = randomUUID();
    await pairMachine(lamassu, `Harbour ${ledger}`, machine);
    await unpairMachine(lamassu, machine);
    await sale({ device_id: machine });
    await counter.poll();
    const list = (await run('machines', 'list', '--json')).json<
      { device_id: string; name: string | null }[]
    >();
    expect(list).toContainEqual(expect.objectContaining({ name: `Harbour ${ledger}` }));
  });

  test('one of several machines that was unpaired before it was seen can be named', async () => {
    const { lamassu } = counter.world;
    const machine = randomUUID();
    await pairMachine(lamassu, `Pier ${ledger}`, machine);
    await unpairMachine(lamassu, machine);
    const id = await sale();
    await dispense(id, sold.machine, { dispensed_1: 4 });
    await dispense(id, machine, { dispensed_1: 6 });
    await counter.poll();
    const settle = ['settle', id, '--machine', `Pier ${ledger}`, '--fiat', '120 USD', '--reason', 'this one'];
    expect((await run(...settle, '--yes', '--json')).json()).toMatchObject({ machine, own_fiat: '120.00' });
  });

  test('a cash-out that an earlier version divided by the other machine is not reported as changed; reconcile names it once', async () => {
    const id = await sale({ confirmed_at: ago(3), created: ago(3.1) });
    await counter.poll();
    // As that version left it: it did not read the log.
    await dispense(id, fetched.machine);
    await forgetActions(counter, id);
    expect((await counter.poll()).news.reviews).toBe(0);
    const told = (await run('reconcile', '--json')).json<{ differences: { code: string; what: string }[] }>();
    expect(told.differences.filter(({ code }) => code !== 'day/sums')).toEqual([
      expect.objectContaining({ code: 'cash-out/other-machine', what: `cash-out ${id}` }),
    ]);
    const accepted = await run('review', 'dismiss', id, '--reason', 'settled with both');
    expect(accepted).toMatchObject({ code: 0 });
    expect(accepted.stdout).toContain('what was distributed stands as it is');
    expect((await run('reconcile', '--json')).json()).toMatchObject({ ok: true, checked: { accepted: 1 } });
    expect((await counter.poll()).news.reviews).toBe(0);
  });
});

/** Takes from a processed row what only this version reads. */
async function forgetActions({ world }: Counter, id: string): Promise<void> {
  const postgres = world.ledgerUrl.startsWith('postgres');
  const [row] = await ledgerSql(world.ledgerUrl, `select lamassu from cash_outs where id = '${id}'`);
  const { actions: _, ...rest } = JSON.parse(`${row?.lamassu}`) as Record<string, unknown>;
  const set = `update cash_outs set lamassu = '${JSON.stringify(rest)}' where id = '${id}'`;
  if (postgres) {
    await ledgerSql(world.ledgerUrl, 'alter table cash_outs disable trigger cash_outs_are_final');
    await ledgerSql(world.ledgerUrl, set);
    await ledgerSql(world.ledgerUrl, 'alter table cash_outs enable trigger cash_outs_are_final');
    return;
  }
  const [trigger] = await ledgerSql(
    world.ledgerUrl,
    `select sql from sqlite_master where name = 'cash_outs_are_final'`,
  );
  await ledgerSql(world.ledgerUrl, 'drop trigger cash_outs_are_final');
  await ledgerSql(world.ledgerUrl, set);
  await ledgerSql(world.ledgerUrl, `${trigger?.sql}`);
}
