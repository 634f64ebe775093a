import { spawn } from 'node:child_process';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { pairMachine } from '../support/lamassu.ts';
import { until } from '../support/ssh.ts';
import { systemdAvailable } from '../support/systemd.ts';
import { startWorld, type World, type WorldOptions } from '../support/world.ts';

let world: World;

afterEach(async () => {
  if (!world) return;
  expect((await world.aioDca(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
  await world.stop();
});

const LISTENER = `
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print('listening', flush=True)
while True:
    # A descriptor comes with a barrier: the sender waits until it is closed.
    message, descriptors, _, _ = socket.recv_fds(listener, 4096, 1)
    for descriptor in descriptors:
        socket.close(descriptor)
    print(message.decode(), flush=True)
`;

/** A socket as systemd gives it to a service in $NOTIFY_SOCKET, and the messages on it so far. */
async function notifySocket(): Promise<{ path: string; said(): string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-notify-'));
  const path = join(folder, 'notify');
  const listener = spawn('python3', ['-c', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    listener.kill();
    await rm(folder, { recursive: true, force: true });
  });
  let text = '';
  listener.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await until(() => text.startsWith('listening'), 'the socket listens');
  return { path, said: () => text.split('\n').slice(1, -1) };
}

/** Alice with cash in a machine without a cash-out yet. */
async function installation(options: WorldOptions = {}): Promise<void> {
  world = await startWorld({ tunnel: 'direct', ...options });
  await pairMachine(world.lamassu, 'Antigua');
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.addFunding('alice', '9000 GTQ');
}

/** `name{labels}` to its value, as Prometheus reads it. */
function samples(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.replace(/ \S+$/, ''), Number(line.replace(/^.* /, ''))]));
}

async function metrics(): Promise<Map<string, number>> {
  return samples((await world.must(['metrics'])).stdout);
}

test('a ledger without runs has every metric, and none raises a false alarm', async () => {
  await installation();
  const seen = await metrics();
  expect(Object.fromEntries(seen)).toMatchObject({
    aio_dca_last_success_timestamp_seconds: 0,
    aio_dca_mark_timestamp_seconds: 0,
    aio_dca_owed_sats: 0,
    aio_dca_waiting_sats: 0,
    'aio_dca_payouts{state="held",kind="client"}': 0,
    'aio_dca_attention{reason="review"}': 0,
    aio_dca_paused: 0,
    'aio_dca_remaining_fiat{currency="GTQ"}': 9000,
    aio_dca_lnbits_up: 1,
    aio_dca_source_wallet_balance_sats: 10_000_000,
    aio_dca_source_wallet_short_sats: 0,
  });
  expect([...seen.keys()].filter((name) => /last_run|mark_age/.test(name))).toEqual([]);
});

test('after a run: what was paid, when, and how the run went', async () => {
  await installation();
  await world.insertCashOut();
  await world.must(['poll']);
  await world.must(['payouts', 'pause', '--reason', 'maintenance']);
  await world.insertCashOut();
  await world.must(['poll']);
  const seen = await metrics();
  expect(Object.fromEntries(seen)).toMatchObject({
    'aio_dca_last_run_outcome{outcome="ok"}': 1,
    'aio_dca_last_run_outcome{outcome="incomplete"}': 0,
    'aio_dca_payouts{state="settled",kind="client"}': 1,
    'aio_dca_payout_sats{state="settled",kind="client"}': 484_207,
    aio_dca_owed_sats: 484_207,
    aio_dca_settled_sats: 484_207,
    aio_dca_cash_outs: 2,
    'aio_dca_cash_out_sats{part="gross"}': 1_024_800,
    'aio_dca_cash_out_sats{part="net"}': 968_414,
    'aio_dca_remaining_fiat{currency="GTQ"}': 1000,
    aio_dca_paused: 1,
    aio_dca_source_wallet_balance_sats: 10_000_000 - 484_207,
  });
  const now = Date.now() / 1000;
  expect(seen.get('aio_dca_last_success_timestamp_seconds')).toBeGreaterThan(now - 60);
  expect(seen.get('aio_dca_last_run_timestamp_seconds')).toBeGreaterThan(now - 60);
  expect(seen.get('aio_dca_last_run_duration_seconds')).toBeLessThan(60);
  const mark = seen.get('aio_dca_mark_timestamp_seconds') ?? 0;
  expect(Math.abs((seen.get('aio_dca_mark_age_seconds') ?? 0) - (now - mark))).toBeLessThan(60);
});

test('without LNbits the ledger’s figures are still shown, with the errors of the last run', async () => {
  await installation();
  await world.insertCashOut();
  await world.lnbits.stop();
  expect((await world.aioDca(['poll'])).code).toBe(75);
  const seen = await metrics();
  expect(Object.fromEntries(seen)).toMatchObject({
    aio_dca_lnbits_up: 0,
    aio_dca_owed_sats: 484_207,
    'aio_dca_last_run_problems{code="lnbits/unreachable"}': 1,
  });
  expect(seen.has('aio_dca_source_wallet_balance_sats')).toBe(false);
});

test('names neither clients nor keys; --json has the same', async () => {
  await installation();
  await world.insertCashOut();
  await world.must(['poll']);
  const { stdout } = await world.must(['metrics']);
  const [alice] = world.wallets.values();
  for (const text of ['alice', 'Antigua', world.source.adminkey, world.source.id, alice?.inkey, alice?.id])
    expect(stdout).not.toContain(text);
  const json = (await world.must(['metrics', '--json'])).json<{ name: string; values: unknown[] }[]>();
  expect(json.find(({ name }) => name === 'aio_dca_settled_sats')).toMatchObject({
    type: 'gauge',
    values: [{ labels: {}, value: 484_207 }],
  });
});

describe('the daemon', () => {
  async function scrape(listen: string, path = '/metrics'): Promise<{ status: number; text: string }> {
    const answer = await fetch(`http://${listen}${path}`);
    return { status: answer.status, text: await answer.text() };
  }

  /** A daemon with its metrics, after its first run was counted. */
  async function watched() {
    const listen = `127.0.0.1:${await freePort()}`;
    await appendFile(world.configFile, `[metrics]\nlisten = "${listen}"\n`);
    const daemon = world.start(['run']);
    const counted = async () => {
      const { text } = await scrape(listen).catch(() => ({ text: '' }));
      return text.includes('aio_dca_runs_total{') ? samples(text) : undefined;
    };
    await until(async () => (await counted()) !== undefined, 'a run was counted');
    return { daemon, listen, seen: Object.fromEntries((await counted()) ?? []) };
  }

  test('serves the same and counts its runs, until it stops', async () => {
    await installation();
    await world.insertCashOut();
    const { daemon, listen, seen } = await watched();
    expect(seen).toMatchObject({
      aio_dca_settled_sats: 484_207,
      'aio_dca_runs_total{outcome="ok"}': 1,
      aio_dca_run_duration_seconds_count: 1,
      'aio_dca_problems_total{code="lnbits/unreachable"}': 0,
      'aio_dca_problems_total{code="lamassu/ssh-unreachable"}': 0,
    });
    expect(await scrape(listen, '/')).toMatchObject({ status: 404 });
    daemon.child.kill('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
    await expect(fetch(`http://${listen}/metrics`)).rejects.toThrow();
  });

  test('counts the errors of LNbits and of Lamassu', async () => {
    await installation();
    await world.insertCashOut();
    await world.must(['payouts', 'pause', '--reason', 'to owe something']);
    await world.must(['poll']);
    await world.must(['payouts', 'resume']);
    await world.lnbits.stop();
    const [base] = await world.lamassu.query('select current_database() as name');
    await world.lamassu.query(`alter database "${base?.name}" connection limit 0`);
    const { daemon, seen } = await watched();
    expect(seen).toMatchObject({
      'aio_dca_runs_total{outcome="incomplete"}': 1,
      'aio_dca_problems_total{code="lnbits/unreachable"}': 1,
      'aio_dca_problems_total{code="lamassu/unreachable"}': 1,
      aio_dca_lnbits_up: 0,
      aio_dca_owed_sats: 484_207,
    });
    daemon.child.kill('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
  });

  test('an address that cannot be used ends it with 78', async () => {
    await installation({ config: '[metrics]\nlisten = "127.0.0.1:99999"' });
    const ran = await world.aioDca(['run']);
    expect(ran.code).toBe(78);
    expect(ran.stderr).toContain('metrics/listen');
  });

  test('an address that others can reach is used, with a warning', async () => {
    await installation({ config: '[metrics]\nlisten = "0.0.0.0:0"' });
    const daemon = world.start(['run']);
    let log = '';
    daemon.child.stderr?.on('data', (text: string) => {
      log += text;
    });
    await until(() => log.includes('run ends'), 'the first run is over');
    expect(log).toContain('other hosts can read the metrics');
    daemon.child.kill('SIGTERM');
    expect((await daemon.ended).code).toBe(0);
  });

  describe.skipIf(!systemdAvailable())('under systemd', () => {
    test('says that it is ready once the first run is over, and that it stops', async () => {
      await installation();
      const socket = await notifySocket();
      const reading = world.lamassu.query('begin; lock table cash_out_txs in access exclusive mode');
      await reading;
      const daemon = world.start(['run'], { env: { NOTIFY_SOCKET: socket.path } });
      let log = '';
      daemon.child.stderr?.on('data', (text: string) => {
        log += text;
      });
      await until(() => log.includes('run begins'), 'the first run begins');
      expect(socket.said()).toEqual([]);
      await world.lamassu.query('commit');
      await until(() => socket.said().includes('READY=1'), 'it is ready');
      daemon.child.kill('SIGTERM');
      expect((await daemon.ended).code).toBe(0);
      await until(() => socket.said().includes('STOPPING=1'), 'it stops');
    });

    test('asked to stop in its first run, it never says that it is ready', async () => {
      await installation();
      const socket = await notifySocket();
      await world.lamassu.query('begin; lock table cash_out_txs in access exclusive mode');
      const daemon = world.start(['run'], { env: { NOTIFY_SOCKET: socket.path } });
      let log = '';
      daemon.child.stderr?.on('data', (text: string) => {
        log += text;
      });
      await until(() => log.includes('run begins'), 'the first run begins');
      daemon.child.kill('SIGTERM');
      await until(() => socket.said().includes('STOPPING=1'), 'it stops');
      await world.lamassu.query('commit');
      expect((await daemon.ended).code).toBe(0);
      expect(socket.said()).not.toContain('READY=1');
    });

    test('goes on working if systemd cannot be notified', async () => {
      await installation();
      await world.insertCashOut();
      const daemon = world.start(['run'], { env: { NOTIFY_SOCKET: '/nowhere/at/all' } });
      let log = '';
      daemon.child.stderr?.on('data', (text: string) => {
        log += text;
      });
      await until(() => log.includes('systemd was not told'), 'it is logged');
      daemon.child.kill('SIGTERM');
      expect((await daemon.ended).code).toBe(0);
      expect(await world.balance(world.wallets.get('alice') ?? world.source)).toBe(484_207n);
    });
  });
});
