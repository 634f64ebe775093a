import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { SqliteAdapter, SqliteDialect } from 'kysely';

/** How long a statement waits for another writer of the same file, in ms. */
const BUSY_MS = 10_000;

/**
 * Kysely's dialect over Node's own SQLite. Integers are read as bigint.
 * A committed transaction is on the disk when the commit returns (WAL with `synchronous = FULL`).
 */
export function sqliteDialect(path: string): SqliteDialect {
  return new (class extends SqliteDialect {
    // SQLite can roll back DDL, though Kysely's adapter assumes that it cannot.
    override createAdapter(): SqliteAdapter {
      return new (class extends SqliteAdapter {
        override get supportsTransactionalDdl(): boolean {
          return true;
        }
      })();
    }
  })({ database: async () => new SqliteDatabase(path) });
}

/** Makes the empty file of a new ledger, readable by its owner only; its WAL files take over the mode. */
export function createFile(path: string): void {
  closeSync(openSync(path, 'wx', 0o600));
}

/** The interface of better-sqlite3, which Kysely's driver expects, over node:sqlite. */
class SqliteDatabase {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(path: string) {
    this.#db = new DatabaseSync(path, {
      readBigInts: true,
      timeout: BUSY_MS,
      enableForeignKeyConstraints: true,
    });
    this.#db.exec('pragma journal_mode = wal; pragma synchronous = full');
  }

  prepare(sql: string): SqliteStatement {
    // A transaction that begins by reading cannot start to write once another process has written.
    const text = sql === 'begin' ? 'begin immediate' : sql;
    const known = this.#statements.get(text);
    if (known) return known;
    const statement = new SqliteStatement(this.#db.prepare(text));
    // Lists of ids make statements of any length; cache only the few hundred that recur.
    if (this.#statements.size >= 500) this.#statements.clear();
    this.#statements.set(text, statement);
    return statement;
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}

class SqliteStatement {
  readonly reader: boolean;
  readonly #statement: StatementSync;

  constructor(statement: StatementSync) {
    this.#statement = statement;
    this.reader = statement.columns().length > 0;
  }

  all(parameters: readonly unknown[]): unknown[] {
    return this.#statement.all(...(parameters as SQLInputValue[]));
  }

  run(parameters: readonly unknown[]): { changes: bigint; lastInsertRowid: bigint } {
    const { changes, lastInsertRowid } = this.#statement.run(...(parameters as SQLInputValue[]));
    return { changes: BigInt(changes), lastInsertRowid: BigInt(lastInsertRowid) };
  }

  iterate(parameters: readonly unknown[]): IterableIterator<unknown> {
    return this.#statement.iterate(...(parameters as SQLInputValue[]));
  }
}
