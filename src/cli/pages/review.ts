import { formatDecimal } from '../../dca/money.ts';
import { actionsOf, actionWords } from '../../lamassu/notes.ts';
import type { LamassuRow } from '../../lamassu/row.ts';
import type { ReviewDetail, ReviewView } from '../../ledger/cash-outs/review-view.ts';
import { type Look, resolutions, type Unseen } from '../../operations/reviews.ts';
import { type ReviewReason, reviewReasons } from '../../scheduler/review-reasons.ts';
import { type Instant, toMs } from '../../time.ts';
import { clean, formatFiat, formatSats, formatTime, table } from '../print.ts';
import { errorInWords } from '../words.ts';

type Columns = Record<string, string | null | undefined>;

/** `review list --json`, one of them. */
export function reviewJson(row: ReviewView, at: Instant) {
  return {
    id: row.cash_out_id,
    source: row.source,
    machine: row.machine,
    reason: row.reason,
    detail: row.detail,
    state: row.state,
    since: row.since,
    age_seconds: ageOf(row, at),
    closed_at: row.closed_at,
    closed_by: row.closed_by,
    closed_reason: row.closed_reason,
  };
}

/** `review show --json`, as docs and scripts know it. `lamassu` is null where it could not be asked or has no such row. */
export function reviewDetailJson(found: ReviewDetail, seen: Look, at: Instant) {
  const { review, cashOut, watchedSince, release } = found;
  return {
    ...reviewJson(review, at),
    means: meaningOf(review),
    lamassu: 'answer' in seen ? (seen.answer.found?.row ?? null) : null,
    lamassu_says: says(seen),
    released: release && { at: release.at, by: release.actor, reason: release.reason },
    ledger: {
      lamassu_said: thenOf(review),
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
    },
    commands: resolutions(review, seen),
  };
}

/** One row, for a person. */
export function reviewPage(found: ReviewDetail, seen: Look, timezone: string): string {
  const { review, cashOut, watchedSince, release } = found;
  const when = (at: string) => formatTime(at, timezone);
  const { closed_at: closedAt, closed_by: closedBy, closed_reason: closedReason } = review;
  return [
    `${review.cash_out_id}: ${review.reason}, ${review.state}, since ${when(review.since)}`,
    meaningOf(review),
    `When it came here: ${clean(review.detail)}`,
    ...(release
      ? [
          `Released ${when(release.at)} by ${clean(release.actor)}${release.reason === null ? '' : `: ${clean(release.reason)}`}`,
        ]
      : []),
    ...(closedAt
      ? [
          `Closed ${when(closedAt)} by ${clean(closedBy ?? '')}: ${release && closedBy === 'ingest' ? 'distributed after its release' : clean(closedReason ?? '')}`,
        ]
      : []),
    `Now Lamassu says: ${clean(says(seen))}`,
    cashOut
      ? `The ledger distributed ${formatFiat(cashOut.fiat, cashOut.digits, cashOut.currency)} for ${formatSats(cashOut.gross)} at ${when(cashOut.processed_at)}.`
      : 'The ledger has distributed nothing of it.',
    ...(watchedSince ? [`It is looked at again in every run, since ${when(watchedSince)}.`] : []),
    columns(thenOf(review), 'answer' in seen ? (seen.answer.found?.row ?? null) : null),
    'What can be done:',
    ...resolutions(review, seen).map((command) => `  ${command}`),
  ].join('\n');
}

/** `review show --json` of a row that never came into review. */
export function unseenJson({ row, verdict, commands }: Unseen) {
  return {
    id: row.id,
    machine: row.device_id,
    reason: verdict.eligible ? null : verdict.reason,
    detail: verdict.eligible ? null : verdict.detail,
    state: null,
    since: null,
    lamassu: row,
    ledger: { lamassu_said: null, watched_since: null, cash_out: null },
    commands,
  };
}

export function unseenPage({ row, verdict, commands }: Unseen): string {
  return [
    `${row.id}: not in review, and the ledger has distributed nothing of it.`,
    `Lamassu says: ${verdict.eligible ? 'it is successful' : clean(`${verdict.reason}, ${verdict.detail}`)}`,
    columns(row, row),
    'What can be done:',
    ...commands.map((command) => `  ${command}`),
  ].join('\n');
}

/** `40 min`, `5 h`, `3 d`. */
export function age(row: ReviewView, at: Instant): string {
  const minutes = Math.floor(ageOf(row, at) / 60);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}

function ageOf({ since }: ReviewView, at: Instant): number {
  return Math.max(0, Math.floor((toMs(at) - toMs(since)) / 1000));
}

function meaningOf({ reason }: ReviewView): string {
  return reviewReasons[reason as ReviewReason] ?? 'Another version of this program put it here.';
}

function says(seen: Look): string {
  if ('failed' in seen) return `could not ask (${seen.failed.code}: ${errorInWords(seen.failed).message})`;
  const { found } = seen.answer;
  if (!found) return 'there is no such row any more';
  const { verdict } = found;
  return verdict.eligible ? 'it is successful' : `${verdict.reason}, ${verdict.detail}`;
}

function thenOf(row: ReviewView): Columns {
  return JSON.parse(row.lamassu) as Columns;
}

/** What was logged of its notes, one by one. */
function actionsText(row: LamassuRow): string | undefined {
  const lines = actionsOf(row).map((one) => clean(actionWords(one, row)));
  return lines.length === 0 ? undefined : lines.join('\n');
}

/** What Lamassu said then and says now; the second column only where something differs or could not be asked. */
function columns(before: Columns, today: Columns | null): string {
  const names = [...new Set([...Object.keys(before), ...Object.keys(today ?? {})])];
  const same = today === null || names.every((name) => (before[name] ?? null) === (today[name] ?? null));
  const filled = names.filter((name) => before[name] || today?.[name]);
  const value = (said: Columns, name: string) =>
    name === 'actions' ? actionsText(said as LamassuRow) : said[name];
  if (same) {
    const head = today === null ? ['Lamassu said', ''] : ['Lamassu says, as it said then', ''];
    return table(
      head,
      filled.map((name) => [name, value(before, name)]),
    );
  }
  return table(
    ['', 'Lamassu said', 'says now'],
    filled.map((name) => [
      name,
      value(before, name),
      today[name] === before[name] ? 'the same' : (value(today, name) ?? 'nothing'),
    ]),
  );
}
