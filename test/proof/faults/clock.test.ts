import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Command, RunOptions } from '../../support/command.ts';
import { fork } from '../../support/fork.ts';
import { finish } from '../../support/kill.ts';
import type { World, WorldOptions } from '../../support/world.ts';
import { twoClients } from './faulty.ts';

/*
 * The clock of the bridge's host is wrong for a run, or becomes wrong in the middle of one, and is right again for the
 * next: the others' clocks are right all the time.
 */

vi.setConfig({ maxConcurrency: 8, testTimeout: 120_000 });

const HOUR = 3_600_000;
const shifts: [string, number][] = [
  ['a day ahead', 24 * HOUR],
  ['an hour ahead', HOUR],
  ['an hour behind', -HOUR],
  ['a day behind', -24 * HOUR],
];
/**
 * Only this says `verify` of a clock that went back while it paid, and it stays: the times in the books are not in order.
 * Nothing is lost or twice.
 */
const settled = async (world: World, wentBack: boolean) => {
  const wrong = await finish(world);
  const others = wrong.filter((one) => !one.startsWith('verify: payment/times: '));
  expect({ others, wentBack: wrong.length > others.length }).toEqual({ others: [], wentBack });
};

/** A run asks for nothing that takes long here, and never waits for a clock. */
const RUN_S = 30;

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
    template = await twoClients(options);
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
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
      expect(ran.json()).toMatchObject({ payouts: { settled: 2 }, problems: [] });
      expect(await finish(world)).toEqual([]);
      // Between two runs it was set, and what the later one finds is of the future or long past.
      await world.must(['poll', '--json'], shifted(-ms));
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
      await settled(world, ms < 0);
    });
  });

  test.each(shifts)('a payment is lost by a clock that is %s', async (_, ms) => {
    await inCopy(async (world) => {
      let lost = false;
      const simulator = world.simulator();
      simulator.onRequest = ({ kind }, phase) => {
        if (kind === 'pay' && phase === 'before') lost = true;
        return lost ? 'drop' : undefined;
      };
      const begun = performance.now();
      const ran = await world.aioDca(['poll', '--json'], shifted(ms));
      expect((performance.now() - begun) / 1_000).toBeLessThan(RUN_S);
      expect(ran.code, ran.stdout + ran.stderr).toBe(75);
      expect(ran.json()).toMatchObject({ payouts: { unknown: 1 } });
      simulator.onRequest = undefined;
      await settled(world, ms > 0);
    });
  });
});
