import { type SqlBool, sql } from 'kysely';
import type { Db } from '../store/open.ts';
import { noSuchRow, type Page, type PageOptions } from '../store/page.ts';
import type { Schema } from '../store/schema.ts';
import { type CashOutRow, readCashOutList } from './view.ts';

/* Rows in review, as lists and pages show them. */

export type ReviewRow = Schema['review'] & { machineName: string | null };

/** Rows that wait for the operator; with `closed`, also the closed ones. */
export async function readReviewList(
  db: Db,
  { limit, after, closed }: PageOptions & { closed: boolean },
): Promise<Page<ReviewRow>> {
  const query = db
    .selectFrom('review')
    .$if(!closed, (some) => some.where('state', 'in', ['open', 'released']));
  const from =
    after === undefined
      ? undefined
      : await db
          .selectFrom('review')
          .select(['since', 'cash_out_id'])
          .where('cash_out_id', '=', after)
          .executeTakeFirst();
  if (after !== undefined && !from) throw noSuchRow(after);
  const rows = await query
    .$if(from !== undefined, (some) =>
      some.where(sql<SqlBool>`(review.since, review.cash_out_id) < (${from?.since}, ${from?.cash_out_id})`),
    )
    .leftJoin('machines', 'machines.device_id', 'review.machine')
    .selectAll('review')
    .select('machines.name as machineName')
    .orderBy('since', 'desc')
    .orderBy('cash_out_id', 'desc')
    .limit(limit)
    .execute();
  const { total } = await query
    .select((eb) => eb.fn.countAll<bigint>().as('total'))
    .executeTakeFirstOrThrow();
  return { rows, total: Number(total) };
}

export interface ReviewDetail {
  review: ReviewRow;
  /** What the ledger knows of it: when it was processed, or since when it is watched. */
  cashOut: CashOutRow | null;
  watchedSince: string | null;
  /** The last release. */
  release: { at: string; actor: string; reason: string | null } | null;
}

/** A row in review by its whole id; undefined if it never was in review. */
export async function findReview(db: Db, id: string): Promise<ReviewDetail | undefined> {
  const review = await db
    .selectFrom('review')
    .leftJoin('machines', 'machines.device_id', 'review.machine')
    .selectAll('review')
    .select('machines.name as machineName')
    .where('cash_out_id', '=', id)
    .executeTakeFirst();
  if (!review) return undefined;
  const release = await db
    .selectFrom('log')
    .select(['at', 'actor', 'reason'])
    .where('subject', '=', id)
    .where('action', '=', 'review release')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const watch = await db.selectFrom('watch').select('since').where('cash_out_id', '=', id).executeTakeFirst();
  const [cashOut] = (await readCashOutList(db, { limit: 1 }, { id })).rows;
  return { review, cashOut: cashOut ?? null, watchedSince: watch?.since ?? null, release: release ?? null };
}

/** The same for a row that is in review for certain. */
export async function readReview(db: Db, id: string): Promise<ReviewDetail> {
  const found = await findReview(db, id);
  if (!found) throw new Error(`${id} is not in review`);
  return found;
}
