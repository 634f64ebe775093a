import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { MACHINE, pairMachine } from '../support/lamassu.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { generateKeyPair } from '../support/ssh.ts';
import { startWorld, type World, type WorldOptions } from '../support/world.ts';

interface Report {
  ok: boolean;
  checks: { name: string; level: 'ok' | 'warn' | 'fail'; detail: string; hint: string | null }[];
}

/** One for the tests that change only files of it, or undo what they change. */
let shared: World;
const FILES = ['config.toml', 'lamassu.password', 'source.adminkey', 'id_ed25519'];
const contents = new Map<string, string>();

/** The installation of the running test. */
let world: World;

beforeAll(async () => {
  shared = await healthy();
  for (const name of FILES) contents.set(name, await readFile(join(shared.folder, name), 'utf8'));
});
beforeEach(() => {
  world = shared;
});
afterEach(async () => {
  for (const [name, text] of contents) {
    await writeFile(join(shared.folder, name), text);
    await chmod(join(shared.folder, name), 0o600);
  }
});
afterAll(() => shared?.stop());

/** An installation in which nothing is wrong: one machine, one client, whose cash is in it. */
async function healthy(options: WorldOptions = {}): Promise<World> {
  const made = await startWorld(options);
  await pairMachine(made.lamassu, 'Antigua');
  await made.must(['migrate']);
  await made.addClient('alice');
  await made.addFunding('alice', '5000 GTQ');
  return made;
}

/** Gives the running test an installation of its own. */
async function own(making: Promise<World>): Promise<void> {
  world = await making;
  onTestFinished(world.stop);
}

async function doctor(): Promise<{ code: number | null; report: Report; text: string }> {
  const ran = await world.aioDca(['doctor', '--json']);
  return { code: ran.code, report: ran.json<Report>(), text: ran.stdout + ran.stderr };
}

/** The checks that are not ok, by name. */
function wrong({
  checks,
}: Report): Partial<Record<string, { level: string; detail: string; hint: string | null }>> {
  return Object.fromEntries(
    checks.filter(({ level }) => level !== 'ok').map(({ name, ...check }) => [name, check]),
  );
}

async function changeConfig(from: string | RegExp, to: string): Promise<void> {
  const text = await readFile(world.configFile, 'utf8');
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`config.toml has no ${from}`);
  await writeFile(world.configFile, changed);
}

test.each(['sqlite', 'postgresql'] as const)(
  'finds nothing wrong with an installation that works, with a ledger on %s',
  async (ledger) => {
    await own(healthy({ ledger }));
    const { code, report } = await doctor();
    expect(wrong(report)).toEqual({});
    expect({ code, ok: report.ok }).toEqual({ code: 0, ok: true });
    expect(report.checks.map(({ name }) => name)).toEqual([
      ...['config', 'secret files', 'ledger', ...(ledger === 'postgresql' ? ['ledger clock'] : [])],
      ...['ssh', 'ssh host keys'],
      ...['lamassu', 'lamassu clock', 'columns', 'rights', 'source', 'machines'],
      ...['lnbits', 'source wallet', 'balance', 'wallet of alice'],
    ]);
  },
);

test('on a terminal it prints a line for each check, and the way out below each failure', async () => {
  await chmod(join(world.folder, 'source.adminkey'), 0o644);
  const ran = await world.aioDca(['doctor']);
  expect(ran.code).toBe(0);
  const lines = ran.stdout.split('\n');
  expect(lines[0]).toBe(`ok    config: ${world.configFile}`);
  expect(lines[1]).toMatch(/^warn {2}secret files: others may read .*source\.adminkey$/);
  expect(lines[2]).toMatch(/^ {6}chmod 600 .*source\.adminkey$/);
  expect(ran.stdout).toContain('0 failed, 1 to look at.');
});

test('a key that the server does not take gets the line that lets it in, whole', async () => {
  const { private: other, public: line } = generateKeyPair();
  await writeFile(join(world.folder, 'id_ed25519'), other);
  const { code, report } = await doctor();
  expect(code).toBe(78);
  const { host, port } = loadConfig(world.configFile, {}).lamassu;
  const key = line.trim().split(' ').slice(0, 2).join(' ');
  const options = `command="/bin/false",restrict,port-forwarding,permitopen="${host}:${port}"`;
  expect(
    report.checks
      .find(({ name }) => name === 'ssh')
      ?.hint?.split('\n')
      .at(-1),
  ).toBe(`${options} ${key} aio-dca`);
});

test('reads the list of machines into the ledger', async () => {
  await pairMachine(world.lamassu, 'Xela', 'another-machine');
  onTestFinished(async () => {
    await shared.lamassu.query("delete from devices where name = 'Xela'");
  });
  await doctor();
  const machines = await ledgerSql(world.ledgerUrl, 'select device_id, name from machines order by name');
  expect(machines.map((row) => ({ ...row }))).toEqual([
    { device_id: MACHINE, name: 'Antigua' },
    { device_id: 'another-machine', name: 'Xela' },
  ]);
});

test('without a ledger it says how to make one, makes none, and goes on with the rest', async () => {
  await own(startWorld());
  await pairMachine(world.lamassu, 'Antigua');
  const { code, report } = await doctor();
  expect(code).toBe(78);
  expect(wrong(report)).toEqual({
    ledger: {
      level: 'fail',
      detail: expect.stringContaining('ledger/missing'),
      hint: expect.stringContaining('migrate'),
    },
  });
  expect(report.checks.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['ssh', 'lamassu', 'rights', 'machines', 'lnbits', 'source wallet']),
  );
  await expect(stat(join(world.folder, 'ledger.sqlite'))).rejects.toThrow('ENOENT');
});

test('a mistake in the configuration is a failed check like any other', async () => {
  await changeConfig('[lnbits]', '[lnbits]\nulr = "x"');
  const { code, report } = await doctor();
  expect(code).toBe(78);
  expect(report).toMatchObject({ ok: false, checks: [{ name: 'config', level: 'fail' }] });
  expect(report.checks[0]?.detail).toContain('ulr');
});

test('a role that may read more than it needs is a warning, one that may change something or read less a failure', async () => {
  const user = /^user = "(aio_dca_.*)"$/m.exec(await readFile(world.configFile, 'utf8'))?.[1];
  await world.lamassu.query(`grant select (phone) on customers to "${user}"`);
  onTestFinished(async () => {
    await shared.lamassu.query(`revoke select (phone) on customers from "${user}"`);
    await shared.lamassu.query(`grant select (fiat) on cash_out_txs to "${user}"`);
  });
  const more = await doctor();
  expect(more.code).toBe(0);
  expect(wrong(more.report)).toEqual({
    rights: {
      level: 'warn',
      detail: expect.stringContaining('customers (phone)'),
      hint: expect.stringContaining('role-sql'),
    },
  });
  await world.lamassu.query(`grant update (fiat) on cash_out_txs to "${user}"`);
  const writes = await doctor();
  await world.lamassu.query(`revoke update (fiat) on cash_out_txs from "${user}"`);
  expect(writes.code).toBe(78);
  expect(wrong(writes.report).rights).toMatchObject({
    level: 'fail',
    detail: expect.stringContaining('writes cash_out_txs'),
    hint: expect.stringContaining('role-sql'),
  });
  await world.lamassu.query(`revoke select (fiat) on cash_out_txs from "${user}"`);
  const less = await doctor();
  expect(less.code).toBe(78);
  expect(wrong(less.report).rights).toMatchObject({
    level: 'fail',
    detail: expect.stringContaining('cash_out_txs.fiat'),
  });
});

test('a Lamassu without prices: the fallback is named', async () => {
  await own(healthy({ lamassuVersion: '2018' }));
  const { code, report } = await doctor();
  expect(code).toBe(0);
  expect(wrong(report)).toEqual({
    columns: expect.objectContaining({ level: 'warn', detail: expect.stringContaining('raw_ticker_price') }),
  });
});

test('another host key than the pinned one fails; Lamassu is not asked, LNbits still is', async () => {
  await changeConfig(/host_key = ".*"/, `host_key = "SHA256:${'A'.repeat(43)}"`);
  const { code, report } = await doctor();
  expect(code).toBe(78);
  expect(wrong(report)).toEqual({
    ssh: expect.objectContaining({ level: 'fail', detail: expect.stringContaining('lamassu/ssh-host-key') }),
  });
  const names = report.checks.map(({ name }) => name);
  expect(names).not.toContain('lamassu');
  expect(names).toContain('wallet of alice');
});

test('an unreachable part exits 75, and 78 if something is wrong as well', async () => {
  await world.simulator().stop();
  onTestFinished(() => shared.simulator().start());
  const unreachable = await doctor();
  expect(unreachable.code).toBe(75);
  expect(wrong(unreachable.report)).toEqual({ lnbits: expect.objectContaining({ level: 'fail' }) });
  await writeFile(join(world.folder, 'lamassu.password'), 'wrong\n');
  const both = await doctor();
  expect(both.code).toBe(78);
  expect(Object.keys(wrong(both.report))).toEqual(['lamassu', 'lnbits']);
  expect(wrong(both.report).lamassu?.detail).toContain('lamassu/credentials');
});

test('another Lamassu or start than the ledger is bound to fails', async () => {
  await own(healthy());
  await world.insertCashOut();
  await world.must(['poll']);
  await changeConfig(/start_at = ".*"/, 'start_at = "2026-01-01T00:00:00Z"');
  const { code, report } = await doctor();
  expect(code).toBe(78);
  expect(wrong(report).source).toMatchObject({
    level: 'fail',
    detail: expect.stringContaining('ledger/source-differs'),
  });
});

test('keys that may not see payments any more, of a client and of the source wallet', async () => {
  await own(healthy({ tunnel: 'direct' }));
  const alice = world.wallets.get('alice');
  if (!alice) throw new Error('there is no alice');
  const all = ['view-payments', 'receive-payments', 'send-payments'] as const;
  const shared = await world.lnbits.share(alice, [...all]);
  const path = join(world.folder, 'shared.key');
  await writeFile(path, shared.inkey, { mode: 0o600 });
  await world.must(['clients', 'set', 'alice', '--wallet-key-file', path]);
  const source = await world.lnbits.share(world.source, [...all]);
  await writeFile(join(world.folder, 'source.adminkey'), source.adminkey, { mode: 0o600 });
  expect((await doctor()).code).toBe(0);
  await shared.allow(['receive-payments']);
  expect(wrong((await doctor()).report)['wallet of alice']).toMatchObject({
    level: 'fail',
    detail: expect.stringMatching(/^lnbits\/rights: .*may not view/),
    hint: expect.stringContaining('aio-dca clients set alice --wallet-key-file FILE'),
  });
  await source.allow(['receive-payments', 'send-payments']);
  const { code, report } = await doctor();
  expect([code, wrong(report)['source wallet']?.detail]).toEqual([
    78,
    expect.stringMatching(/^lnbits\/rights/),
  ]);
});

test('a source wallet by its invoice key, that of a client, and another one than before', async () => {
  await own(healthy());
  const key = (text: string) => writeFile(join(world.folder, 'source.adminkey'), `${text}\n`);
  await key(world.source.inkey);
  const invoice = await doctor();
  expect(invoice.code).toBe(78);
  expect(wrong(invoice.report)['source wallet']?.detail).toContain('invoice key');

  await key(world.wallets.get('alice')?.adminkey ?? '');
  const client = await doctor();
  expect(client.code).toBe(78);
  expect(wrong(client.report)['source wallet']?.detail).toContain('the wallet of alice');

  await key(world.source.adminkey);
  await world.insertCashOut();
  await world.must(['poll']);
  const other = await world.lnbits.createUserWallet('other');
  await key(other.adminkey);
  const changed = await doctor();
  expect(changed.code).toBe(0);
  expect(wrong(changed.report)['source wallet']).toMatchObject({
    level: 'warn',
    detail: expect.stringContaining(world.source.id),
  });
});

test('a client’s wallet that is gone fails by name, the others are checked', async () => {
  await own(healthy());
  const bob = await world.addClient('bob');
  await world.addClient('carol');
  await world.lnbits.deleteWallet(bob.id);
  const { code, report } = await doctor();
  expect(code).toBe(78);
  expect(wrong(report)).toEqual({
    'wallet of bob': {
      level: 'fail',
      detail: expect.stringContaining('lnbits/key'),
      hint: expect.stringContaining('clients set bob'),
    },
  });
  expect(report.checks.at(-1)).toMatchObject({ name: 'wallet of carol', level: 'ok' });
});

test('a balance below what is owed is a warning with the sum that is short', async () => {
  await own(healthy({ sats: 1000n }));
  await world.insertCashOut();
  expect((await world.aioDca(['poll'])).code).toBe(75);
  const { code, report } = await doctor();
  expect(code).toBe(0);
  expect(wrong(report).balance).toEqual({
    level: 'warn',
    detail: 'it holds 1,000 sat, 484,207 sat are owed',
    hint: expect.stringContaining('483,207 sat'),
  });
});

test('a machine without cash of clients, and cash for a machine that Lamassu does not have', async () => {
  await own(startWorld());
  for (const name of ['Antigua', 'Xela']) await pairMachine(world.lamassu, name, `device of ${name}`);
  await world.must(['migrate']);
  await world.addClient('alice');
  await doctor();
  await world.addFunding('alice', '100 GTQ', { args: ['--machine', 'Xela'] });
  const details = async () => {
    const { code, report } = await doctor();
    expect(code).toBe(0);
    return report.checks.flatMap(({ name, detail }) => (name === 'fundings' ? [detail] : []));
  };
  expect(await details()).toEqual([expect.stringMatching(/no client's cash is in Antigua:/)]);
  await world.lamassu.query("delete from devices where name = 'Xela'");
  expect(await details()).toEqual([
    expect.stringMatching(/^f1: .*Lamassu does not have/),
    expect.stringContaining('Antigua'),
  ]);
});

test('no secret is printed', async () => {
  await chmod(world.configFile, 0o644);
  const { text } = await doctor();
  const secrets = ['lamassu.password', 'source.adminkey', 'id_ed25519', 'alice.invoicekey'];
  for (const name of secrets)
    expect(text).not.toContain((await readFile(join(world.folder, name), 'utf8')).trim());
});
