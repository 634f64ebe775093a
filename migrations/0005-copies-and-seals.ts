import { randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';

/**
 * What tells the copies of a ledger apart, and its payments from what others write into their own wallets.
 *
 * `claims`: the right to pay that a run put into the source wallet, where every copy of the ledger sees it. It is
 * `checked` once no other copy's was found, and `over` once nothing can be sent under it any more.
 *
 * `seal_secret` seals the labels of payments and claims. `all_sealed`: whether the ledger had it from its beginning;
 * what an older one paid before has no seal, and a backup from before gets another secret.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = db.getExecutor().adapter.supportsMultipleConnections;
  const d = postgres
    ? { int: 'int8', text: 'text collate "C"', end: '' }
    : { int: 'integer', text: 'text', end: ' strict' };
  const run = (text: string) => sql.raw(text).execute(db);
  await run(`create table claims (
    nonce ${d.text} primary key, run_id ${d.int} not null references runs, wallet_id ${d.text} not null,
    payment_hash ${d.text}, made_at ${d.text} not null,
    checked ${d.int} not null default 0 check (checked in (0, 1)),
    over ${d.int} not null default 0 check (over in (0, 1))
  )${d.end}`);
  await run('create index claims_open on claims (run_id) where over = 0');
  await run(`alter table ledger add column seal_secret ${d.text}`);
  await run(
    `alter table ledger add column all_sealed ${d.int} not null default 0 check (all_sealed in (0, 1))`,
  );
  await sql`update ledger set seal_secret = ${randomBytes(32).toString('hex')}`.execute(db);
}
