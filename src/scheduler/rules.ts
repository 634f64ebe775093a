import type { Config } from '../config/load.ts';
import { formatDecimal } from '../dca/money.ts';
import { isBackdated, type Judgement, judge, type LamassuRow, type Rules, reasons } from '../lamassu/row.ts';
import { saysTheSame } from '../ledger/cash-outs/review.ts';
import { currencyChange } from '../ledger/machines/currency-change.ts';
import { knownCurrencies } from '../ledger/store/currencies.ts';
import { ALWAYS } from '../ledger/store/effective-dated.ts';
import type { Db } from '../ledger/store/open.ts';
import type { Schema } from '../ledger/store/schema.ts';
import type { Instant } from '../time.ts';

/** The rules by which rows are judged: Lamassu's own meaning, and what the operator wants to see first. */
export interface ReadingRules extends Rules {
  /** An eligible cash-out of more than this, in its currency, waits until a person released it. */
  cashOutAbove: Config['review']['cashOutAbove'];
}

export async function rulesOf(
  { lamassu, commission, review, currencies }: Config,
  db: Db,
): Promise<ReadingRules> {
  const { method, fallback } = commission;
  return {
    source: lamassu.name,
    startAt: lamassu.startAt,
    method,
    fallback,
    cashOutAbove: review.cashOutAbove,
    currencies: await knownCurrencies(db, currencies),
  };
}

/** Why a row is in review: a closed list, with what each means for people. docs/settlements.md says what to do. */
export const reviewReasons = {
  ...reasons,
  large: 'It is larger than `[review] cash_out_above`, so a person looks at it first.',
  'currency-changed':
    'Its machine pays out another currency than the clients’ cash for it is in: all of it would be the own share.',
  backdated:
    'Lamassu’s clock was, or may have been, wrong when it was confirmed: whose cash went out cannot be told by that time.',
  clock: 'Cash, or a setting, that may concern it was entered by a clock that was wrong.',
  changed: 'It was distributed, and Lamassu says something else of it now.',
  'not-allocated': 'It is sound, and could not be divided: its parts would not add up.',
} as const satisfies Record<string, string>;

export type ReviewReason = keyof typeof reviewReasons;

/** What a sound row waits for: `review release` lets it pass. */
type Held = 'large' | 'currency-changed' | 'backdated';

/** What a row comes to: what it says by itself, or that it is sound and waits for a person. */
export type Verdict =
  | Judgement
  | { eligible: false; reason: Held; detail: string; review: true; watch: true };

export function isHeld(reason: string): reason is Held {
  return reason === 'large' || reason === 'currency-changed' || reason === 'backdated';
}

/** What is known of a row in review. */
export type KnownReview = Pick<Schema['review'], 'state' | 'lamassu' | 'reason'>;

/**
 * Judges a row that was not processed yet. Neither the start, its size, its currency nor a clock holds a released row
 * back, as long as Lamassu says of it what it said when it was released. One that was held as backdated stays so until
 * then. `paidOut` has the currency of each machine whose newest cash-out is known, where many rows are judged.
 */
export async function judgeNew(
  db: Db,
  row: LamassuRow,
  rules: ReadingRules,
  sourceNow: Instant,
  review: KnownReview | undefined,
  paidOut?: ReadonlyMap<string, string>,
): Promise<Verdict> {
  const known = review && saysTheSame(review.lamassu, row) ? review : undefined;
  if (known?.state === 'released') return judge(row, { ...rules, startAt: ALWAYS }, sourceNow);
  const backdated = isBackdated(row);
  const sinceStart = backdated && row.created !== null && row.created >= rules.startAt;
  const judgement = judge(row, sinceStart ? { ...rules, startAt: ALWAYS } : rules, sourceNow);
  if (!judgement.eligible) return judgement;
  const { fiat, currency, digits } = judgement.cashOut;
  const held = (reason: Held, detail: string) =>
    ({ eligible: false, reason, detail, review: true, watch: true }) as const;
  if (backdated) return held('backdated', `confirmed at ${row.confirmed_at}, and created at ${row.created}`);
  if (known?.reason === 'backdated') {
    return held('backdated', 'its time is too early, and nobody has said yet that it holds all the same');
  }
  const most = rules.cashOutAbove.find(
    (one) =>
      one.currency === currency && fiat * 10n ** BigInt(one.digits) > one.minor * 10n ** BigInt(digits),
  );
  if (most) {
    const shown = `${formatDecimal(fiat, digits)} ${currency}`;
    const limit = `${formatDecimal(most.minor, most.digits)} ${currency}`;
    return held('large', `${shown} is more than the ${limit} of [review] cash_out_above`);
  }
  if (paidOut?.get(judgement.cashOut.machine) === currency) return judgement;
  const change = await currencyChange(db, judgement.cashOut);
  return change === null ? judgement : held('currency-changed', change);
}
