import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Command, RunOptions } from '../../support/command.ts';
import { fork } from '../../support/fork.ts';
import { finish } from '../../support/kill.ts';
import { ledgerSql } from '../../support/ledger-sql.ts';
import type { World, WorldOptions } from '../../support/world.ts';
import { twoClients } from './faulty.ts';

/*
 * The clock of the bridge's host is wrong for a run, or becomes wrong in the middle of one, and is right again for the
 * next: the others' clocks are right all the time. One client is in fixed mode: the next of its times comes soon by a
 * clock that is right and has come by one that is ahead, and of its daily limit an earlier cash-out took the most.
 */

vi.setConfig({ maxConcurrency: 8, testTimeout: 120_000 });

const HOUR = 3_600_000;
const TIMEZONE = 'America/Guatemala';
const DAILY_LIMIT = 1_500n;
const shifts: [string, number][] = [
  ['a day ahead', 24 * HOUR],
  ['an hour ahead', HOUR],
  ['an hour behind', -HOUR],
  ['a day behind', -24 * HOUR],
];
/** Everything is paid, fixed mode by command, and no client gets more than the daily limit. */
const settled = async (world: World) => {
  for (const [day, cash] of await cashByDay(world, 'fay'))
    expect(cash, `the cash of ${day}`).toBeLessThanOrEqual(DAILY_LIMIT * 100n);
  expect(await finish(world, [], { next: [['fixed', 'run', '--json']] })).toEqual([]);
};

/** A run asks for nothing that takes long here, and never waits for a clock. */
const RUN_S = 60;

const preload = new URL('../../support/clock-shift.mjs', import.meta.url).href;
const shifted = (ms: number): RunOptions => ({ node: ['--import', preload], env: { CLOCK_SHIFT: `${ms}` } });
const jumping = (ms: number): RunOptions => ({
  node: ['--import', preload],
  env: { CLOCK_SHIFT: `${ms}`, CLOCK_JUMPS: '1' },
});

async function jump({ child }: Command): Promise<void> {
  const jumped = new Promise<void>((resolve) => {
    child.stderr?.on('data', (text: string) => {
      if (text.includes('the clock jumped')) resolve();
    });
  });
  child.kill('SIGUSR2');
  await jumped;
}

describe.concurrent.each<WorldOptions>([
  { lnbitsVersion: '1.6.2', ledger: 'sqlite' },
  { lnbitsVersion: '1.0.0', ledger: 'postgresql' },
])('LNbits $lnbitsVersion, a ledger in $ledger', (options) => {
  let template: World;
  beforeAll(async () => {
    const time = new Intl.DateTimeFormat('sv-SE', { timeZone: TIMEZONE, timeStyle: 'short' });
    const soon = time.format(new Date(Date.now() + HOUR / 2));
    template = await twoClients({ ...options, config: `[fixed]\ntimes = ["${soon}"]` });
    await template.addClient('fay', ['--mode', 'fixed', '--daily-limit', `${DAILY_LIMIT} GTQ`]);
    await template.addFunding('fay', '2500 GTQ');
    await template.must(['poll']);
    const sats = { crypto_atoms: '256200', received_crypto_atoms: '256200' };
    await template.insertCashOut({ fiat: '2000.00000', ...sats });
  });
  afterAll(async () => {
    await template?.stop();
  });
  const inCopy = async (work: (world: World) => Promise<void>) => {
    const world = await fork(template);
    try {
      await work(world);
    } finally {
      await world.stop();
    }
  };

  test.each(shifts)('a run by a clock that is %s', async (_, ms) => {
    await inCopy(async (world) => {
      const ran = await world.aioDca(['poll', '--json'], shifted(ms));
      expect(ran.code, ran.stdout + ran.stderr).toBe(2);
      expect(ran.json()).toMatchObject({
        payouts: { settled: ms > 0 ? 3 : 2 },
        problems: expect.arrayContaining([expect.objectContaining({ code: 'clock/differs' })]),
      });
      await settled(world);
      // Between two runs it was set, and what the later one finds is of the future or long past.
      expect((await world.aioDca(['poll', '--json'], shifted(-ms))).code).toBe(2);
      await world.must(['verify']);
    });
  });

  test.each(shifts)('the clock is %s from the first payment on', async (_, ms) => {
    await inCopy(async (world) => {
      const command = world.start(['poll', '--json'], jumping(ms));
      let jumped = false;
      world.simulator().onRequest = async ({ kind }, phase) => {
        if (jumped || kind !== 'pay' || phase !== 'before') return;
        jumped = true;
        await jump(command);
      };
      const ran = await command.ended;
      expect(jumped).toBe(true);
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
      await settled(world);
    });
  });

  const losses = (['before', 'after'] as const).flatMap((lostAt) =>
    shifts.map(([clock, ms]) => [lostAt, clock, ms] as const),
  );
  test.each(losses)('LNbits is lost %s a payment by a clock that is %s', async (lostAt, _, ms) => {
    await inCopy(async (world) => {
      let lost = false;
      const simulator = world.simulator();
      simulator.onRequest = ({ kind }, phase) => {
        if (kind === 'pay' && phase === lostAt) lost = true;
        return lost ? 'drop' : undefined;
      };
      const begun = performance.now();
      const ran = await world.aioDca(['poll', '--json'], shifted(ms));
      expect((performance.now() - begun) / 1_000).toBeLessThan(RUN_S);
      expect(ran.code, ran.stdout + ran.stderr).toBe(75);
      expect(ran.json()).toMatchObject({ payouts: { unknown: 1 } });
      simulator.onRequest = undefined;
      await settled(world);
    });
  });
});

/** What went out of a client's cash, in minor units, by the day of the cash-outs. */
async function cashByDay(world: World, name: string): Promise<Map<string, bigint>> {
  const rows = await ledgerSql(
    world.ledgerUrl,
    `select a.fiat, c.confirmed_at from allocations a join cash_outs c on c.id = a.cash_out_id
     join fundings f on f.id = a.funding_id join recipients r on r.id = f.client_id where r.name = $1`,
    [name],
  );
  expect(rows.length).toBeGreaterThan(1);
  const day = new Intl.DateTimeFormat('sv-SE', { timeZone: TIMEZONE });
  const cash = new Map<string, bigint>();
  for (const row of rows) {
    const date = day.format(new Date(`${row.confirmed_at}`));
    cash.set(date, (cash.get(date) ?? 0n) + BigInt(`${row.fiat}`));
  }
  return cash;
}
