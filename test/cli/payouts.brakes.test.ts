import { appendFile } from 'node:fs/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { ledgerKinds } from '../support/ledgers.ts';
import { startWorld, type World, type WorldOptions } from '../support/world.ts';

describe.each(ledgerKinds)('brakes on %s', (ledger) => {
  let world: World;

  afterEach(async () => {
    await world.must(['verify']);
    await world.stop();
  });

  /** Alice and bob with 10,000 GTQ each; one cash-out gives each of them 242,103 or 242,104 sat. */
  const begin = async (options: WorldOptions = {}) => {
    world = await startWorld({ tunnel: 'direct', ledger, ...options });
    await world.must(['migrate']);
    for (const name of ['alice', 'bob']) {
      await world.addClient(name);
      await world.addFunding(name, '10000 GTQ');
    }
    await world.insertCashOut();
  };
  const balances = () => Promise.all([...world.wallets.values()].map((wallet) => world.balance(wallet)));
  const states = async () =>
    (await world.must(['payouts', 'list', '--json'])).json<{ state: string }[]>().map((one) => one.state);

  test('more than the daily ceiling waits for `payouts release`', async () => {
    await begin({ payouts: 'daily_ceiling_sats = 300000' });
    const first = await world.aioDca(['poll', '--json']);
    expect(first.code).toBe(2);
    expect(first.json()).toMatchObject({ payouts: { settled: 1, held: 1 } });
    expect((await world.aioDca(['poll', '--json'])).json()).toMatchObject({
      payouts: { settled: 0, held: 1 },
    });
    const status = await world.aioDca(['status', '--json']);
    expect(status.code).toBe(2);
    expect(status.json()).toMatchObject({ attention: { held: 1 } });
    const [held] = (await world.must(['payouts', 'list', '--state', 'held', '--json'])).json<
      { id: string; reason: string }[]
    >();
    expect(held?.reason).toContain('daily_ceiling_sats, 300,000 sat');
    await world.must(['payouts', 'release', held?.id ?? '']);
    expect((await world.must(['poll', '--json'])).json()).toMatchObject({ payouts: { settled: 1, held: 0 } });
    expect((await balances()).toSorted()).toEqual([242_103n, 242_104n]);
  });

  test('`payouts hold --all` holds every open payout, with its reason, until each is released', async () => {
    await begin({ sats: 1n });
    expect((await world.aioDca(['poll'])).code).toBe(75);
    const held = await world.must([
      '--actor',
      'dora',
      'payouts',
      'hold',
      '--all',
      '--reason',
      'odd',
      '--json',
    ]);
    expect(held.json()).toEqual({ held: ['p1', 'p2'] });
    await world.lnbits.topUp(world.source.id, 1_000_000n);
    expect((await world.aioDca(['poll', '--json'])).json()).toMatchObject({
      payouts: { settled: 0, held: 2 },
    });
    expect((await world.must(['payouts', 'show', 'p1', '--json'])).json()).toMatchObject({
      state: 'held',
      reason: 'odd',
    });
    const log = (await world.must(['log', '--actor', 'dora', '--json'])).json<{ subject: string }[]>();
    expect(new Set(log.map((one) => one.subject))).toEqual(new Set(['p1', 'p2']));
    const asked = await world.aioDca(['payouts', 'release', '--all']);
    expect(asked.code).toBe(64);
    expect(asked.stderr).toContain('--yes');
    expect(await states()).toEqual(['held', 'held']);
    const released = await world.must(['payouts', 'release', '--all', '--yes', '--json']);
    expect(released.json()).toEqual({ released: ['p1', 'p2'] });
    expect((await world.must(['payouts', 'release', '--all'])).stdout).toContain('No payout is held');
    const none = await world.must(['payouts', 'release', '--all', '--yes', '--json']);
    expect(none.json()).toEqual({ released: [] });
    await world.must(['poll']);
    expect(await states()).toEqual(['settled', 'settled']);
    expect((await world.must(['payouts', 'hold', '--all'])).stdout).toContain('No payout is open');
  });

  test('`payouts hold --all` holds what is due and in no payout yet, and a resumed bridge does not pay it', async () => {
    await begin();
    await world.must(['payouts', 'pause', '--reason', 'odd']);
    await world.must(['poll']);
    expect((await world.must(['payouts', 'hold', '--all', '--json'])).json()).toEqual({ held: ['p1', 'p2'] });
    await world.must(['payouts', 'resume']);
    expect((await world.aioDca(['poll', '--json'])).json()).toMatchObject({
      payouts: { settled: 0, held: 2 },
    });
    expect(await balances()).toEqual([0n, 0n]);
    await world.must(['payouts', 'release', '--all', '--yes']);
    expect((await world.must(['poll', '--json'])).json()).toMatchObject({ payouts: { settled: 2, held: 0 } });
  });

  test('each run reports what a pause holds back; it needs the operator once it is due for too long', async () => {
    await begin();
    await world.must(['--actor', 'dora', 'payouts', 'pause', '--reason', 'odd sums']);
    const poll = await world.must(['poll']);
    expect(poll.stdout.replace(/\s+/g, ' ')).toMatch(
      /Paying is paused by dora since \S+ \S+ GMT-6: odd sums\. 484,207 sat that could be paid wait\./,
    );
    expect((await world.must(['poll', '--json'])).json()).toMatchObject({
      outcome: 'ok',
      paused: true,
      pause: { by: 'dora', reason: 'odd sums', waiting_sats: 484_207 },
    });
    expect((await world.must(['status', '--json'])).json()).toMatchObject({
      owed: { overdue_sats: 0 },
      attention: { aged: 0 },
    });
    await appendFile(world.configFile, '[attention]\npayout_after = "1 ms"\n');
    const status = await world.aioDca(['status']);
    expect(status.code).toBe(2);
    expect(status.stdout).toMatch(/484,207 sat due for too long, but paused\s+aio-dca payouts resume/);
    expect((await world.aioDca(['status', '--json'])).json()).toMatchObject({
      owed: { overdue_sats: 484_207 },
      attention: { aged: 2 },
    });
    expect((await world.must(['metrics'])).stdout).toContain('aio_dca_attention{reason="aged"} 2');
    await world.must(['payouts', 'resume']);
    expect((await world.must(['poll', '--json'])).json()).toMatchObject({ paused: false, pause: null });
    expect((await world.must(['status', '--json'])).json()).toMatchObject({ attention: { aged: 0 } });
  });

  test('sums below the minimum wait as long as it takes, and are not overdue', async () => {
    await begin({ payouts: 'minimum_sats = 300000', config: '[attention]\npayout_after = "1 ms"' });
    await world.must(['poll']);
    expect((await world.must(['status', '--json'])).json()).toMatchObject({
      owed: { waiting_sats: 484_207, overdue_sats: 0 },
    });
  });

  test('a hold and a release name one payout, or all', async () => {
    await begin();
    for (const args of [
      ['hold', '--reason', 'x'],
      ['hold', 'p1', '--all', '--reason', 'x'],
      ['release'],
      ['release', 'p1', '--all'],
    ]) {
      const ran = await world.aioDca(['payouts', ...args, '--json']);
      expect(ran.code).toBe(64);
      expect(ran.json()).toMatchObject({ error: { code: 'usage/invalid' } });
    }
  });
});
