import { afterEach, expect, test } from 'vitest';
import { pairMachine } from '../support/lamassu.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { until } from '../support/ssh.ts';
import { inTerminal, keys } from '../support/terminal.ts';
import { startWorld, type World } from '../support/world.ts';

let world: World;

afterEach(() => world?.stop());

/** Two clients who are owed sats from the first poll on. */
async function installation(): Promise<void> {
  world = await startWorld();
  await pairMachine(world.lamassu, 'Antigua');
  await world.must(['migrate']);
  for (const name of ['alice', 'bob']) {
    await world.addClient(name);
    await world.addFunding(name, '2000 GTQ');
  }
  await world.insertCashOut();
}

async function balances(): Promise<bigint[]> {
  return Promise.all([...world.wallets.values()].map((wallet) => world.balance(wallet)));
}

function runs() {
  return ledgerSql(world.ledgerUrl, 'select actor, outcome from runs order by id');
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s between two runs ends it with 0, and what it logged has no secret',
  async (signal) => {
    await installation();
    const daemon = world.start(['run']);
    await until(async () => (await runs()).some(({ outcome }) => outcome === 'ok'), 'the first run is over');
    daemon.child.kill(signal);
    const ran = await daemon.ended;
    expect(ran).toMatchObject({ code: 0, stdout: '' });
    expect(await runs()).toEqual([{ actor: 'daemon', outcome: 'ok' }]);
    const lines = ran.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect([lines[0]?.msg, lines.at(-1)?.msg]).toEqual(['daemon begins', 'daemon ends']);
    expect(lines.filter(({ msg }) => msg === 'client paid')).toMatchObject([
      { payout: 'p1', client: 'alice', sats: expect.any(Number) },
      { payout: 'p2', client: 'bob', sats: expect.any(Number) },
    ]);
    for (const wallet of [world.source, ...world.wallets.values()]) {
      expect(ran.stderr).not.toContain(wallet.adminkey);
      expect(ran.stderr).not.toContain(wallet.inkey);
    }
    expect((await balances()).reduce((total, sats) => total + sats)).toBe(484_207n);
  },
);

test('on a terminal its times are local, with date and zone', async () => {
  await installation();
  const daemon = inTerminal(['--config', world.configFile, 'run']);
  await daemon.shows('run ends');
  daemon.type(keys.interrupt);
  const { screen } = await daemon.ended;
  expect(screen).toMatch(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d GMT-6\] INFO: daemon begins/m);
  expect(screen).toMatch(
    /GMT-6\] INFO: client paid\r?\n {4}payout: "p1"\r?\n {4}client: "alice"\r?\n {4}sats: 24210/,
  );
});

test('SIGTERM while a payment is under way: that one is finished, the other left to the next run', async () => {
  await installation();
  const paying = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  world.simulator().onRequest = async ({ kind }, phase) => {
    if (kind !== 'pay' || phase !== 'before') return;
    paying.resolve();
    await goOn.promise;
  };
  const daemon = world.start(['run', '--actor', 'timer']);
  await paying.promise;
  daemon.child.kill('SIGTERM');
  goOn.resolve();
  expect((await daemon.ended).code).toBe(0);
  const [first = 0n, second] = await balances();
  expect(first).toBeGreaterThan(0n);
  expect(second).toBe(0n);
  expect(await runs()).toEqual([{ actor: 'timer', outcome: 'stopped' }]);

  await world.must(['poll']);
  expect((await balances()).reduce((total, sats) => total + sats)).toBe(484_207n);
});

test('a second signal ends it at once', async () => {
  await installation();
  const paying = Promise.withResolvers<void>();
  world.simulator().onRequest = async ({ kind }) => {
    if (kind !== 'pay') return;
    paying.resolve();
    await new Promise(() => {});
  };
  const daemon = world.start(['run']);
  await paying.promise;
  daemon.child.kill('SIGTERM');
  let log = '';
  daemon.child.stderr?.on('data', (text: string) => {
    log += text;
  });
  await until(() => log.includes('asked to stop'), 'the first signal was heard');
  daemon.child.kill('SIGINT');
  expect(await daemon.ended).toMatchObject({ signal: 'SIGINT' });
});

test('a configuration that cannot work ends it with 78 and says why', async () => {
  world = await startWorld();
  const ran = await world.aioDca(['run']);
  expect(ran.code).toBe(78);
  expect(ran.stderr).toContain('ledger/missing');
  expect(ran.stderr).toContain('migrate');
  const logged = ran.stderr.split('\n').find((line) => line.includes('"code":"ledger/missing"'));
  expect(JSON.parse(logged ?? '{}')).toMatchObject({ hint: expect.stringContaining('`aio-dca migrate`') });
});
