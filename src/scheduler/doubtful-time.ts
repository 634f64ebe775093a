import type { CashOut } from '../dca/cash-out.ts';
import type { ReviewReason } from '../judging/review-reasons.ts';
import type { KnownReview } from '../ledger/cash-outs/known.ts';
import { clockOffsetInWords } from '../ledger/clocks/clocks.ts';
import { type Doubt, doubtsAbout, entriesBetween } from '../ledger/clocks/doubts.ts';
import type { Trx } from '../ledger/store/open.ts';
import { type Instant, MAY_DIFFER_MS, plus } from '../time.ts';

/** What is known of wrong clocks during a reading. */
export interface ReadingClocks {
  /** The time of the last complete reading. A new row with an earlier time was dated by a wrong clock. */
  readBefore: Instant | null;
  /** Entries that were made by a wrong clock. */
  doubts: Doubt[];
  /** Filled while reading: rows that were written while Lamassu's clock was behind. */
  behind: Set<string>;
  /** The later of Lamassu's clock and this host's. */
  latest: Instant;
  /** How far Lamassu's clock is ahead of the right time, in ms, as far as is known; 0 if it is right. */
  ahead: number;
}

/** A span of time: an entry within it may change the division of a cash-out. `how`: how that is known. */
export interface WrongSpan {
  from: Instant;
  to: Instant;
  how: string;
}

/**
 * The spans in which the time of a cash-out is doubtful. A new row is dated before the last complete reading; a row
 * was seen before its own time; or Lamassu's clock is not known to be right, which concerns every row.
 */
export function wrongSpans(
  { confirmedAt }: CashOut,
  { readBefore, latest, ahead }: ReadingClocks,
  isNew: boolean,
  review: KnownReview | undefined,
): WrongSpan[] {
  const spans: WrongSpan[] = [];
  if (isNew && readBefore !== null && plus(confirmedAt, MAY_DIFFER_MS) < readBefore) {
    // It was confirmed since then, but before or after an entry is not known.
    spans.push({ from: confirmedAt, to: latest, how: `it was not there yet at ${readBefore}` });
  }
  if (review?.reason === 'future' && review.since < confirmedAt) {
    spans.push({ from: review.since, to: confirmedAt, how: `it was there already at ${review.since}` });
  }
  if (Math.abs(ahead) > MAY_DIFFER_MS) {
    const [from = confirmedAt, to = confirmedAt] = [confirmedAt, plus(confirmedAt, -ahead)].sort();
    const how = `Lamassu's clock is ${clockOffsetInWords(ahead)} ${ahead > 0 ? 'ahead of' : 'behind'} this host's`;
    spans.push({ from, to, how });
  }
  return spans;
}

/** Why only the operator can decide whose cash a cash-out was; null if every clock gives the same division. */
export async function clockDoubt(
  trx: Trx,
  cashOut: CashOut,
  { doubts }: ReadingClocks,
  spans: WrongSpan[],
): Promise<{ reason: ReviewReason; detail: string } | null> {
  for (const { from, to, how } of spans) {
    const between = await entriesBetween(trx, cashOut, from, to);
    if (between.length === 0) continue;
    const what = [...new Set(between.map(({ subject }) => subject))].join(', ');
    return {
      reason: 'backdated',
      detail: `confirmed at ${cashOut.confirmedAt}, and ${how}; entered in between: ${what}`,
    };
  }
  const about = await doubtsAbout(trx, cashOut, doubts);
  if (about.length === 0) return null;
  const what = about.map(({ subject, at }) => `${subject}, from ${at} on`).join('; ');
  return { reason: 'clock', detail: `entered by a clock that was wrong: ${what}` };
}
