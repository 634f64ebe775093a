import type { Instant } from '../time.ts';
import type { Trx } from './open.ts';
import type { Schema } from './schema.ts';

export interface Finding {
  cashOutId: string;
  source: string;
  machine: string | null;
  reason: string;
  /** One sentence for people. */
  detail: string;
  /** What Lamassu said, column by column. */
  lamassu: Record<string, string | null>;
}

/**
 * Whether a finding says something that is not before a person already. One that was dismissed or processed comes
 * back only for another reason, or when Lamassu says something else than it did then.
 */
export function isNews(
  known: Pick<Schema['review'], 'reason' | 'lamassu' | 'state'> | undefined,
  finding: Finding,
): boolean {
  if (!known || known.reason !== finding.reason) return true;
  return known.state !== 'dismissed' && known.lamassu !== JSON.stringify(finding.lamassu);
}

/**
 * Puts a row before a person, once: true when it was not before one. A row that waits already keeps its place, with
 * the newest reason.
 */
export async function toReview(
  trx: Trx,
  finding: Finding,
  at: Instant,
  run: bigint | null,
): Promise<boolean> {
  const lamassu = JSON.stringify(finding.lamassu);
  const known = await trx
    .selectFrom('review')
    .selectAll()
    .where('cash_out_id', '=', finding.cashOutId)
    .executeTakeFirst();
  if (!known) {
    await trx
      .insertInto('review')
      .values({
        cash_out_id: finding.cashOutId,
        source: finding.source,
        machine: finding.machine,
        reason: finding.reason,
        detail: finding.detail,
        lamassu,
        since: at,
        run_id: run,
        state: 'open',
      })
      .execute();
    return true;
  }
  if (!isNews(known, finding)) return false;
  const again = known.state !== 'open';
  await trx
    .updateTable('review')
    .set({
      reason: finding.reason,
      detail: finding.detail,
      lamassu,
      state: 'open',
      closed_at: null,
      closed_by: null,
      closed_reason: null,
      ...(again ? { since: at, run_id: run } : {}),
    })
    .where('cash_out_id', '=', finding.cashOutId)
    .execute();
  return again;
}

/** Ends a row's stay in review, if it is there. */
export async function closeReview(
  trx: Trx,
  cashOutId: string,
  state: Exclude<Schema['review']['state'], 'open' | 'released'>,
  how: { at: Instant; by: string; reason: string },
): Promise<void> {
  await trx
    .updateTable('review')
    .set({ state, closed_at: how.at, closed_by: how.by, closed_reason: how.reason })
    .where('cash_out_id', '=', cashOutId)
    .where('state', 'in', ['open', 'released'])
    .execute();
}
