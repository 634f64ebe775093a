import * as z from 'zod';
import { type BridgeError, concerns, notFound, wrongState } from '../errors.ts';
import type { JudgingConfig } from '../judging/judging.ts';
import { isHeld, type ReviewReason, reviewReasons, type Verdict } from '../judging/review-reasons.ts';
import { storedRow } from '../judging/source-row.ts';
import { acceptRow, dismissRow, releaseRow } from '../ledger/cash-outs/review.ts';
import { findReview, readReview, readReviewList } from '../ledger/cash-outs/review-view.ts';
import type { ReasonedAct, Who } from '../ledger/log/log.ts';
import { readNames } from '../ledger/store/names-by-id.ts';
import type { Trx } from '../ledger/store/open.ts';
import type { Schema } from '../ledger/store/schema.ts';
import { call, type Message, message } from '../lib/message.ts';
import { judgedInWords } from '../lib/reason-words.ts';
import { bind } from '../scheduler/setup.ts';
import { parseLimit } from '../typed/limit.ts';
import {
  dismissedView,
  releasedReviewView,
  reviewDetailView,
  reviewsView,
  unseenRowView,
  viewOfLedger,
  viewOfRelease,
  viewOfReview,
} from '../views/review.ts';
import { LAMASSU, SOURCE_ERRORS } from './errors.ts';
import { askLamassu, findRowId, type SourceAnswer } from './lookup-cash-out.ts';
import { assertUnchanged, type Book, digestOf, operation, withReason } from './operation.ts';
import { nextOf } from './review-next.ts';

/* Rows of Lamassu that are not distributed automatically and may need the operator. */

const one = z.strictObject({ id: z.string() });

export const listReview = operation({
  name: 'review.list',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({
    limit: z.string().optional(),
    /** The last row that was shown: those behind it. */
    after: z.string().optional(),
    /** Also those that were dismissed or distributed. */
    all: z.boolean().default(false),
  }),
  view: reviewsView,
  run: async ({ clock, ledger }, { limit, after, all }) => {
    const options = { limit: parseLimit(limit), after, closed: all };
    const { rows, total } = await readReviewList(ledger.db, options);
    const at = clock.now();
    return { rows: rows.map((row) => viewOfReview(row, at)), total };
  },
});

/** Asks Lamassu for the row as it is now; where that fails, the view says so. */
export const showReview = operation({
  name: 'review.show',
  needs: 'read',
  may: ['bookkeeper'],
  errors: LAMASSU,
  input: one,
  view: z.union([reviewDetailView, unseenRowView]),
  run: async ({ clock, ledger, config }, given) => {
    const { db } = ledger;
    const id = await findRowId(config, ledger, given.id.trim());
    const detail = await findReview(db, id);
    if (!detail) return unseenRow(config, ledger, id);
    const { review } = detail;
    const seen = await lookUp(config, ledger, review);
    const found = 'answer' in seen ? seen.answer.found : null;
    const { watched_since, cash_out } = viewOfLedger(detail);
    const said = storedRow(review.lamassu);
    return {
      ...viewOfReview(review, clock.now()),
      means: reviewReasons[review.reason as ReviewReason] ?? 'Another version of this program put it here.',
      lamassu: found && { ...found.columns },
      lamassu_says: says(seen),
      lamassu_actions: found?.actions ?? [],
      released: viewOfRelease(detail),
      ledger: {
        ...{ lamassu_said: said.columns, lamassu_said_actions: said.actions },
        ...{ watched_since, cash_out },
      },
      next: nextOf(review, found),
      digest: found && digestOf(found.columns),
    };
  },
});

/**
 * Releases a row that only `start_at`, `[review] cash_out_above`, its currency or a clock that was wrong holds back.
 * Errors: `usage/invalid` with the row's own reason where anything else does, `usage/changed` if the row is not that
 * of `digest`, and those of asking Lamassu.
 */
export const releaseReview = operation({
  name: 'review.release',
  needs: 'write',
  may: [],
  errors: [...SOURCE_ERRORS, 'usage/changed'],
  input: one.extend({ digest: z.string().optional() }),
  view: releasedReviewView,
  run: async ({ clock, ledger, config, who, write }, { id: named, digest }) => {
    const id = await findRowId(config, ledger, named.trim());
    const release = await releases(config, ledger, id, who, digest);
    return write(async (trx) => {
      const written = await release(trx);
      const detail = await readReview(trx, id);
      return { ...viewOfReview(detail.review, clock.now()), released: viewOfRelease(detail), written };
    });
  },
});

/**
 * Hides a row from the list. For a row that is in the ledger, it accepts what Lamassu says of it now: until that
 * changes again, `reconcile` does not report it. Errors: those of `dismissRow`, and for a row in the ledger those of
 * asking Lamassu.
 */
export const dismissReview = operation({
  name: 'review.dismiss',
  needs: 'write',
  may: [],
  errors: SOURCE_ERRORS,
  reasoned: true,
  input: one,
  view: dismissedView,
  run: async ({ clock, ledger, config, who, write }, given) => {
    const id = await findRowId(config, ledger, given.id.trim());
    const dismiss = await dismisses(config, ledger, id, { ...withReason(who), at: clock.now() });
    return write(async (trx) => {
      const written = await dismiss(trx);
      const { review, cashOut } = await readReview(trx, id);
      const stands = cashOut?.origin === 'settled' ? ('settlement' as const) : ('division' as const);
      const accepted = cashOut !== null && review.reason === 'changed' ? stands : null;
      return { ...viewOfReview(review, clock.now()), accepted, written };
    });
  },
});

/** What Lamassu says of a row at this moment, or why it could not be asked. */
type Lookup = { answer: SourceAnswer } | { failed: BridgeError };

/** Asks Lamassu; a failure that concerns only the asking is part of the answer. */
async function lookUp(
  config: JudgingConfig,
  ledger: Book,
  review: Pick<Schema['review'], 'cash_out_id' | 'state' | 'reason' | 'lamassu'>,
): Promise<Lookup> {
  try {
    return { answer: await askLamassu(config, ledger, review.cash_out_id, { review }) };
  } catch (error) {
    if (!concerns(error, 'source')) throw error;
    return { failed: error };
  }
}

function says(seen: Lookup): string | Message {
  if ('failed' in seen) return message`could not ask (${seen.failed.code}: ${seen.failed.sentence})`;
  const { found } = seen.answer;
  return found ? verdictInWords(found.verdict) : 'the row no longer exists';
}

function verdictInWords(verdict: Verdict): string {
  return verdict.eligible ? 'it is successful' : judgedInWords(verdict);
}

/** A row that was never in review, as Lamassu has it now. */
async function unseenRow(
  config: JudgingConfig,
  ledger: Book,
  id: string,
): Promise<z.input<typeof unseenRowView>> {
  const { db } = ledger;
  const distributed = await db.selectFrom('cash_outs').select('id').where('id', '=', id).executeTakeFirst();
  if (distributed) {
    throw wrongState(
      'id',
      `${id} was distributed and never was in review`,
      message`${call('cash_outs.show', { id })} shows how it was divided.`,
    );
  }
  const { found } = await askLamassu(config, ledger, id, {});
  if (!found) throw unknownRow(id);
  const { columns, machine, actions, verdict } = found;
  const { reason, detail } = verdict.eligible ? { reason: null, detail: null } : verdict;
  return {
    ...{ id: found.id, machine, reason, detail, state: null, since: null },
    machine_name: (await readNames(db)).machines.get(machine ?? '') ?? null,
    lamassu: { ...columns },
    lamassu_actions: actions,
    ledger: { lamassu_said: null, watched_since: null, cash_out: null },
    next:
      reason === null
        ? [call('poll')]
        : // What is not in the list cannot be hidden from it.
          nextOf({ cash_out_id: id, reason, state: 'dismissed' }, found),
    digest: digestOf(columns),
  };
}

/** Records what was found out before. False if it was recorded earlier. */
type Writing = (trx: Trx) => Promise<boolean>;

async function releases(
  config: JudgingConfig,
  ledger: Book,
  id: string,
  who: Who,
  digest: string | undefined,
): Promise<Writing> {
  const { db, clock } = ledger;
  const processed = await db
    .selectFrom('cash_outs')
    .select('processed_at')
    .where('id', '=', id)
    .executeTakeFirst();
  if (processed) {
    throw wrongState(
      'id',
      `${id} was distributed at ${processed.processed_at}`,
      message`${call('cash_outs.show', { id })} shows how it was divided.`,
    );
  }
  const review = await db
    .selectFrom('review')
    .select(['state', 'lamassu', 'reason', 'detail'])
    .where('cash_out_id', '=', id)
    .executeTakeFirst();
  // The reason of an earlier release is judged again.
  const answer = await askLamassu(config, ledger, id, { review: review && { ...review, state: 'open' } });
  if (!answer.found) throw unknownRow(id);
  const { columns, machine, confirmedAt, verdict } = answer.found;
  assertUnchanged(columns, digest);
  const byClock = verdict.eligible && review?.reason === 'clock';
  if (verdict.eligible && !byClock) {
    throw wrongState('id', `nothing holds ${id} back`, message`The next ${call('poll')} distributes it.`);
  }
  const { reason: held, detail } = verdict.eligible
    ? { reason: 'clock', detail: review?.detail ?? '' }
    : verdict;
  if (!(isHeld(held) || held === 'before-start' || held === 'clock') || confirmedAt === null) {
    throw wrongState(
      'id',
      `${id} cannot be distributed as it is: ${judgedInWords({ reason: held, detail })}`,
      message`${call('review.show', { id })} shows what can be done.`,
    );
  }
  const finding = {
    ...{ cashOutId: id, source: config.lamassu.name, machine },
    ...{ reason: held, detail, lamassu: columns },
  };
  return async (trx) => {
    await bind(trx, config.lamassu, answer, clock.now());
    return releaseRow(trx, { ...who, at: clock.now() }, finding, confirmedAt);
  };
}

async function dismisses(
  config: JudgingConfig,
  ledger: Book,
  id: string,
  act: ReasonedAct,
): Promise<Writing> {
  const { db } = ledger;
  const cashOut = await db
    .selectFrom('cash_outs')
    .selectAll()
    .where('id', '=', id)
    .where('origin', '<>', 'external')
    .executeTakeFirst();
  const review = await db
    .selectFrom('review')
    .select('state')
    .where('cash_out_id', '=', id)
    .executeTakeFirst();
  const hides: Writing = (trx) => dismissRow(trx, act, id);
  if (!cashOut || (cashOut.origin === 'lamassu' && review?.state === 'open')) return hides;
  // A processed row stays processed, whatever start was set since.
  const answer = await askLamassu(config, ledger, id, { processed: cashOut });
  if (!answer.found) throw unknownRow(id);
  const { columns, machine, verdict } = answer.found;
  if (cashOut.origin === 'lamassu' && isAsDistributed(cashOut, verdict)) return hides;
  const how = cashOut.origin === 'settled' ? 'settled by hand' : 'distributed';
  const detail = `${how}, and what Lamassu says of it since was accepted`;
  const finding = {
    ...{ cashOutId: id, source: cashOut.source, machine },
    ...{ reason: 'changed', detail, lamassu: columns },
  };
  return async (trx) => {
    await bind(trx, config.lamassu, answer, act.at);
    return acceptRow(trx, act, finding);
  };
}

function isAsDistributed(cashOut: Schema['cash_outs'], today: Verdict): boolean {
  if (!today.eligible) return false;
  const { machine, begunAt = null, confirmedAt, currency, fiat, distributed } = today.cashOut;
  return (
    cashOut.machine === machine &&
    cashOut.begun_at_machine === begunAt &&
    cashOut.confirmed_at === confirmedAt &&
    cashOut.currency === currency &&
    cashOut.fiat === fiat &&
    cashOut.gross === distributed
  );
}

function unknownRow(id: string): BridgeError {
  return notFound(
    'id',
    `Lamassu has no cash-out ${id}`,
    message`${call('review.list')} shows what is in review.`,
  );
}
