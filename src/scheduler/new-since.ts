import { sql } from 'kysely';
import { creditsIn, stuckCredits } from '../ledger/credits/credits.ts';
import { openContradictions } from '../ledger/payouts/contradictions.ts';
import { notSettled } from '../ledger/payouts/open-payouts.ts';
import type { Db } from '../ledger/store/open.ts';

/** The last report: the payouts and credits that needed the operator when that run ended. */
export interface LastReport {
  /** The last run that read Lamassu. */
  run: bigint;
  payouts: Set<string>;
  /** The newest entry of the log at that time; null if an older version wrote the report. */
  log: bigint | null;
}

/** The last run that ended and reported. A killed run reported nothing, so the next report counts from here. */
export async function lastReport(db: Db): Promise<LastReport> {
  const newest = (...kinds: string[]) =>
    db
      .selectFrom('runs')
      .select(['id', 'summary'])
      .where('kind', 'in', kinds)
      .where('summary', 'is not', null)
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
  const run = (await newest('poll'))?.id ?? 0n;
  const { summary } = (await newest('poll', 'fixed')) ?? {};
  if (!summary) return { run, payouts: new Set(), log: null };
  const { needing_people: payouts = [], log } = JSON.parse(summary) as {
    needing_people?: string[];
    log?: number;
  };
  return { run, payouts: new Set(payouts), log: log === undefined ? null : BigInt(log) };
}

/** The number of the newest entry of the log. */
export async function endOfLog(db: Db): Promise<bigint> {
  const { last } = await db
    .selectFrom('log')
    .select((eb) => eb.fn.coalesce(eb.fn.max('id'), sql<bigint>`0`).as('last'))
    .executeTakeFirstOrThrow();
  return last;
}

/**
 * Those that need the operator now and are new: they did not need the operator at the last report, or something
 * happened to them since. A payout that the operator released and that is held again is reported again, however often.
 */
export async function newsOf(db: Db, needing: string[], last: LastReport): Promise<string[]> {
  if (needing.length === 0) return [];
  const touched = await db
    .selectFrom('log')
    .select('subject')
    .distinct()
    .where('subject', 'in', needing)
    .where('id', '>', last.log ?? (await endOfLog(db)))
    .execute();
  const changed = new Set(touched.map(({ subject }) => subject));
  return needing.filter((id) => !last.payouts.has(id) || changed.has(id));
}

/**
 * Payouts (`p12`) and credits of the source wallet (`c3`) that are held or unknown, credits that are not made, and
 * both of which LNbits shows something that was given up. `creditSource`: whether runs credit the source wallet.
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
  const found = (await openContradictions(db)).map(({ payout_id, credit_id }) =>
    payout_id === null ? `c${credit_id}` : `p${payout_id}`,
  );
  return [...new Set([...rows.map((row) => `p${row.id}`), ...credits.map((row) => `c${row.id}`), ...found])];
}

/** A row that is new in review. */
export interface ReviewNews {
  id: string;
  machine: string | null;
  reason: string;
  /** One sentence about it. */
  detail: string;
}

/** How many rows of a run are named. */
export const ROWS_NAMED = 20;

/** How many rows have come into review since that report and are still there, and the first of them. */
export async function reviewsSince(
  db: Db,
  last: LastReport,
): Promise<{ reviews: number; rows: ReviewNews[] }> {
  const query = db.selectFrom('review').where('state', '=', 'open').where('run_id', '>', last.run);
  const { count } = await query
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  if (count === 0n) return { reviews: 0, rows: [] };
  const rows = await query
    .select(['cash_out_id as id', 'machine', 'reason', 'detail'])
    .orderBy('since')
    .orderBy('cash_out_id')
    .limit(ROWS_NAMED)
    .execute();
  return { reviews: Number(count), rows };
}
