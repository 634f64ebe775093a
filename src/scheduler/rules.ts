import type { Config } from '../config/load.ts';
import { formatDecimal } from '../dca/money.ts';
import { type Judgement, judge, type LamassuRow, type Rules, reasons } from '../lamassu/row.ts';
import { ALWAYS } from '../ledger/in-force.ts';
import type { Schema } from '../ledger/schema.ts';
import type { Instant } from '../time.ts';

/** The rules by which rows are judged: Lamassu's own meaning, and what the operator wants to see first. */
export interface ReadingRules extends Rules {
  /** An eligible cash-out of more than this, in its currency, waits until a person released it. */
  cashOutAbove: Config['review']['cashOutAbove'];
}

export function rulesOf({ lamassu, commission, review }: Config): ReadingRules {
  const { method, fallback } = commission;
  return {
    source: lamassu.name,
    startAt: lamassu.startAt,
    method,
    fallback,
    cashOutAbove: review.cashOutAbove,
  };
}

/** Why a row is in review: a closed list, with what each means for people. docs/settlements.md says what to do. */
export const reviewReasons = {
  ...reasons,
  large: 'It is larger than `[review] cash_out_above`, so a person looks at it first.',
  changed: 'It was distributed, and Lamassu says something else of it now.',
  'not-allocated': 'It is sound, and could not be divided: the ledger refused the division.',
} as const satisfies Record<string, string>;

export type ReviewReason = keyof typeof reviewReasons;

/** What a row comes to: what it says by itself, or that it waits because it is `large`. */
export type Verdict =
  | Judgement
  | { eligible: false; reason: 'large'; detail: string; review: true; watch: true };

/**
 * Judges a row that was not processed yet. Neither the start nor its size holds a released row back, as long as
 * Lamassu says of it what it said when it was released.
 */
export function judgeNew(
  row: LamassuRow,
  rules: ReadingRules,
  sourceNow: Instant,
  review: Pick<Schema['review'], 'state' | 'lamassu'> | undefined,
): Verdict {
  const released = review?.state === 'released' && review.lamassu === JSON.stringify(row);
  if (released) return judge(row, { ...rules, startAt: ALWAYS }, sourceNow);
  const judgement = judge(row, rules, sourceNow);
  if (!judgement.eligible) return judgement;
  const { fiat, currency, digits } = judgement.cashOut;
  const most = rules.cashOutAbove.find((one) => one.currency === currency && fiat > one.minor);
  if (!most) return judgement;
  const shown = (minor: bigint) => `${formatDecimal(minor, digits)} ${currency}`;
  const detail = `${shown(fiat)} is more than the ${shown(most.minor)} of [review] cash_out_above`;
  return { eligible: false, reason: 'large', detail, review: true, watch: true };
}
