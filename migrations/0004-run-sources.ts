import { type Kysely, sql } from 'kysely';

/**
 * Which Lamassu a run reads, so that each is watched by itself where several share a ledger. Earlier runs are given the
 * only one that there is; where there are several, it is not known of which they were.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = db.getExecutor().adapter.supportsMultipleConnections;
  const run = (text: string) => sql.raw(text).execute(db);
  await run(`alter table runs add column source ${postgres ? 'text collate "C"' : 'text'}`);
  await run(`update runs set source = (select name from sources)
    where kind = 'poll' and (select count(*) from sources) = 1`);
  await run('create index runs_source on runs (source, id)');
}
