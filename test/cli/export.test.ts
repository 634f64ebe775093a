import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandLine } from '../support/command.ts';
import { pairMachine } from '../support/lamassu.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { until } from '../support/ssh.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct', startAt: '2026-10-01T00:00:00-06:00' });
  await pairMachine(world.lamassu, 'Antigua');
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.addFunding('alice', '9000 GTQ', { at: '2026-11-01T00:00:00-06:00' });
  await world.insertCashOut({ confirmed_at: '2026-11-10T23:30:00-06:00' });
  await world.insertCashOut({ confirmed_at: '2026-11-11T00:00:00-06:00' });
  await world.must(['poll']);
});

afterAll(async () => {
  expect((await world.aioDca(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
  await world.stop();
});

const inFolder = (name: string) => join(world.folder, name);

/** The files that a failed or stopped export must not leave. */
function leftovers(): string[] {
  return readdirSync(world.folder).filter((name) => name.endsWith('.tmp'));
}

test('CSV on stdout, its sums on stderr', async () => {
  const ran = await world.must(['export', 'allocations']);
  const [header, ...rows] = ran.stdout.trim().split('\r\n');
  expect(header).toMatch(/^cash_out,confirmed_at,confirmed_at_local,/);
  expect(rows).toHaveLength(2);
  expect(ran.stderr).toContain('2 rows. Together:');
  expect(ran.stderr).toMatch(/fiat +│ +8,000\.00 GTQ/);
  expect((await world.must(['export', 'allocations', '--quiet'])).stderr).toBe('');
});

test('days are local, and --to includes its whole day', async () => {
  const days = async (...range: string[]) =>
    (await world.must(['export', 'cash-outs', '--json', ...range]))
      .json<{ local_date: string }[]>()
      .map(({ local_date }) => local_date);
  expect(await days('--from', '2026-11-10', '--to', '2026-11-10')).toEqual(['2026-11-10']);
  expect(await days('--from', '2026-11-11')).toEqual(['2026-11-11']);
  expect(await days('--to', '2026-11-10T23:30:00-06:00')).toEqual(['2026-11-10']);
  expect(await days('--month', '2026-11')).toEqual(['2026-11-10', '2026-11-11']);
  expect(await days('--month', '2026-10')).toEqual([]);
});

test('--output writes a file for its owner only, replaces an older one, and answers in JSON', async () => {
  const file = inFolder('payouts.csv');
  const ran = await world.must(['export', 'payouts', '--output', file]);
  expect(ran.stdout).toContain(`${file} is written.`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const text = readFileSync(file, 'utf8');
  expect(text).toMatch(/^id,created_at,.*\r\np1,/);

  writeFileSync(file, 'older');
  const answer = await world.must(['export', 'payouts', '--output', file, '--json']);
  const totals = { GTQ: { rows: 1, fiat: '8000.00', sats: 968_414, settled_sats: 968_414, fee_msat: 0 } };
  expect(answer.json()).toEqual({ what: 'payouts', format: 'csv', file, rows: 1, totals });
  expect(readFileSync(file, 'utf8')).toBe(text);
  expect(leftovers()).toEqual([]);
});

test.each([
  [['--month', '2026-13'], '--month'],
  [['--month', '2026-11', '--from', '2026-11-01'], '--month'],
  [['--from', 'yesterday'], '--from'],
  [['--from', '2026-11-02', '--to', '2026-11-01'], '--to'],
  [['--client', 'carol'], '--client'],
  [['--format', 'xlsx'], '--format'],
  [['--format', 'csv', '--json'], '--format'],
  [['--output', 'no/such/folder.csv'], '--output'],
])('%s is refused and names its field', async (args, field) => {
  const ran = await world.aioDca(['export', 'payouts', ...args]);
  expect(ran.code).toBe(64);
  expect(ran.stderr || ran.stdout).toContain(field);
});

test('the commission has no client, and the error says where to look', async () => {
  const ran = await world.aioDca(['export', 'commission', '--client', 'alice']);
  expect(ran).toMatchObject({ code: 64 });
  expect(ran.stderr).toContain('aio-dca export allocations --client alice');
});

test('an export removes what killed ones left in that folder, and nothing of one that goes on', async () => {
  const [dead, alive] = [
    `.aio-dca-99999999-${'0'.repeat(12)}.tmp`,
    `.aio-dca-${process.pid}-${'0'.repeat(12)}.tmp`,
  ];
  for (const name of [dead, alive, 'mine.tmp']) writeFileSync(inFolder(name), 'half');
  await world.must(['export', 'payouts', '--output', inFolder('after-a-kill.csv')]);
  expect(new Set(leftovers())).toEqual(new Set([alive, 'mine.tmp']));
  for (const name of [alive, 'mine.tmp']) rmSync(inFolder(name));
});

test('- and /dev/stdout are stdout; an empty name is refused', async () => {
  const { stdout } = await world.must(['export', 'payouts']);
  for (const name of ['-', '/dev/stdout'])
    expect((await world.must(['export', 'payouts', '--output', name])).stdout).toBe(stdout);
  const empty = await world.aioDca(['export', 'payouts', '--output', '']);
  expect(empty).toMatchObject({ code: 64, stderr: expect.stringContaining('--output: it is empty') });
});

test.each([['export', 'allocations'], ['clients', 'list'], ['--help']])(
  'a full disk is reported without a stack trace: %s %s',
  async (...args) => {
    const { file, argv, env } = commandLine(['--config', world.configFile, ...args]);
    const full = openSync('/dev/full', 'w');
    const ran = spawnSync(file, argv, { env, stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
    closeSync(full);
    expect(ran.status).toBe(75);
    expect(ran.stderr).toMatch(
      /^output\/unwritable: stdout: write failed \(ENOSPC\); the output is incomplete\./,
    );
    expect(ran.stderr).not.toMatch(/^ +at /m);
  },
);

test('--output replaces neither the ledger, nor the configuration, nor a device', async () => {
  symlinkSync('ledger.sqlite', inFolder('link.csv'));
  for (const file of ['ledger.sqlite', 'config.toml', 'source.adminkey', 'link.csv']) {
    const before = readFileSync(inFolder(file));
    const ran = await world.aioDca(['export', 'payouts', '--output', inFolder(file)]);
    expect(ran).toMatchObject({ code: 64, stdout: '' });
    expect(ran.stderr).toContain('belongs to this installation');
    expect(readFileSync(inFolder(file)).equals(before)).toBe(true);
  }
  const ran = await world.aioDca(['export', 'payouts', '--output', '/dev/null']);
  expect(ran.stderr).toContain('is not a file');
  expect(existsSync('/dev/null') && statSync('/dev/null').isCharacterDevice()).toBe(true);
});

test('a reader that has seen enough is no failure', async () => {
  const command = world.start(['export', 'changes', '--format', 'jsonl']);
  command.child.stdout?.destroy();
  expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
});

test('nothing but the header without rows, and the sums say so', async () => {
  const ran = await world.must(['export', 'cash-outs', '--month', '2020-01']);
  expect(ran.stdout.split('\r\n')).toHaveLength(2);
  expect(ran.stderr).toBe('0 rows.\n');
});

/** A module that prints at the end how many kilobytes the process had at most. */
const PEAK = `data:text/javascript,process.on('exit',()=>process.stderr.write(String(process.resourceUsage().maxRSS)))`;

describe('sixty thousand rows', () => {
  const large = () => ['--config', inFolder('large.toml')];

  beforeAll(async () => {
    const url = `sqlite:${inFolder('large.sqlite')}`;
    writeFileSync(
      inFolder('large.toml'),
      readFileSync(inFolder('config.toml'), 'utf8').replace('ledger.sqlite', 'large.sqlite'),
    );
    await world.must([...large(), 'migrate']);
    await ledgerSql(url, `insert into currencies values ('GTQ', 2)`);
    await ledgerSql(
      url,
      `insert into machines (device_id, first_seen) values ('m1', '2026-01-01T00:00:00.000000Z')`,
    );
    await ledgerSql(
      url,
      `insert into cash_outs (id, source, machine, confirmed_at, processed_at, local_date, currency, fiat, gross,
       commission, net, own, undelivered, own_fiat, method, origin)
     with recursive n(i) as (select 0 union all select i + 1 from n where i < 59999)
     select printf('c%05d', i), 'lamassu', 'm1', '2026-01-01T00:00:00.' || printf('%06d', i) || 'Z',
       '2026-01-01T00:00:00.000000Z', '2025-12-31', 'GTQ', 100, 1000, 100, 0, 900, 0, 100, 'given', 'external' from n`,
    );
  });

  test('fit into a heap that could not hold them', async () => {
    const file = inFolder('large.csv');
    const heap = ['--max-old-space-size=40', '--max-semi-space-size=1'];
    const ran = await world.must([...large(), 'export', 'cash-outs', '--output', file, '--json'], {
      node: heap,
    });
    expect(ran.json()).toMatchObject({ rows: 60_000, totals: { GTQ: { own_sats: 54_000_000 } } });
    expect(readFileSync(file, 'utf8').match(/\r\n/g)).toHaveLength(60_001);
  });

  test('need no more memory than ten thousand', async () => {
    const peak = async (...range: string[]) => {
      const ran = await world.must(
        [...large(), 'export', 'cash-outs', '--output', inFolder('peak.csv'), '--json', ...range],
        { node: ['--max-semi-space-size=1', '--import', PEAK] },
      );
      return { rows: ran.json<{ rows: number }>().rows, kilobytes: Number(ran.stderr) };
    };
    const few = await peak('--to', '2026-01-01T00:00:00.009999Z');
    const many = await peak();
    expect([few.rows, many.rows]).toEqual([10_000, 60_000]);
    // Both compile the same code. Kept rows would be forty megabytes and more. The young generation has a fixed size:
    // what the collector leaves there for later says nothing.
    expect(many.kilobytes - few.kilobytes).toBeLessThan(20_000);
  });

  test('stopped in the middle leave no new file, and keep the old one', async () => {
    const file = inFolder('before.csv');
    writeFileSync(file, 'before');
    const command = world.start([...large(), 'export', 'cash-outs', '--output', file]);
    await until(() => leftovers().length > 0, 'the export has begun');
    command.child.kill('SIGINT');
    const ran = await command.ended;
    expect(ran).toMatchObject({ code: 75, stdout: '' });
    expect(ran.stderr).toContain('export/stopped');
    expect(leftovers()).toEqual([]);
    expect(readFileSync(file, 'utf8')).toBe('before');
  });

  test('a reader that takes only the first rows is no failure', async () => {
    const command = world.start([...large(), 'export', 'cash-outs', '--format', 'json']);
    command.child.stdout?.once('data', () => command.child.stdout?.destroy());
    expect(await command.ended).toMatchObject({ code: 0, stderr: '' });
  });
});
