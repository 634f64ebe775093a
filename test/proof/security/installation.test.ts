import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { pairMachine } from '../../support/lamassu.ts';
import { SERVER_VARIABLE } from '../../support/postgres.ts';
import { type SshServer, startSshServer } from '../../support/ssh.ts';
import { startWorld, type World } from '../../support/world.ts';

let world: World;
let ssh: SshServer;
const umask = process.umask();

beforeAll(async () => {
  const { hostname, port } = new URL(process.env[SERVER_VARIABLE] ?? '');
  ssh = await startSshServer({ host: hostname, port: Number(port) });
  world = await startWorld({ tunnel: ssh });
  await pairMachine(world.lamassu, 'Antigua');
  // Nothing but the program itself keeps others out of what it writes from here on.
  process.umask(0);
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.addFunding('alice', '9000 GTQ');
  await world.insertCashOut();
  await world.must(['poll']);
});
afterEach(() => process.umask(umask));
afterAll(async () => {
  expect((await world.aioDca(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
  await world.stop();
});

test('whatever the umask, its files are for their owner only', async () => {
  process.umask(0);
  const inFolder = (name: string) => join(world.folder, name);
  await world.must(['backup', inFolder('backup.sqlite')]);
  await world.must(['export', 'payouts', '--output', inFolder('payouts.csv')]);
  const modes = readdirSync(world.folder)
    .filter((name) => /sqlite|csv/.test(name))
    .map((name) => [name, (statSync(inFolder(name)).mode & 0o777).toString(8)]);
  expect(Object.fromEntries(modes)).toMatchObject({
    ...{ 'ledger.sqlite': '600', 'backup.sqlite': '600', 'payouts.csv': '600' },
  });
  expect(modes.filter(([, mode]) => mode !== '600')).toEqual([]);
});

test('files with secrets that others may read are named', async () => {
  const open = ['config.toml', 'lamassu.password', 'source.adminkey', 'id_ed25519', 'ledger.sqlite'];
  // The configuration is a secret as soon as one stands in it.
  const text = readFileSync(world.configFile, 'utf8');
  const password = readFileSync(join(world.folder, 'lamassu.password'), 'utf8').trim();
  writeFileSync(
    world.configFile,
    text.replace('password_file = "lamassu.password"', `password = "${password}"`),
  );
  for (const name of open) chmodSync(join(world.folder, name), 0o604);
  const { stdout } = await world.aioDca(['doctor']);
  writeFileSync(world.configFile, text);
  for (const name of open) chmodSync(join(world.folder, name), 0o600);
  const told = stdout.split('\n').find((line) => line.startsWith('warn  secret files')) ?? '';
  expect(open.filter((name) => told.includes(name))).toEqual(
    open.filter((name) => name !== 'lamassu.password'),
  );
});

test('a server with another host key sees a connection, and never a user, a key or a query', async () => {
  const text = readFileSync(world.configFile, 'utf8');
  writeFileSync(world.configFile, text.replace(/host_key = ".*"/, `host_key = "SHA256:${'A'.repeat(43)}"`));
  ssh.log.length = 0;
  for (const args of [['poll'], ['doctor'], ['reconcile'], ['review', 'show', '00000000']]) {
    const ran = await world.aioDca(args);
    expect(ran.code, args[0]).toBe(78);
    expect(ran.stdout + ran.stderr, args[0]).toContain('lamassu/ssh-host-key');
  }
  expect(ssh.log.length).toBeGreaterThan(0);
  expect(ssh.log.filter((step) => step !== 'connection')).toEqual([]);
  writeFileSync(world.configFile, text);
  await world.must(['poll']);
  expect(ssh.log).toContain('authentication');
});
