import { type Kysely, sql } from 'kysely';

/** Whether a wallet's key was seen to show an invoice that it made. Of those of before nobody looked at it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = db.getExecutor().adapter.supportsMultipleConnections;
  await sql
    .raw(`alter table wallets add column seen_at ${postgres ? 'text collate "C"' : 'text'}`)
    .execute(db);
}
