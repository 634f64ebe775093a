import { sql } from 'kysely';
import type { Instant } from '../../time.ts';
import type { Act } from '../log/log.ts';
import type { Db, Trx } from '../store/open.ts';
import type { Page } from '../store/page.ts';
import type { Schema } from '../store/schema.ts';

/* What a run records between its start and its end, and the outcome of the newest run of a source. */

/** The run read the source to its end. */
export async function markRead(trx: Trx, run: bigint, at: Instant): Promise<void> {
  await trx.updateTable('runs').set({ read_at: at }).where('id', '=', run).execute();
}

/** When a run last read that source to its end; null: none did. */
export async function lastReadAt(db: Db, source: string): Promise<Instant | null> {
  const { at } = await db
    .selectFrom('runs')
    .select((eb) => eb.fn.max<Instant | null>('read_at').as('at'))
    .where('source', '=', source)
    .executeTakeFirstOrThrow();
  return at;
}

/** The run read the source to its end, and reached LNbits if there was something to pay. */
export async function markSucceeded(trx: Trx, run: bigint): Promise<void> {
  await trx.updateTable('runs').set({ succeeded: 1n }).where('id', '=', run).execute();
}

/** A placeholder: a dry run has no run in the ledger. Its rows name this one, and both are rolled back. */
export async function placeholderRun(
  trx: Trx,
  { actor, at }: Pick<Act, 'actor' | 'at'>,
  kind: string,
): Promise<bigint> {
  const { last } = await trx
    .selectFrom('runs')
    .select((eb) => eb.fn.coalesce(eb.fn.max('id'), sql<bigint>`0`).as('last'))
    .executeTakeFirstOrThrow();
  const id = last + 1n;
  await trx.insertInto('runs').values({ id, kind, actor, started_at: at }).execute();
  return id;
}

export interface LastPoll {
  startedAt: Instant;
  finishedAt: Instant;
  outcome: string;
  /** The number of occurrences of each error code. */
  problems: Map<string, number>;
}

/** The last run of this source that ended. A killed run counts once the next run has found it. */
export async function lastPoll(db: Db, source: string): Promise<LastPoll | undefined> {
  const row = await db
    .selectFrom('runs')
    .select(['started_at', 'finished_at', 'outcome', 'summary'])
    .where('kind', '=', 'poll')
    .where('source', '=', source)
    .where('outcome', 'is not', null)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row?.finished_at || row.outcome === null) return undefined;
  const { problems = [] } = JSON.parse(row.summary ?? '{}') as { problems?: { code: string }[] };
  const counts = new Map<string, number>();
  for (const { code } of problems) counts.set(code, (counts.get(code) ?? 0) + 1);
  return { startedAt: row.started_at, finishedAt: row.finished_at, outcome: row.outcome, problems: counts };
}

/** A run as lists show it. */
export type RunRow = Pick<
  Schema['runs'],
  'id' | 'kind' | 'actor' | 'started_at' | 'finished_at' | 'outcome' | 'summary'
>;

/** The newest runs, or those before another one, and how many there are in all. */
export async function readRunList(
  db: Db,
  { limit, after }: { limit: number; after?: bigint | undefined },
): Promise<Page<RunRow>> {
  const rows = await db
    .selectFrom('runs')
    .select(['id', 'kind', 'actor', 'started_at', 'finished_at', 'outcome', 'summary'])
    .$if(after !== undefined, (some) => some.where('id', '<', after ?? 0n))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  const { total } = await db
    .selectFrom('runs')
    .select((eb) => eb.fn.countAll<bigint>().as('total'))
    .executeTakeFirstOrThrow();
  return { rows, total: Number(total) };
}
