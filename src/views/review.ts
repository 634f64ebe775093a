import * as z from 'zod';
import { formatDecimal } from '../dca/money.ts';
import type { ReviewDetail, ReviewRow } from '../ledger/cash-outs/review-view.ts';
import type { Call } from '../lib/message.ts';
import { type Instant, toMs } from '../time.ts';
import { fiat, instant, pageOf, sats, text } from './fields.ts';

/** Lamassu's row, column by column. */
const row = z.record(z.string(), z.unknown());

/** A row of Lamassu that is not distributed automatically and may need the operator. */
export const reviewView = z.object({
  id: z.string(),
  source: z.string(),
  machine: z.string().nullable(),
  machine_name: z.string().nullable(),
  reason: z.string(),
  /** One sentence about this row. */
  detail: z.string(),
  state: z.enum(['open', 'released', 'dismissed', 'processed']),
  since: instant,
  age_seconds: z.number(),
  closed_at: instant.nullable(),
  closed_by: z.string().nullable(),
  closed_reason: z.string().nullable(),
});

export type ReviewView = z.output<typeof reviewView>;

export const reviewsView = pageOf(reviewView);

/** What the operator can do about a row, most likely first. `after`: the step that has to come first. */
const nextView = z.array(
  z.object({
    operation: z.string(),
    args: z.record(z.string(), z.union([z.string(), z.literal(true), z.null()])),
    after: z.string().optional(),
  }),
);

export type Next = Call & { after?: string | undefined };

/** Its dispenses in words, from Lamassu's log. */
const actions = z.array(z.string());

const released = z.object({ at: instant, by: z.string(), reason: z.string().nullable() }).nullable();

/** A row in review: its reason, what Lamassu said then and says now, what the ledger knows, and what can be done. */
export const reviewDetailView = reviewView.extend({
  /** The meaning of its reason. */
  means: z.string(),
  /** Null if Lamassu could not be asked, or has no such row. */
  lamassu: row.nullable(),
  lamassu_says: text,
  lamassu_actions: actions,
  /** The last release. */
  released,
  ledger: z.object({
    lamassu_said: row,
    lamassu_said_actions: actions,
    /** The time since which every run reads it again. */
    watched_since: instant.nullable(),
    cash_out: z
      .object({
        id: z.string(),
        machine: z.string(),
        confirmed_at: instant,
        processed_at: instant,
        fiat,
        currency: z.string(),
        gross_sats: sats,
      })
      .nullable(),
  }),
  next: nextView,
  /** The digest of what Lamassu says now. With it, `review.release` refuses a row that has changed since. */
  digest: z.string().nullable(),
});

export type ReviewDetailView = z.output<typeof reviewDetailView>;

/** A row that was never in review, as Lamassu has it now. */
export const unseenRowView = z.object({
  id: z.string(),
  machine: z.string().nullable(),
  machine_name: z.string().nullable(),
  /** Null if nothing holds it back. */
  reason: z.string().nullable(),
  detail: z.string().nullable(),
  state: z.null(),
  since: z.null(),
  lamassu: row,
  lamassu_actions: actions,
  ledger: z.object({ lamassu_said: z.null(), watched_since: z.null(), cash_out: z.null() }),
  next: nextView,
  digest: z.string(),
});

export type UnseenRowView = z.output<typeof unseenRowView>;

/** A row after its release; `written` is false if it was released before. */
export const releasedReviewView = reviewView.extend({ released, written: z.boolean() });

export type ReleasedView = z.output<typeof releasedReviewView>;

/** A row after its dismissal. `accepted`: what stays as it is, if the ledger has distributed the row. */
export const dismissedView = reviewView.extend({
  accepted: z.enum(['settlement', 'division']).nullable(),
  written: z.boolean(),
});

export type DismissedView = z.output<typeof dismissedView>;

export function viewOfReview(one: ReviewRow, at: Instant): ReviewView {
  return {
    id: one.cash_out_id,
    source: one.source,
    machine: one.machine,
    machine_name: one.machineName,
    reason: one.reason,
    detail: one.detail,
    state: one.state,
    since: one.since,
    age_seconds: Math.max(0, Math.floor((toMs(at) - toMs(one.since)) / 1000)),
    closed_at: one.closed_at,
    closed_by: one.closed_by,
    closed_reason: one.closed_reason,
  };
}

export function viewOfRelease({ release }: ReviewDetail): ReleasedView['released'] {
  return release && { at: release.at, by: release.actor, reason: release.reason };
}

/** What the ledger knows of a row in review, besides what Lamassu said. */
export function viewOfLedger({ cashOut, watchedSince }: ReviewDetail) {
  return {
    watched_since: watchedSince,
    cash_out: cashOut && {
      id: cashOut.id,
      machine: cashOut.machine,
      confirmed_at: cashOut.confirmed_at,
      processed_at: cashOut.processed_at,
      fiat: formatDecimal(cashOut.fiat, cashOut.digits),
      currency: cashOut.currency,
      gross_sats: cashOut.gross,
    },
  };
}
