import { sql } from 'kysely';
import type { Db } from './open.ts';

export interface TableKey {
  name: string;
  /** Its primary key. */
  key: string[];
}

/**
 * Every table with rows to copy, after the tables that it refers to. `ledger`, whose one row names its place, and
 * `lease`, which belongs to a run, are not copied.
 */
export const tables: readonly TableKey[] = [
  { name: 'currencies', key: ['code'] },
  { name: 'sources', key: ['name'] },
  { name: 'machines', key: ['device_id'] },
  { name: 'machine_rates', key: ['id'] },
  { name: 'wallets', key: ['id'] },
  { name: 'recipients', key: ['id'] },
  { name: 'client_settings', key: ['id'] },
  { name: 'client_limits', key: ['id'] },
  { name: 'fundings', key: ['id'] },
  { name: 'runs', key: ['id'] },
  { name: 'claims', key: ['nonce'] },
  { name: 'cash_outs', key: ['id'] },
  { name: 'payouts', key: ['id'] },
  { name: 'allocations', key: ['id'] },
  { name: 'payout_parts', key: ['payout_id', 'part'] },
  { name: 'payments', key: ['id'] },
  { name: 'review', key: ['cash_out_id'] },
  { name: 'watch', key: ['cash_out_id'] },
  { name: 'log', key: ['id'] },
  { name: 'requests', key: ['principal', 'key'] },
  { name: 'clock_doubts', key: ['id'] },
  { name: 'commission_weights', key: ['id'] },
  { name: 'commission_shares', key: ['id'] },
  { name: 'settlements', key: ['cash_out_id'] },
  { name: 'voids', key: ['id'] },
  { name: 'credits', key: ['id'] },
  { name: 'credit_members', key: ['credit_id', 'cash_out_id'] },
  { name: 'contradictions', key: ['id'] },
  { name: 'people', key: ['id'] },
  { name: 'credentials', key: ['id'] },
  { name: 'invitations', key: ['id'] },
  { name: 'sessions', key: ['id'] },
  { name: 'tokens', key: ['id'] },
];

export type AnyRow = Record<string, string | bigint | null>;

// SQLite takes 32,766 values in one statement, and the widest table has fewer than 30 columns.
const PAGE = 500;

/** The rows of a table in the order of its key, page by page. */
export async function* tablePages(db: Db, { name, key }: TableKey): AsyncGenerator<AnyRow[]> {
  const columns = sql.join(key.map((column) => sql.ref(column)));
  for (let last: AnyRow | undefined; ; ) {
    const values = key.map((column) => sql.val(last?.[column]));
    const after = last ? sql`where (${columns}) > (${sql.join(values)})` : sql``;
    const query = sql<AnyRow>`select * from ${sql.table(name)} ${after} order by ${columns} limit ${sql.lit(PAGE)}`;
    const { rows } = await query.execute(db);
    if (rows.length > 0) yield rows;
    if (rows.length < PAGE) return;
    last = rows.at(-1);
  }
}

/**
 * Sets PostgreSQL's sequences to the highest ids, after ids were inserted explicitly; SQLite does this automatically.
 */
export async function syncIdentity(db: Db, table: string): Promise<void> {
  if (!isPostgres(db)) return;
  await sql`select setval(pg_get_serial_sequence(${table}, 'id'), (select coalesce(max(id), 0) from ${sql.table(table)}) + 1, false)`.execute(
    db,
  );
}

/** The tables whose ids come from PostgreSQL's sequences; none on SQLite. */
export async function countedTables(db: Db): Promise<string[]> {
  if (!isPostgres(db)) return [];
  const { rows } = await sql<{ name: string }>`select table_name as name from information_schema.columns
    where table_schema = current_schema() and is_identity = 'YES'`.execute(db);
  return rows.map(({ name }) => name);
}

export function isPostgres(db: Db): boolean {
  return db.getExecutor().adapter.supportsMultipleConnections === true;
}
