import { type Kysely, sql } from 'kysely';

/**
 * What was asked under a key, with its answer: asked again, it is answered again, and nothing is done twice. The input
 * is there as its hash only. The log says on whose right each change was made; of those of before nobody wrote it down.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = db.getExecutor().adapter.supportsMultipleConnections;
  const text = postgres ? 'text collate "C"' : 'text';
  const run = (statement: string) => sql.raw(statement).execute(db);
  await run(`create table requests (
    principal ${text} not null,
    key ${text} not null check (key <> ''),
    operation ${text} not null,
    input_hash ${text} not null check (length(input_hash) = 64),
    answer ${text} not null,
    at ${text} not null,
    primary key (principal, key)
  )${postgres ? '' : ' strict'}`);
  const never = 'a request that was answered never changes';
  if (postgres) {
    await run(`create function requests_are_final() returns trigger language plpgsql as
      $$ begin raise exception '${never}' using errcode = 'check_violation'; end $$`);
    await run(`create trigger requests_are_final before update on requests for each row
      execute function requests_are_final()`);
  } else {
    await run(`create trigger requests_are_final before update on requests
      begin select raise(abort, '${never}'); end`);
  }
  await run(`alter table log add column principal ${text}`);
}
