import { expect, test } from 'vitest';
import { commandOf } from '../../../src/cli/terminal/words.ts';
import { Secret } from '../../../src/config/secret.ts';
import { addClient, pauseClient } from '../../../src/ledger/clients/changes.ts';
import { bestTime, entryTime } from '../../../src/ledger/clocks/clocks.ts';
import { doubtsAt, restate, timeOfChange, wayOut } from '../../../src/ledger/clocks/doubts.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { startRun } from '../../../src/ledger/runs/lease.ts';
import { ledgerStatus } from '../../../src/ledger/status.ts';
import type { Ledger } from '../../../src/ledger/store/open.ts';
import { type HostClock, plus, systemClock, toInstant, toMs } from '../../../src/time.ts';
import { bootless, now } from '../../support/clock.ts';
import { forEachLedger } from '../../support/ledgers.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 24 * HOUR;
const who = { principal: OPERATOR, actor: 'test', run: null, clock: bootless, reason: 'the clock was wrong' };
const shifts = [MINUTE + 2_000, 6 * HOUR, YEAR].flatMap((ms) => [ms, -ms]);

/** The host's clocks; the one that can be set is wrong by `ms`. */
const off = (ms: number, more: Partial<HostClock> = {}): HostClock => {
  const right = systemClock.host();
  return { ...right, wall: right.wall + ms, boot: 'this boot', ...more };
};

/** A run that saw both clocks; Lamassu's wrong by `ms`. */
async function seen(ledger: Ledger, ms = 0, { wall, uptime } = systemClock.host()): Promise<void> {
  const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' }, 'lamassu');
  await ledger.db
    .updateTable('runs')
    .set({
      ...{ source_now: toInstant(wall + ms), host_now: toInstant(wall) },
      ...{ boot: 'this boot', uptime_ms: BigInt(uptime) },
    })
    .where('id', '=', run.id)
    .execute();
  await run.finish('ok', {});
}

forEachLedger((kind, open) => {
  test.each(shifts)(
    'a clock that is wrong by %i ms is refused in the boot in which a run saw Lamassu',
    async (ms) => {
      const ledger = await open();
      await seen(ledger);
      await expect(entryTime(ledger.db, off(ms))).rejects.toMatchObject({
        code: 'clock/differs',
        kind: 'attention',
      });
      expect(Math.abs(toMs(await bestTime(ledger.db, off(ms))) - Date.now())).toBeLessThan(5_000);
    },
  );

  test.each(shifts)(
    'after another boot a clock that is wrong by %i ms is refused if it went back',
    async (ms) => {
      const ledger = await open();
      const host = systemClock.host();
      await seen(ledger, 0, host);
      // A file knows no other clock: it is compared with the run's, however much later this is.
      const wall = kind === 'sqlite' && { wall: host.wall + ms };
      const entered = entryTime(ledger.db, off(ms, { ...wall, boot: 'another boot' }));
      // A server has another clock, with which the host's can be compared.
      if (ms < 0 || kind === 'postgresql')
        await expect(entered).rejects.toMatchObject({ code: 'clock/differs' });
      else expect(Math.abs(toMs(await entered) - Date.now() - ms)).toBeLessThan(5_000);
    },
  );

  test.each(shifts)(
    'if Lamassu’s clock was wrong by %i ms in the last run, no entry counts from now on',
    async (ms) => {
      const ledger = await open();
      await seen(ledger, ms);
      await expect(entryTime(ledger.db, off(0))).rejects.toMatchObject({ code: 'clock/differs' });
    },
  );

  test('less than a minute apart, an entry counts from a time of Lamassu’s clock', async () => {
    const ledger = await open();
    await seen(ledger, -40_000);
    const entered = toMs(await entryTime(ledger.db, off(0)));
    expect(Math.abs(entered - (Date.now() - 40_000))).toBeLessThan(5_000);
  });

  test('a setting that is ahead of now is named, blocks new ones, and can be corrected', async () => {
    const ledger = await open();
    const wallet = { id: 'w1', key: new Secret('key') };
    const client = { name: 'alice', wallet, mode: 'flow' as const, limits: [] };
    await ledger.write((trx) => addClient(trx, { ...who, at: now() }, client));
    const ahead = plus(now(), YEAR);
    await ledger.write((trx) => pauseClient(trx, { ...who, at: ahead }, 'alice', true));
    const [doubt, ...others] = await doubtsAt(ledger.db, now());
    expect(others).toEqual([]);
    expect(doubt).toMatchObject({ subject: 'client alice', at: ahead });
    expect(doubt && commandOf(wayOut(doubt))).toBe('aio-dca clock restate "client alice" --at "…"');
    const { host } = ledger.clock;
    await expect(
      ledger.write((trx) => timeOfChange(trx, host(), { fromNow: true, subject: 'client alice' })),
    ).rejects.toMatchObject({
      code: 'usage/invalid',
    });
    const since = plus(now(), -MINUTE);
    const again = (at: string) =>
      ledger.write((trx) => restate(trx, { ...who, at: now() }, 'client alice', at));
    await expect(again(plus(now(), HOUR))).rejects.toThrow('in the future');
    expect(await again(since)).toBe(1);
    await expect(again(since)).rejects.toThrow('nothing that was entered by a clock that was wrong');
    expect(await doubtsAt(ledger.db, now())).toEqual([]);
    const { db } = ledger;
    const rows = await db.selectFrom('client_settings').select(['from_at', 'paused']).orderBy('id').execute();
    expect(rows.at(-1)).toEqual({ from_at: since, paused: 1n });
  });

  test('an entry that a clock step of less than a minute leaves ahead of now needs no action', async () => {
    const ledger = await open();
    const wallet = { id: 'w1', key: new Secret('key') };
    const client = { name: 'alice', wallet, mode: 'flow' as const, limits: [] };
    await ledger.write((trx) => addClient(trx, { ...who, at: now() }, client));
    const at = now();
    await ledger.write((trx) => pauseClient(trx, { ...who, at: plus(at, 55_000) }, 'alice', true));
    expect(await doubtsAt(ledger.db, at)).toEqual([]);
    expect(await doubtsAt(ledger.db, plus(at, -6_000))).toHaveLength(1);
  });

  test('a success in the future is stale, a run from the future goes on for too long, a payout from the future is aged', async () => {
    const ledger = await open();
    const look = async (at: string) =>
      (
        await ledgerStatus(ledger.db, {
          ...{ now: at, host: systemClock.host(), source: 'lamassu', creditSource: false },
          ...{ staleBefore: plus(at, -2 * HOUR), agedBefore: plus(at, -24 * HOUR) },
        })
      ).attention;
    await seen(ledger);
    await ledger.db.updateTable('runs').set({ succeeded: 1n }).execute();
    expect(await look(plus(now(), MINUTE))).toMatchObject({ stale: false, overrun: false });
    expect(await look(plus(now(), -HOUR))).toMatchObject({ stale: true });
    await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' }, 'lamassu');
    expect(await look(plus(now(), 1_000))).toMatchObject({ stale: false, overrun: false });
    expect(await look(plus(now(), -HOUR))).toMatchObject({ overrun: true });
    expect(await look(plus(now(), 3 * HOUR))).toMatchObject({ overrun: true, stale: true });
  });
});
