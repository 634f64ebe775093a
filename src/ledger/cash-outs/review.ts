import { BridgeError } from '../../errors.ts';
import { saysTheSame } from '../../lib/same-columns.ts';
import type { Instant } from '../../time.ts';
import { record, type Who } from '../log/log.ts';
import type { Trx } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';

export interface Finding {
  cashOutId: string;
  source: string;
  machine: string | null;
  reason: string;
  /** One sentence for people. */
  detail: string;
  /** What Lamassu said, column by column. */
  lamassu: Record<string, string | null | undefined>;
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
  return known.state !== 'dismissed' && !saysTheSame(known.lamassu, finding.lamassu);
}

/**
 * Puts a row before a person: true when it was not before one, or for another reason. A row that waits already keeps
 * its place, with the newest reason.
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
    await recordOpened(trx, finding, undefined, at, run);
    return true;
  }
  if (!isNews(known, finding)) return false;
  // A row that waits already keeps its place; that it waits for another reason is told all the same.
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
  if (tell) await recordOpened(trx, finding, known, at, run);
  return tell;
}

/** In the log as that run's. What a person does to a row has an entry of its own. */
async function recordOpened(
  trx: Trx,
  { cashOutId: subject, reason: why, detail }: Finding,
  known: Schema['review'] | undefined,
  at: Instant,
  run: bigint | null,
): Promise<void> {
  if (run === null) return;
  const { actor } = await trx
    .selectFrom('runs')
    .select('actor')
    .where('id', '=', run)
    .executeTakeFirstOrThrow();
  await record(
    trx,
    { actor, run },
    {
      ...{ at, action: 'review open', subject, reason: detail },
      before: known && { state: known.state, reason: known.reason },
      after: { state: 'open', reason: why },
    },
  );
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

/**
 * Lets a row pass that only its date, its size or its currency holds back: the next run ingests it, as long as Lamassu says of it
 * what `finding` has. It need not be in review. False where it was released like this already.
 */
export async function releaseRow(
  trx: Trx,
  who: Who,
  finding: Finding,
  confirmedAt: Instant,
  reason: string | undefined,
  at: Instant,
): Promise<boolean> {
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
  // It may lie far behind what a run reads by itself.
  await trx
    .insertInto('watch')
    .values({ cash_out_id: id, source, confirmed_at: confirmedAt, since: at })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const before = { state: known?.state ?? null, reason: known?.reason ?? null };
  const after = { state: now.state, reason: now.reason };
  await record(trx, who, { at, action: 'review release', subject: id, before, after, reason });
  return true;
}

/**
 * Hides a row from the people's list; what becomes eligible is ingested all the same. False where it was hidden already.
 * Throws `usage/invalid` where it is not in review, was processed, or waits for a release.
 */
export async function dismissRow(
  trx: Trx,
  who: Who,
  id: string,
  reason: string,
  at: Instant,
): Promise<boolean> {
  const known = await trx.selectFrom('review').selectAll().where('cash_out_id', '=', id).executeTakeFirst();
  if (!known) throw refuse(`${id} is not in review`, '`aio-dca review list` shows what is.');
  if (known.state === 'dismissed') return false;
  if (known.state === 'processed') {
    throw refuse(`${id} was distributed and waits for nobody`, `\`aio-dca cash-outs show ${id}\` shows how.`);
  }
  if (known.reason === 'large' || known.reason === 'currency-changed') {
    throw refuse(
      `${id} is sound and only ${known.reason === 'large' ? 'large' : 'in another currency'}: hidden, its sats would be lost to the clients`,
      `\`aio-dca review release ${id}\` lets the next run distribute it.`,
    );
  }
  await closeReview(trx, id, 'dismissed', { at, by: who.actor, reason });
  const before = { state: known.state, reason: known.reason };
  const after = { state: 'dismissed', reason: known.reason };
  await record(trx, who, { at, action: 'review dismiss', subject: id, before, after, reason });
  return true;
}

/**
 * Keeps that a person saw what Lamassu says by now of a row that is in the ledger, and lets that stand.
 * False where that is kept already.
 */
export async function acceptRow(
  trx: Trx,
  who: Who,
  { cashOutId: id, source, machine, detail, ...finding }: Finding,
  reason: string,
  at: Instant,
): Promise<boolean> {
  const lamassu = JSON.stringify(finding.lamassu);
  const known = await trx.selectFrom('review').selectAll().where('cash_out_id', '=', id).executeTakeFirst();
  if (known?.state === 'dismissed' && saysTheSame(known.lamassu, finding.lamassu)) return false;
  const now = {
    ...{ source, machine, detail, lamassu, reason: finding.reason, state: 'dismissed' as const },
    ...{ closed_at: at, closed_by: who.actor, closed_reason: reason },
  };
  await trx
    .insertInto('review')
    .values({ cash_out_id: id, since: at, ...now })
    .onConflict((conflict) => conflict.column('cash_out_id').doUpdateSet(now))
    .execute();
  const before = { state: known?.state ?? null, reason: known?.reason ?? null };
  const after = { state: now.state, reason: now.reason, detail };
  await record(trx, who, { at, action: 'review dismiss', subject: id, before, after, reason });
  return true;
}

function refuse(message: string, hint: string): BridgeError {
  return new BridgeError('usage/invalid', `ID: ${message}.`, hint);
}
