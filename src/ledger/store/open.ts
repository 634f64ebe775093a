import { randomBytes, randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Dialect, Kysely, sql, type Transaction } from 'kysely';
import { Migrator } from 'kysely/migration';
import { migrations } from '../../../migrations/index.ts';
import { Secret } from '../../config/secret.ts';
import { BridgeError } from '../../errors.ts';
import { call, message } from '../../lib/message.ts';
import { thisUser, userName } from '../../lib/users.ts';
import type { Clock, Instant } from '../../time.ts';
import { explained, SERVICES_WRITE } from './failure.ts';
import type { Limits, postgresqlDialect as PostgresqlDialect, Protection } from './postgresql.ts';
import type { Schema } from './schema.ts';
import type { Seals } from './seals.ts';

export type Db = Kysely<Schema>;
export type Trx = Transaction<Schema>;

/** An open ledger. Close it when done. */
export interface Ledger {
  db: Db;
  /** The ledger's own id; every payment carries it. */
  id: string;
  /** The URL of the ledger, without a password. */
  url: string;
  /** The clock of this host. */
  clock: Clock;
  /** The number of its schema steps. */
  schema: number;
  /** Seals the labels of its payments. */
  seals: Seals;
  /**
   * Runs `work` in one transaction under the ledger-wide lock: nobody else changes anything meanwhile.
   * What it reads stays true until it commits. Within, use only `trx`.
   */
  write<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  /** The same, but everything that `work` wrote is rolled back. */
  dryRun<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * `create` makes a ledger where there is none and brings an older one up to date; `write` upgrades an older SQLite
 * file; `read` changes nothing. `move` is `create` for a ledger that is being moved, retired or not.
 */
export type LedgerUse = 'create' | 'write' | 'read' | 'move';

/** A copy has this in place of the new URL, until the original is retired. */
export const UNFINISHED = 'a copy that is not finished';

export interface LedgerOptions extends Protection {
  /** `sqlite:/absolute/path` or `postgresql://user@host/database`. */
  url: string;
  clock: Clock;
  password?: Secret | undefined;
  use: LedgerUse;
}

/**
 * Opens the ledger. Errors: `ledger/missing`, `ledger/owner`, `ledger/newer`, `ledger/outdated`, `ledger/retired`,
 * `ledger/unfinished`, and those of `explained`, as every statement may throw them later: `ledger/busy`,
 * `ledger/unreachable`, `ledger/read-only`, `ledger/tls`, `ledger/rights`, `ledger/unusable`.
 */
export async function openLedger({ url, clock, password, use, tls, ca }: LedgerOptions): Promise<Ledger> {
  const sqlite = url.startsWith('sqlite:');
  const dialect = sqlite
    ? await sqliteFile(url, use)
    : await postgresqlServer(url, password, limitsOf(use), { tls, ca });
  const db = new Kysely<Schema>({ dialect: explaining(dialect, url) });
  const locked = <T>(work: (trx: Trx) => Promise<T>): Promise<T> =>
    db.transaction().execute(async (trx) => {
      if (!sqlite) await lockServer(trx, limitsOf(use));
      return work(trx);
    });
  const write = <T>(work: (trx: Trx) => Promise<T>): Promise<T> =>
    locked(async (trx) => {
      // The ledger may have been moved away while this process waited for its turn.
      if (use !== 'move') await refuseRetired(trx, url);
      return work(trx);
    });
  // Everything is committed or rolled back by then: a failed close must not hide an earlier error.
  const close = () => db.destroy().catch(() => {});
  try {
    const { id, schema, seals } = await bringUpToDate(db, locked, { url, clock, use });
    return {
      db,
      id,
      url,
      clock,
      schema,
      seals,
      write,
      dryRun: async (work) => {
        let result: { value: Awaited<ReturnType<typeof work>> } | undefined;
        await write(async (trx) => {
          result = { value: await work(trx) };
          throw new Undo();
        }).catch((error: unknown) => {
          if (!(error instanceof Undo)) throw error;
        });
        if (!result) throw new Error('a dry run ended without a result');
        return result.value;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Limits for one statement on a server: of runs and changes, and of commands that go through a whole ledger. */
const WRITE_MS = 60_000;
const LONG_MS = 600_000;

/** One number for the ledger-wide lock; advisory locks of PostgreSQL are per database. */
const LOCK = 7_264_011;

/** The server limits every wait, too: a stopped process must not hold the ledger's lock forever. */
function limitsOf(use: LedgerUse): Limits {
  return {
    statement_timeout: use === 'write' ? WRITE_MS : LONG_MS,
    lock_timeout: 30_000,
    idle_in_transaction_session_timeout: 60_000,
  };
}

/**
 * Takes the ledger-wide lock of a transaction. Settings from the login belong to the session, which a pooler may pass
 * on after each transaction, so they are set again for this one. A commit must be on the server's disk before anything
 * is sent, whatever its administrator set.
 */
async function lockServer(trx: Trx, limits: Limits): Promise<void> {
  const settings = Object.entries({ synchronous_commit: 'on', ...limits });
  const said = settings.map(([name, value]) => sql`set_config(${name}, ${`${value}`}, true)`);
  await sql`select ${sql.join(said)}, pg_advisory_xact_lock(${LOCK})`.execute(trx);
}

class Undo extends Error {}

async function sqliteFile(url: string, use: LedgerUse): Promise<Dialect> {
  const path = url.slice('sqlite:'.length);
  const { createFile, sqliteDialect } = await import('./sqlite.ts');
  if (!isThere(path, url)) {
    if (use !== 'create' && use !== 'move') throw missing(url);
    try {
      createFile(path);
    } catch (error) {
      // Another process may have created it just now: then it is opened like any other.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw explained(url, error);
    }
  }
  const owner = statSync(path).uid;
  if (process.geteuid && owner !== process.geteuid()) throw ownedBy(userName(owner), path);
  return sqliteDialect(path);
}

/** SQLite's files belong to one user: what another one writes, root above all, that user could not read any more. */
function ownedBy(owner: string, path: string): BridgeError {
  const me = thisUser();
  const elsewhere = dirname(path) !== SERVICES_WRITE;
  const move = elsewhere
    ? ` The services of contrib/ write only to ${SERVICES_WRITE}: docs/install.md of this package says how to move it there.`
    : '';
  return new BridgeError(
    'ledger/owner',
    `${path} belongs to ${owner}, and this is ${me}`,
    me === 'root'
      ? `Do it as ${owner}: \`sudo -u ${owner} …\`.`
      : `Give it to ${me}: \`sudo sh -c 'chown ${me}: ${path}*'\`. Or do it as ${owner}.${move}`,
  );
}

/** A file that may not be accessed is not absent. */
function isThere(path: string, url: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    throw explained(url, error);
  }
}

async function postgresqlServer(...server: Parameters<typeof PostgresqlDialect>): Promise<Dialect> {
  const { postgresqlDialect } = await import('./postgresql.ts');
  return postgresqlDialect(...server);
}

async function bringUpToDate(
  db: Db,
  write: Ledger['write'],
  { url, clock, use }: LedgerOptions,
): Promise<Pick<Ledger, 'id' | 'schema' | 'seals'>> {
  const known = Object.keys(migrations);
  const applied = await appliedMigrations(db, url);
  const unknown = applied.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new BridgeError(
      'ledger/newer',
      `the ledger at ${url} has the steps ${unknown.join(', ')}, which this program does not know`,
      'A newer version of the program has used it. Install that version again.',
    );
  }
  const creates = use === 'create' || use === 'move';
  if (applied.length === 0 && !creates) throw missing(url);
  if (applied.length < known.length) {
    if (!creates && !(use === 'write' && url.startsWith('sqlite:'))) {
      throw new BridgeError(
        'ledger/outdated',
        `the ledger at ${url} has ${applied.length} of ${known.length} schema steps`,
        message`Run ${call('migrate')}.`,
      );
    }
    await write((trx) => migrate(trx, clock.now()));
  }
  const row = await db.selectFrom('ledger').select(['id', 'seal_secret', 'all_sealed']).executeTakeFirst();
  if (!row) throw missing(url);
  if (use !== 'move') await refuseRetired(db, url);
  const seals = { ledger: row.id, secret: new Secret(row.seal_secret), all: row.all_sealed === 1n };
  return { id: row.id, schema: known.length, seals };
}

async function refuseRetired(db: Db, url: string): Promise<void> {
  const { retired_to: place } = await db.selectFrom('ledger').select('retired_to').executeTakeFirstOrThrow();
  if (place === null) return;
  if (place === UNFINISHED) {
    throw new BridgeError(
      'ledger/unfinished',
      `the copy of a ledger at ${url} was not finished`,
      message`Run ${call('ledger.copy', { to: url })} again, with the configuration that names the ledger it came from.`,
    );
  }
  throw new BridgeError(
    'ledger/retired',
    `the ledger at ${url} was moved to ${place} and is not used any more`,
    `Set [ledger] url = "${place}".`,
  );
}

async function migrate(trx: Trx, at: Instant): Promise<void> {
  const migrator = new Migrator({ db: trx, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
  await trx
    .insertInto('ledger')
    .values({
      ...{ one: 1n, id: randomUUID(), created_at: at },
      ...{ seal_secret: randomBytes(32).toString('hex'), all_sealed: 1n },
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

async function appliedMigrations(db: Db, url: string): Promise<string[]> {
  const exists = url.startsWith('sqlite:')
    ? sql`select 1 from sqlite_master where name = 'kysely_migration'`
    : sql`select 1 where to_regclass('kysely_migration') is not null`;
  if ((await exists.execute(db)).rows.length === 0) return [];
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
  return rows.map((row) => row.name);
}

function missing(url: string): BridgeError {
  return new BridgeError(
    'ledger/missing',
    `there is no ledger at ${url}`,
    message`Check [ledger] url. To begin a new ledger there, run ${call('migrate')}.`,
  );
}

/**
 * The dialect, with every failure of a statement or a connection explained to the operator. The error of a rollback is
 * dropped, because the operator needs the first error: SQLite rolls back automatically when a disk is full, and a
 * server does when a connection is gone.
 */
function explaining(dialect: Dialect, url: string): Dialect {
  const createDriver = dialect.createDriver.bind(dialect);
  dialect.createDriver = () => {
    const driver = createDriver();
    const init = driver.init.bind(driver);
    driver.init = (options) => init(options).catch(explain(url));
    const rollback = driver.rollbackTransaction.bind(driver);
    driver.rollbackTransaction = (connection) => rollback(connection).catch(() => {});
    const acquire = driver.acquireConnection.bind(driver);
    const seen = new WeakSet<object>();
    driver.acquireConnection = async (options) => {
      const connection = await acquire(options).catch(explain(url));
      if (!seen.has(connection)) {
        seen.add(connection);
        const execute = connection.executeQuery.bind(connection);
        connection.executeQuery = async (query, ...rest) =>
          execute(query, ...rest).catch(explain(url)) as never;
      }
      return connection;
    };
    return driver;
  };
  return dialect;
}

function explain(url: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof Undo ? error : explained(url, error);
  };
}
