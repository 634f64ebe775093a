import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import pg from 'pg';

type LedgerRow = Record<string, string | bigint | null>;

/**
 * Plain SQL on a ledger, past the program: `$1`, `$2`, … on both databases, integers as bigint.
 * `url` as in config.toml, with an absolute path or with the password.
 */
export async function ledgerSql(
  url: string,
  sql: string,
  values: (string | bigint | null)[] = [],
): Promise<LedgerRow[]> {
  if (url.startsWith('sqlite:')) {
    const db = new DatabaseSync(url.slice('sqlite:'.length), {
      readBigInts: true,
      timeout: 10_000,
      enableForeignKeyConstraints: true,
    });
    try {
      return db.prepare(sql.replaceAll(/\$(\d+)/g, '?$1')).all(...(values as SQLInputValue[])) as LedgerRow[];
    } finally {
      db.close();
    }
  }
  const client = new pg.Client({ connectionString: url, application_name: 'ledger-sql' });
  await client.connect();
  try {
    client.setTypeParser(pg.types.builtins.INT8, BigInt);
    return (await client.query<LedgerRow>(sql, values)).rows;
  } finally {
    await client.end();
  }
}
