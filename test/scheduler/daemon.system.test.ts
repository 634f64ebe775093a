import { Writable } from 'node:stream';
import { pino } from 'pino';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { type Ledger, openLedger } from '../../src/ledger/store/open.ts';
import { cronLines, runDaemon } from '../../src/scheduler/daemon.ts';
import { systemClock } from '../../src/time.ts';
import { pairMachine } from '../support/lamassu.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { until } from '../support/ssh.ts';
import { startWorld, type World, type WorldOptions } from '../support/world.ts';

let world: World;

afterEach(() => world?.stop());

/** An installation whose schedule ticks every second. */
async function installation(options: WorldOptions = {}): Promise<Config> {
  world = await startWorld({ tunnel: 'direct', ...options });
  await pairMachine(world.lamassu, 'Antigua');
  await world.must(['migrate']);
  const config = loadConfig(world.configFile, {});
  // node-cron knows seconds; config.toml, on purpose, does not.
  config.schedule.poll = '* * * * * *';
  return config;
}

interface Line {
  level: number;
  msg: string;
  code?: string;
}

/** The daemon in this process, until the end of the test or `stop`. */
function start(config: Config) {
  const stop = new AbortController();
  const lines: Line[] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(JSON.parse(chunk.toString()) as Line);
      done();
    },
  });
  const ended = runDaemon({
    config,
    clock: systemClock,
    who: { principal: OPERATOR, actor: 'daemon' },
    log: pino({ level: 'debug' }, sink),
    signal: stop.signal,
    withLedger: async <T>(work: (ledger: Ledger) => Promise<T>) => {
      const ledger = await openLedger({
        clock: systemClock,
        ...config.ledger,
        password: config.ledger.password,
        use: 'write',
      });
      try {
        return await work(ledger);
      } finally {
        await ledger.close();
      }
    },
  });
  // Looked at by the test that expects it to fail.
  ended.catch(() => undefined);
  onTestFinished(async () => {
    stop.abort();
    await ended.catch(() => undefined);
  });
  const seen = (message: string) => lines.filter(({ msg }) => msg.includes(message)).length;
  return { stop: () => stop.abort(), ended, lines, seen };
}

function runs(): Promise<Record<string, unknown>[]> {
  return ledgerSql(world.ledgerUrl, 'select kind, actor, outcome from runs order by id');
}

test('ticks at the schedule and at the times of fixed mode', () => {
  const lines = cronLines({ schedule: { poll: '*/5 * * * *' }, fixed: { times: ['12:00', '07:30'] } });
  expect(lines).toEqual(['*/5 * * * *', '0 12 * * *', '30 7 * * *']);
});

test('runs at the start and again at each tick, and holds no lease in between', async () => {
  const config = await installation();
  await world.addClient('alice');
  await world.addFunding('alice', '5000 GTQ');
  const daemon = start(config);
  await until(() => daemon.seen('run ends') >= 1, 'the first run ends');
  await world.insertCashOut();
  await until(
    async () => (await world.balance(world.wallets.get('alice') ?? world.source)) === 484_207n,
    'alice is paid',
  );
  await until(() => daemon.seen('run ends') >= 2, 'the run that paid alice ends');
  daemon.stop();
  await daemon.ended;
  expect((await runs()).slice(0, 2)).toEqual([
    { kind: 'poll', actor: 'daemon', outcome: 'ok' },
    { kind: 'poll', actor: 'daemon', outcome: 'ok' },
  ]);
  expect(await ledgerSql(world.ledgerUrl, 'select * from lease')).toEqual([]);
});

test('a tick during a run is skipped, not queued', async () => {
  const config = await installation();
  await world.addClient('alice');
  const daemon = start(config);
  await until(() => daemon.seen('run ends') >= 1, 'the first run ends');
  // Reading waits for this lock.
  await world.lamassu.query('begin; lock table cash_out_txs in access exclusive mode');
  const before = daemon.seen('run begins');
  await until(() => daemon.seen('tick skipped') >= 2, 'two ticks were skipped');
  expect(daemon.seen('run begins') - before).toBeLessThanOrEqual(1);
  const ended = daemon.seen('run ends');
  await world.lamassu.query('commit');
  await until(() => daemon.seen('run ends') > ended, 'the run ends');
  expect(daemon.seen('run begins') - before).toBeLessThanOrEqual(2);
});

describe('a failed run', () => {
  test('with a mistake that no retry will help ends the daemon, if it is the first', async () => {
    const daemon = start(await installation());
    await expect(daemon.ended).rejects.toMatchObject({ code: 'ledger/no-clients', kind: 'misconfigured' });
  });

  test('also where the run itself could be finished', async () => {
    const config = await installation();
    await world.addClient('alice');
    await world.lamassu.query('alter table cash_out_txs drop column fiat_code');
    const daemon = start(config);
    await expect(daemon.ended).rejects.toMatchObject({ code: 'lamassu/column-missing' });
  });

  test('is logged if it is a later run, and the next tick tries again', async () => {
    const config = await installation();
    await world.addClient('alice');
    const daemon = start(config);
    await until(() => daemon.seen('run ends') >= 1, 'the first run ends');
    await world.lamassu.query('alter table cash_out_txs rename column fiat_code to gone');
    await until(() => daemon.lines.some(({ code }) => code === 'lamassu/column-missing'), 'it is logged');
    await world.lamassu.query('alter table cash_out_txs rename column gone to fiat_code');
    await until(async () => (await runs()).at(-1)?.outcome === 'ok', 'a run is fine again');
    expect(daemon.lines.find(({ code }) => code === 'lamassu/column-missing')).toMatchObject({ level: 50 });
  });

  test('as Lamassu or LNbits cannot be reached does not end it, even the first', async () => {
    const config = await installation();
    await world.addClient('alice');
    const [base] = await world.lamassu.query('select current_database() as name');
    await world.lamassu.query(`alter database "${base?.name}" connection limit 0`);
    const daemon = start(config);
    await until(() => daemon.seen('run ends') >= 1, 'the first run ends');
    expect((await runs())[0]).toMatchObject({ outcome: 'incomplete' });
    await world.lamassu.query(`alter database "${base?.name}" connection limit -1`);
    await until(async () => (await runs()).at(-1)?.outcome === 'ok', 'a run is fine again');
  });

  test('as another run is going on is no error', async () => {
    const config = await installation();
    await world.addClient('alice');
    await world.lamassu.query('begin; lock table cash_out_txs in access exclusive mode');
    const other = world.start(['poll']);
    await until(async () => (await runs()).length === 1, 'another run has the lease');
    const daemon = start(config);
    await until(() => daemon.lines.some(({ code }) => code === 'run/busy'), 'it is told');
    expect(daemon.lines.find(({ code }) => code === 'run/busy')).toMatchObject({ level: 30 });
    await world.lamassu.query('commit');
    expect((await other.ended).code).toBe(0);
    await until(() => daemon.seen('run ends') >= 1, 'its turn has come');
  });

  test('as the server of the ledger went away is followed by one that finds it again', async () => {
    const config = await installation({ ledger: 'postgresql' });
    await world.addClient('alice');
    const daemon = start(config);
    await until(() => daemon.seen('run ends') >= 1, 'the first run ends');
    const name = new URL(world.ledgerUrl).pathname.slice(1);
    await world.lamassu.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
    );
    await renamed(name, `${name}_away`);
    const errors = () => daemon.lines.filter(({ code }) => code?.startsWith('ledger/')).length;
    await until(() => errors() >= 1, 'it is logged');
    await renamed(`${name}_away`, name);
    const ended = daemon.seen('run ends');
    // Where a run was cut off, its lease has to expire first.
    await until(() => daemon.seen('run ends') > ended, 'a run is fine again', 90_000);
  }, 180_000);
});

/** A database can be renamed only while nobody is connected to it. */
async function renamed(from: string, to: string): Promise<void> {
  await until(async () => {
    try {
      await world.lamassu.query(`alter database "${from}" rename to "${to}"`);
      return true;
    } catch {
      return false;
    }
  }, `${from} is ${to}`);
}
