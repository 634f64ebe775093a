import { readFile, writeFile } from 'node:fs/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { ingest } from '../../src/ledger/cash-outs/ingest.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { openLedger } from '../../src/ledger/store/open.ts';
import { type Instant, plus, systemClock } from '../../src/time.ts';
import { bootless, now } from '../support/clock.ts';
import { MACHINE, pairMachine } from '../support/lamassu.ts';
import { ledgerKinds } from '../support/ledgers.ts';
import { startWorld, type World } from '../support/world.ts';

const HOUR = 3_600_000;

/** The time of day in Guatemala, as `[fixed] times` has it. */
function clock(at: Instant): string {
  const zone = {
    timeZone: 'America/Guatemala',
    hourCycle: 'h23',
    hour: '2-digit',
    minute: '2-digit',
  } as const;
  return new Intl.DateTimeFormat('en-US', zone).format(new Date(at));
}

describe.each(ledgerKinds)('fixed mode on %s', (kind) => {
  let world: World;

  afterEach(async () => {
    await world.must(['verify']);
    await world.stop();
  });

  /** Felix, fixed, 500 GTQ a day, with 5,000 GTQ in the machine; the next payment is due in three hours. */
  const begin = async () => {
    world = await startWorld({
      tunnel: 'direct',
      ledger: kind,
      config: `[fixed]\ntimes = ["${clock(plus(now(), 3 * HOUR))}"]`,
    });
    await pairMachine(world.lamassu, 'Antigua');
    await world.must(['migrate']);
    const felix = await world.addClient('felix', ['--mode', 'fixed', '--daily-limit', '500 GTQ']);
    await world.addFunding('felix', '5000 GTQ');
    return felix;
  };
  const configure = async (pattern: RegExp, line: string) => {
    const text = await readFile(world.configFile, 'utf8');
    await writeFile(world.configFile, text.replace(pattern, line), { mode: 0o600 });
  };
  const paidAt = (at: Instant) => configure(/^times = .*$/m, `times = ["${clock(at)}"]`);

  test('waits for its time; `fixed run` pays it now, and once', async () => {
    const felix = await begin();
    await world.insertCashOut();
    expect((await world.must(['poll', '--json'])).json()).toMatchObject({
      distributed: { cash_outs: 1, net_sats: 60_526 },
      payouts: { settled: 0 },
    });
    const status = (await world.must(['status', '--json'])).json();
    expect(status).toMatchObject({ owed: { payouts: 0, sats: 60_526, waiting_sats: 60_526 } });
    const wait = { recipient: 'felix', sats: 60_526, reason: 'fixed-time', until: expect.any(String) };
    expect(status).toMatchObject({ waits: [wait] });
    expect((await world.must(['clients', 'show', 'felix', '--json'])).json()).toMatchObject({
      waits: [wait],
    });
    expect((await world.must(['clients', 'show', 'felix'])).stdout).toMatch(
      /^ {2}felix {2}60,526 sat {2}until \d{4}-.* GMT-6, the next time of fixed/m,
    );
    const ran = await world.must(['fixed', 'run', '--json']);
    expect(ran.json()).toMatchObject({
      outcome: 'ok',
      payouts: { settled: 1, planned: 0, deferred: 0, unknown: 0, held: 0, sats_settled: 60_526 },
      problems: [],
    });
    // Figures that only a reading of Lamassu has are absent.
    expect(ran.json()).not.toHaveProperty('source');
    expect(await world.balance(felix)).toBe(60_526n);
    expect((await world.must(['fixed', 'run'])).stdout).toContain('Nothing was due, so nothing was paid.');
    expect(await world.balance(felix)).toBe(60_526n);
  });

  test('is paid by the poll after its time, even if the bridge was off then', async () => {
    const felix = await begin();
    await paidAt(plus(now(), -60_000));
    await world.insertCashOut();
    expect((await world.must(['poll', '--json'])).json()).toMatchObject({ payouts: { settled: 1 } });
    expect((await world.must(['poll', '--json'])).json()).toMatchObject({ payouts: { settled: 0 } });
    expect(await world.balance(felix)).toBe(60_526n);
  });

  test('is paid at its time while Lamassu cannot be reached', async () => {
    const felix = await begin();
    const ledger = await openLedger({ clock: systemClock, url: world.ledgerUrl, use: 'write' });
    await ledger.write((trx) =>
      ingest(
        trx,
        { principal: OPERATOR, actor: 'ingest', run: null, clock: bootless, at: plus(now(), -HOUR) },
        {
          ...{ id: 'c1', source: 'lamassu', machine: MACHINE, confirmedAt: plus(now(), -2 * HOUR) },
          ...{
            currency: 'GTQ',
            digits: 2,
            fiat: 50_000n,
            distributed: 60_000n,
            commission: 0n,
            undelivered: 0n,
          },
          ...{ method: 'ticker' as const, lamassu: {} },
        },
        {
          ...{ timezone: 'America/Guatemala', priority: 'shared' as const },
          origin: 'lamassu',
        },
      ),
    );
    await ledger.close();
    await paidAt(plus(now(), -60_000));
    await configure(/^database = .*$/m, 'database = "nowhere"');
    const ran = await world.aioDca(['poll', '--json']);
    expect(ran.code).toBe(78);
    expect(ran.json()).toMatchObject({ payouts: { settled: 1, sats_settled: 60_000 } });
    expect(await world.balance(felix)).toBe(60_000n);
  });

  test('is not paid while paying is paused, and says so', async () => {
    const felix = await begin();
    await world.insertCashOut();
    await world.must(['poll']);
    await world.must(['payouts', 'pause', '--reason', 'moving']);
    const ran = await world.aioDca(['fixed', 'run', '--json']);
    expect(ran.code).toBe(75);
    expect(ran.json()).toMatchObject({
      error: { code: 'payouts/paused', message: expect.stringContaining('moving') },
    });
    expect(await world.balance(felix)).toBe(0n);
    await world.must(['payouts', 'resume']);
    await world.must(['fixed', 'run']);
    expect(await world.balance(felix)).toBe(60_526n);
  });

  test('LNbits not there: exit 75, and the next one pays', async () => {
    const felix = await begin();
    await world.insertCashOut();
    await world.must(['poll']);
    await world.lnbits.stop();
    const ran = await world.aioDca(['fixed', 'run', '--json']);
    expect(ran.code).toBe(75);
    expect(ran.json()).toMatchObject({ problems: [{ code: 'lnbits/unreachable' }] });
    await world.simulator().start();
    await world.must(['fixed', 'run']);
    expect(await world.balance(felix)).toBe(60_526n);
  });
});
