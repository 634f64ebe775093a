import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type Ran, type RunOptions, startCommand } from '../support/command.ts';
import { pairMachine } from '../support/lamassu.ts';
import { inTerminal, keys } from '../support/terminal.ts';
import { startWorld, type World } from '../support/world.ts';

/** The parts that init should reach. The world's own configuration only tells the tests where they are. */
let world: World;
let there: Config;
/** Where init writes. */
let folder: string;

beforeAll(async () => {
  world = await startWorld();
  await pairMachine(world.lamassu, 'Antigua');
  there = loadConfig(world.configFile, {});
});
afterAll(() => world?.stop());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aio-dca-init-'));
  onTestFinished(() => rm(folder, { recursive: true }));
});

function ssh(): NonNullable<Config['lamassu']['ssh']> {
  if (!there.lamassu.ssh) throw new Error('the world has no SSH');
  return there.lamassu.ssh;
}

/** Every option that the world needs; a test changes some, and undefined leaves one out. */
function options(changes: Record<string, string | undefined> = {}): string[] {
  const { lamassu, lnbits } = there;
  const all: Record<string, string | undefined> = {
    timezone: 'America/Guatemala',
    'start-at': '2026-11-01',
    'ssh-host': `${ssh().host}:${ssh().port}`,
    'host-key': ssh().hostKeys[0],
    'ssh-user': ssh().user,
    'ssh-key-file': join(world.folder, 'id_ed25519'),
    'lamassu-host': `${lamassu.host}:${lamassu.port}`,
    database: lamassu.database,
    'lamassu-user': lamassu.user,
    'lamassu-password-file': join(world.folder, 'lamassu.password'),
    'lnbits-url': lnbits.url,
    'source-wallet-key-file': join(world.folder, 'source.adminkey'),
    ...changes,
  };
  return Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
}

function aioDca(args: string[], run?: RunOptions): Promise<Ran> {
  return startCommand(['--config', join(folder, 'config.toml'), ...args], run).ended;
}

function init(args: string[]): Promise<Ran> {
  return aioDca(['init', ...args]);
}

/** A file with a secret, outside of the folder that init writes into. */
async function secretFile(text: string): Promise<string> {
  const outside = await mkdtemp(join(tmpdir(), 'aio-dca-secret-'));
  onTestFinished(() => rm(outside, { recursive: true }));
  await writeFile(join(outside, 'secret'), `${text}\n`);
  return join(outside, 'secret');
}

const FILES = [
  'authorized_keys.line',
  'config.toml',
  'id_ed25519',
  'lamassu.password',
  'ledger.sqlite',
  'role.sql',
  'source.adminkey',
];
/** What init keeps where it is made again. */
const KEPT = ['config.toml', 'id_ed25519', 'lamassu.password'];

interface Made {
  files: string[];
  ledger: { id: string };
  lamassu: { readable: boolean | null; machines: string[]; missing: string | null; too_much: string[] };
  ssh: { authorized_keys: string } | null;
  role_sql: string;
  next: string[];
}

describe('in a script', () => {
  test('without options it names every one that is missing, and writes nothing', async () => {
    const ran = await init([]);
    expect(ran.code).toBe(64);
    expect(ran.stderr).toContain(
      'Missing: --timezone, --start-at, --lnbits-url, --ssh-host, --host-key, --source-wallet-key-file.',
    );
    expect(await readdir(folder)).toEqual([]);
  });

  test('its files are for their owner only, load, and are sound to doctor and verify', async () => {
    const made = (await init(['--json', ...options()])).json<Made>();
    expect(made.lamassu).toMatchObject({
      readable: true,
      machines: ['Antigua'],
      missing: null,
      too_much: [],
    });
    expect((await readdir(folder)).sort()).toEqual(FILES);
    for (const name of FILES) expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600);
    const config = loadConfig(join(folder, 'config.toml'), {});
    expect({ ...config.lamassu, ...config.lamassu.ssh }).toMatchObject({
      startAt: '2026-11-01T06:00:00.000000Z',
      hostKeys: ssh().hostKeys,
      user: ssh().user,
    });
    expect(config.lnbits.sourceWalletKey.reveal()).toBe(world.source.adminkey);
    const doctor = await aioDca(['doctor', '--json']);
    expect(doctor.code).toBe(0);
    const { checks } = doctor.json<{ checks: { name: string; level: string }[] }>();
    expect(checks.filter(({ level }) => level !== 'ok').map(({ name }) => name)).toEqual([
      'clients',
      'fundings',
    ]);
    expect((await aioDca(['verify'])).code).toBe(0);
  });

  test('without a key and a password it makes both, and says what to do with them', async () => {
    const ran = await init(options({ 'ssh-key-file': undefined, 'lamassu-password-file': undefined }));
    expect(ran.code).toBe(0);
    const key = ssh2.utils.parseKey(await readFile(join(folder, 'id_ed25519')));
    if (key instanceof Error) throw key;
    const line = `permitopen="${there.lamassu.host}:${there.lamassu.port}" ssh-ed25519 ${key.getPublicSSH().toString('base64')}`;
    expect(await readFile(join(folder, 'authorized_keys.line'), 'utf8')).toContain(line);
    expect(ran.stdout).toContain(
      `cat ${folder}/authorized_keys.line | ssh -p ${ssh().port} root@${ssh().host}`,
    );
    expect(ran.stdout).toContain(`cat ${folder}/role.sql | ssh`);
    expect(ran.stdout).toContain('aio-dca --config');
    expect(ran.stdout).toContain('refuses user');
    const password = (await readFile(join(folder, 'lamassu.password'), 'utf8')).trim();
    expect(password).toMatch(/^\S{20,}$/);
    expect(ran.stdout + ran.stderr).not.toContain(password);
    // Any psql may run it; it holds the password only as PostgreSQL keeps it.
    const sql = await readFile(join(folder, 'role.sql'), 'utf8');
    expect(sql).toContain(`create role "${there.lamassu.user}"`);
    expect(sql).not.toContain(password);
    await world.lamassu.query(sql.replaceAll(there.lamassu.user, 'aio_dca_of_init'));
    onTestFinished(async () => {
      await world.lamassu.query('drop owned by aio_dca_of_init; drop role aio_dca_of_init');
    });
    const asRole = new URL(world.lamassu.url);
    asRole.username = 'aio_dca_of_init';
    asRole.password = password;
    const client = new pg.Client(asRole.href);
    await client.connect();
    await client.query('select fiat from cash_out_txs limit 1');
    await client.end();
  });

  test.each<[string, () => Promise<Record<string, string | undefined>>, number, string]>([
    [
      'another host key',
      async () => ({ 'host-key': `SHA256:${'A'.repeat(43)}` }),
      78,
      'lamassu/ssh-host-key',
    ],
    ['an SSH server that is not there', async () => ({ 'ssh-host': '127.0.0.1:9' }), 75, 'ssh-unreachable'],
    ['an LNbits that is not there', async () => ({ 'lnbits-url': 'http://127.0.0.1:9' }), 75, 'unreachable'],
    [
      'an invoice key for the source wallet',
      async () => ({ 'source-wallet-key-file': await secretFile(world.source.inkey) }),
      78,
      'invoice key',
    ],
    [
      'a key that LNbits does not know',
      async () => ({ 'source-wallet-key-file': await secretFile('0'.repeat(32)) }),
      78,
      'lnbits/key',
    ],
    [
      'a key that shows no payments',
      async () => {
        const may = ['receive-payments', 'send-payments'] as const;
        const { adminkey } = await world.lnbits.share(world.source, [...may]);
        return { 'source-wallet-key-file': await secretFile(adminkey) };
      },
      78,
      'lnbits/rights',
    ],
    ['a database that is not there', async () => ({ database: 'nobodys' }), 78, 'lamassu/no-database'],
    ['a zone that is none', async () => ({ timezone: 'Nowhere' }), 64, '--timezone: expected a time zone'],
    ['a place', async () => ({ timezone: 'Guatemala' }), 64, 'a time zone, perhaps "America/Guatemala".'],
    ['a time that is none', async () => ({ 'start-at': 'soon' }), 64, '--start-at'],
    ['a host that is none', async () => ({ 'ssh-host': 'a host' }), 64, '--ssh-host'],
    ['a port that is none', async () => ({ 'lamassu-host': 'x:70000' }), 64, '--lamassu-host'],
    [
      'a key file that holds none',
      async () => ({ 'ssh-key-file': await secretFile('x') }),
      78,
      'no private SSH key',
    ],
    [
      'a password in the URL of the ledger',
      async () => ({ 'ledger-url': 'postgresql://me:secret@127.0.0.1/x' }),
      64,
      '--ledger-password-file',
    ],
    [
      'a ledger in a folder that is not there',
      async () => ({ 'ledger-url': 'sqlite:nowhere/x' }),
      78,
      'ledger/unusable',
    ],
  ])('%s: nothing is written', async (_what, changes, code, said) => {
    const ran = await init(options(await changes()));
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code, stderr: expect.stringContaining(said) });
    expect(await readdir(folder)).toEqual([]);
  });

  describe('a key with a passphrase', () => {
    const encrypted = async () => {
      const key = ssh2.utils.generateKeyPairSync('rsa', {
        ...{ bits: 2048, passphrase: 'open sesame', cipher: 'aes256-ctr', rounds: 1 },
      });
      return secretFile(key.private.trimEnd());
    };

    test('is read with it, and both are kept beside the configuration', async () => {
      const passphrase = { 'ssh-passphrase-file': await secretFile('open sesame') };
      const ran = await init(options({ 'ssh-key-file': await encrypted(), ...passphrase }));
      // The server does not know this key.
      expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code: 0, stderr: '' });
      expect((await stat(join(folder, 'ssh.passphrase'))).mode & 0o777).toBe(0o600);
      const { ssh: written } = loadConfig(join(folder, 'config.toml'), {}).lamassu;
      expect(written?.passphrase?.reveal()).toBe('open sesame');
      const kept = ssh2.utils.parseKey(written?.privateKey.reveal() ?? '', written?.passphrase?.reveal());
      expect(kept).not.toBeInstanceOf(Error);
      expect(ran.stdout).not.toContain('open sesame');
    });

    test.each([
      ['without it', undefined, 64, '--ssh-passphrase-file'],
      ['with another one', 'open barley', 78, 'Check the passphrase.'],
    ])('%s is refused, and nothing is written', async (_what, passphrase, code, said) => {
      const file = passphrase && { 'ssh-passphrase-file': await secretFile(passphrase) };
      const ran = await init(options({ 'ssh-key-file': await encrypted(), ...file }));
      expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code, stderr: expect.stringContaining(said) });
      expect(await readdir(folder)).toEqual([]);
    });
  });

  describe('crediting the source wallet', () => {
    const superuser = async (password = world.lnbits.superuser.password) => ({
      superuser: world.lnbits.superuser.name,
      'superuser-password-file': await secretFile(password),
    });

    test('is written where it is asked for, with the password in a file of its own', async () => {
      expect((await init(['--credit-source', ...options(await superuser())])).code).toBe(0);
      expect((await stat(join(folder, 'superuser.password'))).mode & 0o777).toBe(0o600);
      const { lnbits } = loadConfig(join(folder, 'config.toml'), {});
      expect(lnbits).toMatchObject({ creditSource: true, superuser: world.lnbits.superuser.name });
      expect(lnbits.superuserPassword?.reveal()).toBe(world.lnbits.superuser.password);
    });

    test('is off by default', async () => {
      await init(options());
      expect(loadConfig(join(folder, 'config.toml'), {}).lnbits.creditSource).toBe(false);
    });

    test('needs a superuser who can log in', async () => {
      const none = await init(['--credit-source', ...options()]);
      expect(none.stderr).toContain('Missing: --superuser, --superuser-password-file.');
      const wrong = await init(options(await superuser('guessed')));
      expect([wrong.code, wrong.stderr]).toEqual([78, expect.stringContaining('lnbits/superuser')]);
      const both = await init(['--no-credit-source', ...options(await superuser())]);
      expect([both.code, both.stderr]).toEqual([64, expect.stringContaining('exclude each other')]);
      expect(await readdir(folder)).toEqual([]);
    });
  });

  test('with --no-test it writes without reaching anything', async () => {
    const ran = await init(['--no-test', '--json', ...options({ 'lnbits-url': 'http://127.0.0.1:9' })]);
    expect(ran.code).toBe(0);
    expect(ran.json<Made>().lamassu.readable).toBeNull();
  });

  test('a configuration that is there is replaced only with --yes, and the secrets beside it stay', async () => {
    const first = (await init(['--json', ...options({ 'ssh-key-file': undefined })])).json<Made>();
    const before = await Promise.all(KEPT.map((name) => readFile(join(folder, name), 'utf8')));
    const again = options({ 'ssh-key-file': undefined, 'lamassu-password-file': undefined, timezone: 'UTC' });
    const refused = await init(again);
    expect(refused.code).toBe(64);
    expect(refused.stderr).toContain('config.toml is there already');
    const replaced = await init(['--json', '--yes', ...again]);
    expect(replaced.json<Made>().ledger.id).toBe(first.ledger.id);
    const after = await Promise.all(KEPT.map((name) => readFile(join(folder, name), 'utf8')));
    expect(after.slice(1)).toEqual(before.slice(1));
    expect(loadConfig(join(folder, 'config.toml'), {}).timezone).toBe('UTC');
    expect((await readdir(folder)).sort()).toEqual(FILES);
  });

  test('another secret than the one that is there asks first', async () => {
    await writeFile(join(folder, 'lamassu.password'), 'precious\n');
    const ran = await init(options());
    expect(ran.code).toBe(64);
    expect(ran.stderr).toContain('lamassu.password is there already');
    expect(await readdir(folder)).toEqual(['lamassu.password']);
    expect(await readFile(join(folder, 'lamassu.password'), 'utf8')).toBe('precious\n');
  });

  test('where Lamassu can be read already, nothing is left to do there', async () => {
    const { stdout } = await init(options());
    expect(stdout).toContain('Lamassu can be read already');
    expect(stdout).not.toContain('role.sql |');
    expect(stdout).not.toContain('Warning');
  });

  test('it warns of a role that may do more than read, and the SQL makes another role', async () => {
    const role = `"${there.lamassu.user}"`;
    await world.lamassu.query(`grant update (fiat) on cash_out_txs to ${role}`);
    onTestFinished(async () => {
      await world.lamassu.query(`revoke update (fiat) on cash_out_txs from ${role}`);
    });
    const { stdout } = await init(options());
    expect(stdout).toMatch(/Warning.* may do more than is needed: writes cash_out_txs/);
    expect(await readFile(join(folder, 'role.sql'), 'utf8')).toContain('create role "aio_dca"');
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('user = "aio_dca" into');
  });

  test('it warns of a start in the future, and so does doctor', async () => {
    const ran = await init(options({ 'start-at': '2999-01-01' }));
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain('start_at is in the future');
    const { checks } = (await aioDca(['doctor', '--json'])).json<{
      checks: { name: string; level: string; detail: string }[];
    }>();
    expect(checks.find(({ name }) => name === 'start_at')).toMatchObject({
      level: 'warn',
      detail: expect.stringContaining('in the future'),
    });
  });

  test('a file that cannot be written is named, exit 78', async () => {
    await mkdir(join(folder, '.aio-dca-init'));
    const ran = await init(options());
    expect([ran.code, ran.stderr]).toEqual([78, expect.stringContaining('init/unwritable')]);
    expect(await readdir(folder)).toEqual(['.aio-dca-init']);
  });

  test('a folder that is missing: the error has the command that makes it', async () => {
    const missing = ['--config', join(folder, 'none', 'config.toml')];
    const ran = await startCommand([...missing, 'init', ...options()]).ended;
    expect([ran.code, ran.stderr.replaceAll(/\s+/g, ' ')]).toEqual([
      78,
      expect.stringMatching(/`sudo sh \/\S+\/contrib\/install\.sh` makes /),
    ]);
  });

  test('killed before any of its steps, a second run finishes it', async () => {
    const preload = new URL('./kill-at-file.mjs', import.meta.url).href;
    const answers = options({ 'ssh-key-file': undefined, 'lamassu-password-file': undefined });
    let killed = 0;
    for (;;) {
      const run = { node: ['--import', preload], env: { KILL_AT_FILE: `${killed + 1}` } };
      const ran = await aioDca(['init', '--no-test', ...answers], run);
      if (ran.signal === null) break;
      killed += 1;
      // A configuration that is there is whole.
      if ((await readdir(folder)).includes('config.toml'))
        expect(loadConfig(join(folder, 'config.toml'), {}).lamassu.password).toBeDefined();
      const again = await init(['--no-test', '--yes', ...answers]);
      expect({ killed, code: again.code, stderr: again.stderr }).toEqual({ killed, code: 0, stderr: '' });
      expect((await readdir(folder)).sort()).toEqual(FILES);
      expect((await aioDca(['verify'])).code).toBe(0);
      for (const name of await readdir(folder)) await rm(join(folder, name));
    }
    // Each file is written under another name and then moved.
    expect(killed).toBeGreaterThanOrEqual(12);
  }, 240_000);

  test('a folder that is not there is named', async () => {
    const ran = await startCommand(['--config', join(folder, 'no', 'config.toml'), 'init', ...options()])
      .ended;
    expect(ran.code).toBe(78);
    expect(ran.stderr).toContain(join(folder, 'no'));
  });
});

describe.each(['sqlite', 'postgresql'] as const)('with a ledger on %s', (kind) => {
  test('two at once: the files of one are complete, and the other one gives up', async () => {
    const ledger: Record<string, string | undefined> = { 'ssh-key-file': undefined };
    if (kind === 'postgresql') {
      const other = await startWorld({ ledger: 'postgresql' });
      onTestFinished(other.stop);
      ledger['ledger-url'] = loadConfig(other.configFile, {}).ledger.url;
      ledger['ledger-password-file'] = join(other.folder, 'ledger.password');
    }
    const zones = ['UTC', 'America/Guatemala'];
    const both = await Promise.all(
      zones.map((timezone) => init(['--json', ...options({ ...ledger, timezone })])),
    );
    const loser = both.find(({ code }) => code !== 0);
    // Whether it finds a file that it would have to ask about depends on how far the other one is.
    expect(['init/stopped', 'usage/confirm']).toContain(
      loser?.json<{ error: { code: string } }>().error.code,
    );
    const winner = zones[both.findIndex(({ code }) => code === 0)];
    expect(loadConfig(join(folder, 'config.toml'), {}).timezone).toBe(winner);
    const files = kind === 'sqlite' ? FILES : FILES.map((name) => name.replace('sqlite', 'password'));
    expect((await readdir(folder)).sort()).toEqual(files);
    expect((await aioDca(['verify'])).code).toBe(0);
  });
});

// On a busy machine a key may arrive between two questions, where nothing reads it. No operator types as fast as this.
describe('in a terminal', { retry: 1 }, () => {
  test('it asks, tests, asks again after a wrong answer, and writes what doctor finds sound', async () => {
    const terminal = inTerminal(['--config', join(folder, 'config.toml'), 'init']);
    const answer = async (question: string, text: string) => {
      await terminal.shows(question);
      terminal.type(text);
      terminal.type(keys.enter);
    };
    // A `y` is the whole answer: an Enter after it would answer the next question, where that is quick enough.
    const yes = async (question: string) => {
      await terminal.shows(question);
      terminal.type('y');
    };
    // The proposed answer is in the line already: Ctrl-U deletes it.
    const instead = (text: string) => `\u0015${text}`;
    await answer('Time zone', instead('Nowhere'));
    await answer('Expected a time zone', instead('America/Guatemala'));
    await answer('Pay cash-outs from when on?', instead('soon'));
    await answer('"soon" is not a time', instead('2026-11-01'));
    await answer('How is Lamassu', '');
    await answer('The SSH server', 'a host');
    await answer('"a host" is not a host', instead(`${ssh().host}:${ssh().port}`));
    await terminal.shows(ssh().hostKeys[0] ?? '');
    await yes('Does the server itself show the same?');
    await answer('Unix user on that server', instead(ssh().user));
    await answer('Private SSH key', instead(join(world.folder, 'id_ed25519')));
    await answer('PostgreSQL as the SSH server', instead(`${there.lamassu.host}:${there.lamassu.port}`));
    await answer('The database', instead(there.lamassu.database));
    await answer('The role', instead(there.lamassu.user));
    await answer('Its password', there.lamassu.password?.reveal() ?? '');
    await terminal.shows('Lamassu can be read; its machines: Antigua.');
    // The proposed https:// is in the line already.
    await answer('The address of LNbits', 'ftp://127.0.0.1');
    await answer('Expected an address', instead(`https://${there.lnbits.url}`));
    await terminal.shows('That is LNbits');
    await answer('The admin key', world.source.inkey);
    await answer('That is an invoice key', world.source.adminkey);
    await terminal.shows('Who fills the source wallet?');
    terminal.type(keys.down);
    terminal.type(keys.enter);
    await answer('The user name of LNbits’ superuser', world.lnbits.superuser.name);
    await answer('The superuser’s password', 'guessed');
    await answer('LNbits does not let', world.lnbits.superuser.password);
    await answer('The ledger:', instead('postgresql://me:secret@127.0.0.1/x'));
    await answer('A password does not belong', instead(`sqlite:${folder}/ledger.sqlite`));
    const { code, screen } = await terminal.ended;
    expect({ code, screen }).toEqual({
      code: 0,
      screen: expect.stringContaining('What remains to be done'),
    });
    // Nobody typed an option.
    const [asked = ''] = screen.split('What remains to be done');
    expect(asked.match(/--(?!user\b)[a-z-]+/g) ?? []).toEqual([]);
    expect(screen).not.toContain(world.source.adminkey);
    expect(screen).not.toContain(world.lnbits.superuser.password);
    expect((await readdir(folder)).sort()).toEqual([...FILES, 'superuser.password']);
    expect((await aioDca(['doctor'])).code).toBe(0);
    expect((await aioDca(['verify'])).code).toBe(0);
  });

  test.each([
    ['at the first question', []],
    ['in the middle', ['timezone', 'start-at', 'ssh-host', 'host-key', 'ssh-user', 'ssh-key-file']],
    ['at the last question', undefined],
  ])('Ctrl-C %s leaves nothing', async (_when, answered) => {
    const given = answered && Object.fromEntries(Object.keys(defaults()).map((name) => [name, undefined]));
    const known = Object.fromEntries(Object.entries(defaults()).filter(([name]) => answered?.includes(name)));
    const args = ['--no-credit-source', ...options(given ? { ...given, ...known } : {})];
    const terminal = inTerminal(['--config', join(folder, 'config.toml'), 'init', ...args]);
    const question =
      answered === undefined ? 'The ledger:' : answered.length > 0 ? 'PostgreSQL as' : 'Time zone';
    await terminal.shows(question);
    terminal.type(keys.interrupt);
    const { code, screen } = await terminal.ended;
    expect({ code, screen }).toEqual({ code: 64, screen: expect.stringContaining('Nothing was written.') });
    expect(await readdir(folder)).toEqual([]);
  });

  test('it asks again for a start in the future that is not intended', async () => {
    const future = ['--no-credit-source', ...options({ 'start-at': '2999-01-01' })];
    const terminal = inTerminal(['--config', join(folder, 'config.toml'), 'init', ...future]);
    await terminal.shows('That is in the future');
    terminal.type('n');
    await terminal.shows('Pay cash-outs from when on?');
    terminal.type(keys.interrupt);
    expect((await terminal.ended).screen).toContain('Nothing was written.');
    expect(await readdir(folder)).toEqual([]);
  });

  test('a host key that is not confirmed ends it', async () => {
    const terminal = inTerminal([
      ...['--config', join(folder, 'config.toml'), 'init'],
      ...options({ 'host-key': undefined }),
    ]);
    await terminal.shows('Does the server itself show the same?');
    terminal.type('n');
    const { code } = await terminal.ended;
    expect(code).toBe(64);
    expect(await readdir(folder)).toEqual([]);
  });
});

/** The options of the world by name. */
function defaults(): Record<string, string> {
  const flat = options();
  return Object.fromEntries(
    flat.flatMap((name, index) => (name.startsWith('--') ? [[name.slice(2), flat[index + 1] ?? '']] : [])),
  );
}
