import { notFound, wrongState } from '../../errors.ts';
import { call, message } from '../../lib/message.ts';
import { saysTheSame } from '../../lib/same-columns.ts';
import type { Instant } from '../../time.ts';
import { type Act, type ReasonedAct, record } from '../log/log.ts';
import type { Trx } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';

export interface Finding {
  cashOutId: string;
  source: string;
  machine: string | null;
  reason: string;
  /** One sentence to read. */
  detail: string;
  /** Lamassu's row, column by column. */
  lamassu: Record<string, string | null | undefined>;
}

/**
 * Whether a finding is new to the review queue. A row that was dismissed or distributed comes back only for another
 * reason, or if Lamassu's row has changed since.
 */
export function isNews(
  known: Pick<Schema['review'], 'reason' | 'lamassu' | 'state'> | undefined,
  finding: Finding,
): boolean {
  if (!known || known.reason !== finding.reason) return true;
  return known.state !== 'dismissed' && !saysTheSame(known.lamassu, finding.lamassu);
}

/**
 * Puts a row into review. True if it was not there, or was there for another reason. A row that already waits keeps its
 * place and gets the new reason.
 */
export async function toReview(trx: Trx, act: Act, finding: Finding): Promise<boolean> {
  const { at, run } = act;
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
    await recordOpened(trx, act, finding, undefined);
    return true;
  }
  if (!isNews(known, finding)) return false;
  // A row that already waits keeps its place; a new reason is reported.
  const again = known.state !== 'open';
  const tell = again || known.reason !== finding.reason;
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
      ...(again ? { since: at } : {}),
      ...(tell ? { run_id: run } : {}),
    })
    .where('cash_out_id', '=', finding.cashOutId)
    .execute();
  if (tell) await recordOpened(trx, act, finding, known);
  return tell;
}

/** Logs it as the run's change. The operator's decisions have log entries of their own. */
async function recordOpened(
  trx: Trx,
  act: Act,
  { cashOutId: subject, reason: why, detail }: Finding,
  known: Schema['review'] | undefined,
): Promise<void> {
  if (act.run === null) return;
  await record(trx, act, {
    ...{ action: 'review open', subject, reason: detail },
    before: known && { state: known.state, reason: known.reason },
    after: { state: 'open', reason: why },
  });
}

/** Closes a row's entry in review, if there is one. */
export async function closeReview(
  trx: Trx,
  { at, actor, reason }: ReasonedAct,
  cashOutId: string,
  state: Exclude<Schema['review']['state'], 'open' | 'released'>,
): Promise<void> {
  await trx
    .updateTable('review')
    .set({ state, closed_at: at, closed_by: actor, closed_reason: reason })
    .where('cash_out_id', '=', cashOutId)
    .where('state', 'in', ['open', 'released'])
    .execute();
}

/**
 * Releases a row that only its date, its size or its currency holds back: the next run ingests it, if Lamassu's row is
 * still as in `finding`. It need not be in review. False if it was released like this before.
 */
export async function releaseRow(
  trx: Trx,
  act: Act,
  finding: Finding,
  confirmedAt: Instant,
): Promise<boolean> {
  const { at } = act;
  const { cashOutId: id, source, machine, detail } = finding;
  const lamassu = JSON.stringify(finding.lamassu);
  const known = await trx.selectFrom('review').selectAll().where('cash_out_id', '=', id).executeTakeFirst();
  if (known?.state === 'released' && saysTheSame(known.lamassu, finding.lamassu)) return false;
  const now = { source, machine, detail, lamassu, reason: finding.reason, state: 'released' as const };
  const open = { closed_at: null, closed_by: null, closed_reason: null };
  await trx
    .insertInto('review')
    .values({ cash_out_id: id, since: at, ...now })
    .onConflict((conflict) => conflict.column('cash_out_id').doUpdateSet({ ...now, ...open }))
    .execute();
  // Watch it: it may be older than the window of a run.
  await trx
    .insertInto('watch')
    .values({ cash_out_id: id, source, confirmed_at: confirmedAt, since: at })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const before = { state: known?.state ?? null, reason: known?.reason ?? null };
  const after = { state: now.state, reason: now.reason };
  await record(trx, act, { action: 'review release', subject: id, before, after });
  return true;
}

/**
 * Hides a row from the list; if it becomes eligible, it is ingested anyway. False if it was hidden before. Throws
 * `usage/invalid`: `not-found` if it is not in review, `state` if it was distributed or waits for a release.
 */
export async function dismissRow(trx: Trx, act: ReasonedAct, id: string): Promise<boolean> {
  const known = await trx.selectFrom('review').selectAll().where('cash_out_id', '=', id).executeTakeFirst();
  if (!known) throw notFound('id', `${id} is not in review`, message`${call('review.list')} shows what is.`);
  if (known.state === 'dismissed') return false;
  if (known.state === 'processed') {
    throw wrongState(
      'id',
      `${id} was distributed and does not wait for the operator`,
      message`${call('cash_outs.show', { id })} shows how.`,
    );
  }
  if (known.reason === 'large' || known.reason === 'currency-changed') {
    throw wrongState(
      'id',
      `${id} is sound and only ${known.reason === 'large' ? 'large' : 'in another currency'}: hidden, its sats would be lost to the clients`,
      message`${call('review.release', { id })} lets the next run distribute it.`,
    );
  }
  await closeReview(trx, act, id, 'dismissed');
  const before = { state: known.state, reason: known.reason };
  const after = { state: 'dismissed', reason: known.reason };
  await record(trx, act, { action: 'review dismiss', subject: id, before, after });
  return true;
}

/** Accepts what Lamassu says now of a processed row. False if it was accepted before. */
export async function acceptRow(
  trx: Trx,
  act: ReasonedAct,
  { cashOutId: id, source, machine, detail, ...finding }: Finding,
): Promise<boolean> {
  const { at, actor, reason } = act;
  const lamassu = JSON.stringify(finding.lamassu);
  const known = await trx.selectFrom('review').selectAll().where('cash_out_id', '=', id).executeTakeFirst();
  if (known?.state === 'dismissed' && saysTheSame(known.lamassu, finding.lamassu)) return false;
  const now = {
    ...{ source, machine, detail, lamassu, reason: finding.reason, state: 'dismissed' as const },
    ...{ closed_at: at, closed_by: actor, closed_reason: reason },
  };
  await trx
    .insertInto('review')
    .values({ cash_out_id: id, since: at, ...now })
    .onConflict((conflict) => conflict.column('cash_out_id').doUpdateSet(now))
    .execute();
  const before = { state: known?.state ?? null, reason: known?.reason ?? null };
  const after = { state: now.state, reason: now.reason, detail };
  await record(trx, act, { action: 'review dismiss', subject: id, before, after });
  return true;
}
