import { randomUUID } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { type Dialect, Kysely, sql, type Transaction } from 'kysely';
import { Migrator } from 'kysely/migration';
import { migrations } from '../../migrations/index.ts';
import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import { now } from '../time.ts';
import type { Schema } from './schema.ts';

export type Db = Kysely<Schema>;
export type Trx = Transaction<Schema>;

/** An open ledger. Close it when done. */
export interface Ledger {
  db: Db;
  /** The ledger's own id; every payment carries it. */
  id: string;
  /** Where it is, without a password. */
  url: string;
  /** How many steps of the schema it has. */
  schema: number;
  /**
   * Runs `work` in one transaction under the ledger-wide lock: nobody else changes anything meanwhile.
   * What it reads stays true until it commits. Within, use only `trx`.
   */
  write<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  /** The same, but everything that `work` wrote is undone. */
  rehearse<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/**
 * `create` makes a ledger where there is none and brings an older one up to date; `write` upgrades an older SQLite
 * file; `read` changes nothing. `move` is `create` for a ledger that is being moved, retired or not.
 */
export type LedgerUse = 'create' | 'write' | 'read' | 'move';

/** In the place of where a ledger was moved to: a copy that is not in use until the original is retired. */
export const UNFINISHED = 'a copy that is not finished';

export interface LedgerOptions {
  /** `sqlite:/absolute/path` or `postgresql://user@host/database`. */
  url: string;
  password?: Secret | undefined;
  use: LedgerUse;
}

/**
 * Opens the ledger. Errors: `ledger/missing`, `ledger/owner`, `ledger/newer`, `ledger/outdated`,
 * `ledger/retired`, `ledger/unfinished`, `ledger/unreachable`, `ledger/rights`, `ledger/unusable`.
 */
export async function openLedger({ url, password, use }: LedgerOptions): Promise<Ledger> {
  const sqlite = url.startsWith('sqlite:');
  const dialect = sqlite ? await sqliteFile(url, use) : await postgresqlServer(url, password, use);
  const db = new Kysely<Schema>({ dialect: explaining(dialect, url) });
  const locked = <T>(work: (trx: Trx) => Promise<T>): Promise<T> =>
    db
      .transaction()
      .execute(async (trx) => {
        // What is committed has to be on the server's disk before anything is sent, whatever its administrator set.
        if (!sqlite)
          await sql`select set_config('synchronous_commit', 'on', true), pg_advisory_xact_lock(${LOCK})`.execute(
            trx,
          );
        return work(trx);
      })
      .catch(explain(url));
  const write = <T>(work: (trx: Trx) => Promise<T>): Promise<T> =>
    locked(async (trx) => {
      // It may have been moved away while this process waited for its turn.
      if (use !== 'move') await refuseRetired(trx, url);
      return work(trx);
    });
  try {
    const { id, schema } = await bringUpToDate(db, locked, url, use);
    return {
      db,
      id,
      url,
      schema,
      write,
      rehearse: async (work) => {
        let result: { value: Awaited<ReturnType<typeof work>> } | undefined;
        await write(async (trx) => {
          result = { value: await work(trx) };
          throw new Undo();
        }).catch((error: unknown) => {
          if (!(error instanceof Undo)) throw error;
        });
        if (!result) throw new Error('a rehearsal ended without a result');
        return result.value;
      },
      close: () => db.destroy(),
    };
  } catch (error) {
    await db.destroy();
    return explain(url)(error);
  }
}

/** For one statement on a server: of a run and of what changes the ledger; of what goes through a whole ledger. */
const WRITE_MS = 60_000;
const LONG_MS = 600_000;

/** One number for the ledger-wide lock; advisory locks of PostgreSQL are per database. */
const LOCK = 7_264_011;

class Undo extends Error {}

async function sqliteFile(url: string, use: LedgerUse): Promise<Dialect> {
  const path = url.slice('sqlite:'.length);
  const { createFile, sqliteDialect } = await import('./sqlite.ts');
  if (!existsSync(path)) {
    if (use !== 'create' && use !== 'move') throw missing(url);
    try {
      createFile(path);
    } catch (error) {
      // Another process may have made it just now: then it is opened like any other.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw explained(url, error);
    }
  }
  const owner = statSync(path).uid;
  if (process.geteuid && owner !== process.geteuid()) {
    throw new BridgeError(
      'ledger/owner',
      `${path} belongs to user id ${owner}, and this is user id ${process.geteuid()}`,
      'Run the command as the owner of the ledger, e.g. `sudo -u aio-dca aio-dca …`.',
    );
  }
  return sqliteDialect(path);
}

async function postgresqlServer(url: string, password: Secret | undefined, use: LedgerUse): Promise<Dialect> {
  const { postgresqlDialect } = await import('./postgresql.ts');
  return postgresqlDialect(url, password, use === 'write' ? WRITE_MS : LONG_MS);
}

async function bringUpToDate(
  db: Db,
  write: Ledger['write'],
  url: string,
  use: LedgerUse,
): Promise<{ id: string; schema: number }> {
  const known = Object.keys(migrations);
  const applied = await appliedMigrations(db, url);
  const unknown = applied.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new BridgeError(
      'ledger/newer',
      `the ledger at ${url} has the steps ${unknown.join(', ')}, which this program does not know`,
      'A newer version of aio-dca has used it. Install that version again.',
    );
  }
  const creates = use === 'create' || use === 'move';
  if (applied.length === 0 && !creates) throw missing(url);
  if (applied.length < known.length) {
    if (!creates && !(use === 'write' && url.startsWith('sqlite:'))) {
      throw new BridgeError(
        'ledger/outdated',
        `the ledger at ${url} has ${applied.length} of ${known.length} schema steps`,
        'Run `aio-dca migrate`.',
      );
    }
    await write(migrate);
  }
  const row = await db.selectFrom('ledger').select('id').executeTakeFirst();
  if (!row) throw missing(url);
  if (use !== 'move') await refuseRetired(db, url);
  return { id: row.id, schema: known.length };
}

async function refuseRetired(db: Db, url: string): Promise<void> {
  const { retired_to: place } = await db.selectFrom('ledger').select('retired_to').executeTakeFirstOrThrow();
  if (place === null) return;
  if (place === UNFINISHED) {
    throw new BridgeError(
      'ledger/unfinished',
      `the copy of a ledger at ${url} was not finished`,
      `Run \`aio-dca ledger copy --to ${url}\` again, with the configuration that names the ledger it came from.`,
    );
  }
  throw new BridgeError(
    'ledger/retired',
    `the ledger at ${url} was moved to ${place} and is not used any more`,
    `Set [ledger] url = "${place}".`,
  );
}

async function migrate(trx: Trx): Promise<void> {
  const migrator = new Migrator({ db: trx, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
  await trx
    .insertInto('ledger')
    .values({ one: 1n, id: randomUUID(), created_at: now() })
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
    'Check [ledger] url. To begin a new ledger there, run `aio-dca migrate`.',
  );
}

/** The dialect, with every failure of a statement or a connection in an operator's words. */
function explaining(dialect: Dialect, url: string): Dialect {
  const createDriver = dialect.createDriver.bind(dialect);
  dialect.createDriver = () => {
    const driver = createDriver();
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
    throw explained(url, error);
  };
}

/** What a failure of the database means to an operator; a failed constraint stays as it is: a defect. */
function explained(url: string, error: unknown): unknown {
  if (error instanceof BridgeError || error instanceof Undo || !(error instanceof Error)) return error;
  const { code, errcode, message } = error as Error & { code?: string; errcode?: number };
  const of = (
    known: 'ledger/busy' | 'ledger/unreachable' | 'ledger/rights' | 'ledger/unusable',
    hint: string,
  ) => new BridgeError(known, `the ledger at ${url}: ${message || code}`, hint, { cause: error });
  // https://www.sqlite.org/rescode.html: 5 busy, 6 locked, 8 readonly, 10 I/O, 11 corrupt, 13 full, 14 cannot open, 26 no database.
  const sqlite = typeof errcode === 'number' ? errcode & 0xff : undefined;
  if (sqlite === 5 || sqlite === 6)
    return of('ledger/busy', 'Another command writes to it; the next run goes on.');
  if (sqlite === 10 || sqlite === 13) return of('ledger/unreachable', 'Check the disk and its free space.');
  if (sqlite !== undefined && [8, 11, 14, 26].includes(sqlite)) {
    return of(
      'ledger/unusable',
      'Check that [ledger] url names a ledger, and the rights on it and its folder.',
    );
  }
  // https://www.postgresql.org/docs/current/errcodes-appendix.html
  if (code === '55P03' || code === '25P03' || code === '57014') {
    return of('ledger/busy', 'Another command holds it; the next run goes on.');
  }
  if (/^(28|3D|42501)/.test(code ?? '')) {
    return of('ledger/rights', 'Check user, password, database and rights of [ledger].');
  }
  if (/^(08|53|57P)/.test(code ?? '') || /^E(CONN|HOST|NET|PIPE|TIMEDOUT|AI_)|^ENOTFOUND/.test(code ?? '')) {
    return of('ledger/unreachable', 'Check that the PostgreSQL of [ledger] runs and can be reached.');
  }
  if (/timeout|Connection terminated|not queryable/i.test(message)) {
    return of('ledger/unreachable', 'Check that the PostgreSQL of [ledger] runs and can be reached.');
  }
  if (code === 'ENOENT' || code === 'EACCES' || code === 'EROFS') {
    return of(
      'ledger/unusable',
      'Check that the folder of [ledger] url exists and that you may write there.',
    );
  }
  return error;
}
