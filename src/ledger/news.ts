import { creditsIn, stuckCredits } from './credits.ts';
import type { Db } from './open.ts';
import { notSettled } from './payouts.ts';

/** What a run left for people: its number, and the payouts that needed one when it ended. */
export interface LastReport {
  run: bigint;
  payouts: Set<string>;
}

/**
 * The last run that came to its end and said so. What a killed run found out was told to nobody: the next report
 * counts from here.
 */
export async function lastReport(db: Db): Promise<LastReport> {
  const row = await db
    .selectFrom('runs')
    .select(['id', 'summary'])
    .where('kind', '=', 'poll')
    .where('summary', 'is not', null)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row?.summary) return { run: 0n, payouts: new Set() };
  const { needing_people: payouts = [] } = JSON.parse(row.summary) as { needing_people?: string[] };
  return { run: row.id, payouts: new Set(payouts) };
}

/**
 * Payouts that are held or unknown, as `p12`, and such credits of the source wallet, as `c3`, with those that are not
 * made. `creditSource`: whether runs credit the source wallet.
 */
export async function payoutsNeedingPeople(db: Db, creditSource: boolean): Promise<string[]> {
  const rows = await db
    .selectFrom('payouts')
    .select('id')
    .where(notSettled)
    .where('state', 'in', ['held', 'unknown'])
    .orderBy('id')
    .execute();
  const credits = [...(await creditsIn(db, ['unknown', 'held'])), ...(await stuckCredits(db, creditSource))];
  return [...rows.map((row) => `p${row.id}`), ...credits.map((row) => `c${row.id}`)];
}

/** How many rows have come into review since that report and are still there. */
export async function reviewsSince(db: Db, last: LastReport): Promise<number> {
  const { count } = await db
    .selectFrom('review')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('state', '=', 'open')
    .where('run_id', '>', last.run)
    .executeTakeFirstOrThrow();
  return Number(count);
}
