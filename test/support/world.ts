import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { roleSql } from '../../src/lamassu/role-sql.ts';
import { type Command, type Ran, type RunOptions, runCommands, startCommand } from './command.ts';
import { createLamassu, insertCashOut, type Lamassu, type LamassuVersion } from './lamassu.ts';
import { ledgerSql } from './ledger-sql.ts';
import type { Lnbits, LnbitsVersion, WalletKeys } from './lnbits.ts';
import { NOT_KEPT } from './lnbits-real.ts';
import { type LnbitsSimulator, startLnbitsSimulator } from './lnbits-simulator.ts';
import { createDatabase, type Database, runSql, SERVER_VARIABLE, startPostgres } from './postgres.ts';
import { keepSecret } from './secrets.ts';
import { type SshServer, startSshServer } from './ssh.ts';
import { type Sshd, startSshd } from './sshd.ts';

export interface WorldOptions {
  /** The PostgreSQL server to use, a superuser's URL; by default the test run's, else one of its own. */
  postgres?: string;
  /** Another server for the ledger, likewise. */
  ledgerPostgres?: string;
  lamassuVersion?: LamassuVersion;
  /**
   * How the bridge reaches Lamassu: `ssh` (default) is ssh2's server in this process, `sshd` is OpenSSH's; or a running
   * one.
   */
  tunnel?: 'ssh' | 'sshd' | 'direct' | Sshd | SshServer;
  ledger?: 'sqlite' | 'postgresql';
  /** A running LNbits; by default a simulator of `lnbitsVersion`. It is stopped with the world. */
  lnbits?: Lnbits;
  lnbitsVersion?: LnbitsVersion;
  /** `[payouts] quiet`, `1 s` by default. */
  quiet?: string;
  /** Further TOML at the end of config.toml, such as `[fixed]\ntimes = ["12:00"]`. */
  config?: string;
  /** More lines for `[payouts]`. */
  payouts?: string;
  /** The sats in the source wallet at first; none with `credit`. */
  sats?: bigint;
  /** `[lnbits] credit_source`: LNbits' superuser fills the source wallet. */
  credit?: boolean;
  /** `[lamassu] start_at`; by default a month ago. */
  startAt?: string;
  /** More lines for `[lamassu]`. */
  lamassu?: string;
}

/** A whole installation in a temporary folder, with everything that it talks to. */
export interface World {
  folder: string;
  configFile: string;
  lamassu: Lamassu;
  lnbits: Lnbits;
  /** The same LNbits where it is the simulator; throws where it is a real one. */
  simulator(): LnbitsSimulator;
  /** The wallet that pays. */
  source: WalletKeys;
  /** The wallets of the clients and commission recipients by name. */
  wallets: Map<string, WalletKeys>;
  /** The ledger's URL with its password, for SQL past the program. */
  ledgerUrl: string;
  start(args: string[], options?: RunOptions): Command;
  /** Runs the real command to its end, on this installation's config.toml. */
  aioDca(args: string[], options?: RunOptions): Promise<Ran>;
  /** The same, and throws with everything it printed unless it exits 0. */
  must(args: string[], options?: RunOptions): Promise<Ran>;
  /** Runs the real command with each of these arguments, one after the other in one process. */
  inOneProcess(all: string[][]): Promise<Ran[]>;
  /** A wallet at LNbits and a client who is paid into it. Further arguments go to `clients add`. */
  addClient(name: string, args?: string[]): Promise<WalletKeys>;
  /** A wallet at LNbits, and a recipient of the commission who is paid into it. Further arguments as with a client. */
  addCommission(name: string, weight?: number, args?: string[]): Promise<WalletKeys>;
  /** Cash of a client that was in the machine at `at` (default: two weeks ago). Answers the funding's id. */
  addFunding(client: string, amount: string, options?: { at?: string; args?: string[] }): Promise<string>;
  /** A row of Lamassu's cash_out_txs; its defaults are in `insertCashOut`. */
  insertCashOut(columns?: Parameters<typeof insertCashOut>[1]): Promise<string>;
  /** What LNbits says that a wallet holds, in sats. */
  balance(wallet: WalletKeys): Promise<bigint>;
  stop(): Promise<void>;
}

const DAY_MS = 86_400_000;

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const stack = new AsyncDisposableStack();
  try {
    return await build(options, stack);
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function build(options: WorldOptions, stack: AsyncDisposableStack): Promise<World> {
  const { tunnel = 'ssh', quiet = '1 s', credit = false, sats = credit ? 0n : 10_000_000n } = options;
  const server = options.postgres ?? process.env[SERVER_VARIABLE] ?? (await ownPostgres(stack));
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-world-'));
  stack.defer(async () => rm(folder, { recursive: true, force: true }));
  const secret = async (name: string, text: string) => {
    keepSecret(name, text);
    await writeFile(join(folder, name), `${text}\n`, { mode: 0o600 });
    return name;
  };

  const role = {
    user: `aio_dca_${randomBytes(4).toString('hex')}`,
    password: randomBytes(12).toString('hex'),
  };
  // Roles are the server's, not the database's; its rights in the database have to be gone before.
  stack.defer(() => runSql(server, `drop role if exists "${role.user}"`));
  const database = await databaseOf(server, stack);
  const lamassu = await createLamassu(database.url, { version: options.lamassuVersion ?? '10.0.3' });
  stack.defer(async () => lamassu.end());
  await createRole(database.url, role);

  const lnbits = options.lnbits ?? (await startLnbitsSimulator(simulatorOptions(options)));
  stack.defer(async () => lnbits.stop());
  const source = secretly('source', await lnbits.createUserWallet('source'));
  if (sats > 0n) await lnbits.topUp(source.id, sats);

  const ledgerUrl =
    options.ledger === 'postgresql'
      ? (await databaseOf(options.ledgerPostgres ?? server, stack)).url
      : `sqlite:${join(folder, 'ledger.sqlite')}`;
  const { hostname: host, port } = new URL(server);
  const ssh = await tunnelTo(tunnel, { host, port: Number(port) }, stack, secret);
  const toml = [
    'timezone = "America/Guatemala"',
    '',
    '[lamassu]',
    `host = "${host}"`,
    `port = ${port}`,
    `database = "${new URL(database.url).pathname.slice(1)}"`,
    `user = "${role.user}"`,
    `password_file = "${await secret('lamassu.password', role.password)}"`,
    `start_at = "${options.startAt ?? new Date(Date.now() - 30 * DAY_MS).toISOString()}"`,
    ...(options.lamassu ? [options.lamassu] : []),
    ...ssh,
    '',
    '[ledger]',
    ...(await ledgerLines(ledgerUrl, secret)),
    '',
    '[lnbits]',
    `url = "${lnbits.url}"`,
    `source_wallet_key_file = "${await secret('source.adminkey', source.adminkey)}"`,
    ...(credit
      ? [
          'credit_source = true',
          `superuser = "${lnbits.superuser.name}"`,
          `superuser_password_file = "${await secret('superuser.password', lnbits.superuser.password)}"`,
        ]
      : []),
    '',
    '[payouts]',
    `quiet = "${quiet}"`,
    ...(options.payouts ? [options.payouts] : []),
    '',
    ...(options.config ? [options.config, ''] : []),
  ].join('\n');
  const configFile = join(folder, 'config.toml');
  await writeFile(configFile, toml, { mode: 0o600 });
  return worldOf({
    folder,
    configFile,
    lamassu,
    lnbits,
    source,
    wallets: new Map(),
    ledgerUrl,
    stop: () => stack.disposeAsync(),
  });
}

/** The parts of a world with what can be done to them. */
export function worldOf(
  parts: Pick<
    World,
    'folder' | 'configFile' | 'lamassu' | 'lnbits' | 'source' | 'wallets' | 'ledgerUrl' | 'stop'
  >,
): World {
  const { folder, configFile, lamassu, lnbits, wallets } = parts;
  const start: World['start'] = (args, options) => startCommand(['--config', configFile, ...args], options);
  const aioDca: World['aioDca'] = (args, options) => start(args, options).ended;
  const must: World['must'] = async (args, options) => {
    const ran = await aioDca(args, options);
    if (ran.code !== 0)
      throw new Error(`aio-dca ${args.join(' ')} (exit ${ran.code}):\n${ran.stdout}${ran.stderr}`);
    return ran;
  };
  return {
    ...parts,
    start,
    aioDca,
    must,
    inOneProcess: (all) => runCommands(all.map((args) => ['--config', configFile, ...args])),
    simulator: () => {
      if (!('onRequest' in lnbits)) throw new Error('this world has a real LNbits');
      return lnbits as LnbitsSimulator;
    },
    addClient: async (name, args = []) => {
      const keys = secretly(name, await lnbits.createUserWallet(name));
      const file = join(folder, `${name}.invoicekey`);
      await writeFile(file, `${keys.inkey}\n`, { mode: 0o600 });
      await must(['clients', 'add', name, '--wallet-key-file', file, ...args]);
      if (wallets.size === 0) {
        const [ledger] = await ledgerSql(parts.ledgerUrl, 'select seal_secret from ledger');
        keepSecret('what the ledger seals with', `${ledger?.seal_secret}`);
      }
      wallets.set(name, keys);
      return keys;
    },
    addCommission: async (name, weight = 1, args = []) => {
      const keys = secretly(name, await lnbits.createUserWallet(name));
      const file = join(folder, `${name}.invoicekey`);
      await writeFile(file, `${keys.inkey}\n`, { mode: 0o600 });
      await must(['commission', 'add', name, '--wallet-key-file', file, '--weight', `${weight}`, ...args]);
      wallets.set(name, keys);
      return keys;
    },
    addFunding: async (client, amount, { at, args = ['--any-machine'] } = {}) => {
      const time = at ?? new Date(Date.now() - 14 * DAY_MS).toISOString();
      const ran = await must([
        ...['fundings', 'add', client, amount, '--deposited', '--at', time],
        ...args,
        '--json',
      ]);
      return ran.json<{ id: string }>().id;
    },
    insertCashOut: (columns) => insertCashOut(lamassu, columns),
    balance: async (wallet) => {
      const headers = { ...NOT_KEPT, 'X-Api-Key': wallet.inkey };
      const answer = await fetch(`${lnbits.url}/api/v1/wallet`, { headers });
      if (!answer.ok) throw new Error(`LNbits answered ${answer.status} for a wallet's balance`);
      return BigInt(((await answer.json()) as { balance: number }).balance) / 1000n;
    },
  };
}

function secretly(name: string, keys: WalletKeys): WalletKeys {
  keepSecret(`${name}'s admin key`, keys.adminkey);
  keepSecret(`${name}'s invoice key`, keys.inkey);
  return keys;
}

/** `[lamassu.ssh]`, with the server behind it; nothing for a direct connection. */
async function tunnelTo(
  tunnel: NonNullable<WorldOptions['tunnel']>,
  target: { host: string; port: number },
  stack: AsyncDisposableStack,
  secret: (name: string, text: string) => Promise<string>,
): Promise<string[]> {
  if (tunnel === 'direct') return [];
  const server =
    tunnel === 'ssh' ? await startSshServer(target) : tunnel === 'sshd' ? await startSshd(target) : tunnel;
  stack.defer(async () => server.close());
  const hostKey = 'hostKey' in server ? server.hostKey.fingerprint : server.hostKeyLine.trim();
  return [
    '',
    '[lamassu.ssh]',
    `host = "${server.host}"`,
    `port = ${server.port}`,
    `user = "${server.user}"`,
    `private_key_file = "${await secret('id_ed25519', server.privateKey)}"`,
    `host_key = "${hostKey}"`,
  ];
}

async function ledgerLines(
  url: string,
  secret: (name: string, text: string) => Promise<string>,
): Promise<string[]> {
  if (url.startsWith('sqlite:')) return ['url = "sqlite:ledger.sqlite"'];
  const parsed = new URL(url);
  const file = await secret('ledger.password', decodeURIComponent(parsed.password));
  parsed.password = '';
  return [`url = "${parsed.href}"`, `password_file = "${file}"`];
}

async function ownPostgres(stack: AsyncDisposableStack): Promise<string> {
  const own = await startPostgres();
  stack.defer(async () => own.stop());
  return own.url;
}

async function databaseOf(server: string, stack: AsyncDisposableStack): Promise<Database> {
  const database = await createDatabase(server);
  stack.defer(async () => database.drop());
  return database;
}

/** The bridge's role as operators make it, by the SQL that the program prints. */
async function createRole(url: string, { user, password }: { user: string; password: string }) {
  const script = roleSql({ user, database: new URL(url).pathname.slice(1) }).replace(/^\\password.*$/m, '');
  await runSql(url, `${script}; alter role "${user}" password '${password}'`);
}

function simulatorOptions({ lnbitsVersion }: WorldOptions) {
  return lnbitsVersion === undefined ? {} : { version: lnbitsVersion };
}
