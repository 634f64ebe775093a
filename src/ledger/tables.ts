import { sql } from 'kysely';
import type { Db } from './open.ts';

/** Lets PostgreSQL count on after the highest id, once ids were inserted as given; SQLite does so by itself. */
export async function syncIdentity(db: Db, table: string): Promise<void> {
  if (!db.getExecutor().adapter.supportsMultipleConnections) return;
  await sql`select setval(pg_get_serial_sequence(${table}, 'id'), (select coalesce(max(id), 0) from ${sql.table(table)}) + 1, false)`.execute(
    db,
  );
}
