import { cashText, formatSats } from '../../dca/money.ts';
import { judgedInWords, reasonInWords } from '../../lib/reason-words.ts';
import type {
  DismissedView,
  Next,
  ReleasedView,
  ReviewDetailView,
  ReviewView,
  UnseenRowView,
} from '../../views/review.ts';
import { clean } from '../terminal/clean.ts';
import { formatMachine, formatTime, shortId } from '../terminal/figures.ts';
import { table } from '../terminal/table.ts';
import { commandOf, inCommandWords } from '../terminal/words.ts';
import { wrapped } from '../terminal/wrap.ts';

/** What Lamassu says of a row, with its dispenses in words. */
interface Said {
  columns: Record<string, unknown>;
  actions: string[];
}

export function reviewTable(all: ReviewView[], timezone: string): string {
  if (all.length === 0) return 'Nothing is in review.';
  const rows = all.map((one) => [
    formatTime(one.since, timezone).slice(0, 16),
    age(one),
    shortId(one.id),
    one.state,
    reasonInWords(one.reason),
    one.detail,
  ]);
  return table(['since', 'age', 'row', 'state', 'reason', 'what'], rows);
}

/** One row in review, for the terminal. */
export function reviewPage(one: ReviewDetailView, timezone: string): string {
  const { ledger, released } = one;
  const { cash_out: cashOut, watched_since: watchedSince } = ledger;
  const when = (at: string) => formatTime(at, timezone);
  const why = released?.reason ? `: ${clean(released.reason)}` : '';
  const closed = released && one.closed_by === 'ingest' ? 'distributed after its release' : one.closed_reason;
  return [
    `${one.id}: ${reasonInWords(one.reason)} (${one.reason}), ${one.state}, since ${when(one.since)}`,
    one.means,
    ...(one.machine === null ? [] : [`Machine ${formatMachine(one.machine, one.machine_name)}`]),
    `When it came to review: ${clean(one.detail)}`,
    ...(released ? [`Released ${when(released.at)} by ${clean(released.by)}${why}`] : []),
    ...(one.closed_at
      ? [`Closed ${when(one.closed_at)} by ${clean(one.closed_by ?? '')}: ${clean(closed ?? '')}`]
      : []),
    `Now Lamassu says: ${clean(inCommandWords(one.lamassu_says))}`,
    cashOut
      ? `The ledger distributed ${cashText(cashOut.fiat, cashOut.currency)} for ${formatSats(cashOut.gross_sats)} at ${when(cashOut.processed_at)}.`
      : 'The ledger has distributed nothing of it.',
    ...(watchedSince ? [`Every run since ${when(watchedSince)} reads it again.`] : []),
    columns(
      { columns: ledger.lamassu_said, actions: ledger.lamassu_said_actions },
      one.lamassu && { columns: one.lamassu, actions: one.lamassu_actions },
      one,
    ),
    ...steps(one.next),
  ].join('\n');
}

/** A row that was never in review. */
export function unseenPage(one: UnseenRowView): string {
  const { id, reason, detail, lamassu, lamassu_actions, next } = one;
  const row = { columns: lamassu, actions: lamassu_actions };
  return [
    `${id}: not in review, and the ledger has distributed nothing of it.`,
    `Lamassu says: ${reason === null ? 'it is successful' : clean(judgedInWords({ reason, detail: detail ?? '' }))}`,
    columns(row, row, one),
    ...steps(next),
  ].join('\n');
}

export function releasedReviewPage({ id, released, written }: ReleasedView, timezone: string): string {
  if (written || !released) return `${id} is released: the next run distributes it.`;
  const why = released.reason === null ? '' : ` (${clean(released.reason)})`;
  return wrapped(
    `${id} was released already, by ${released.by} at ${formatTime(released.at, timezone)}${why}; nothing was written. The next run distributes it.`,
  );
}

export function dismissedPage({ id, accepted, written }: DismissedView): string {
  if (accepted === null) {
    return `${written ? `Dismissed ${id}` : `${id} was dismissed before`}. Should Lamassu confirm it later, it is still distributed.`;
  }
  const stands = accepted === 'settlement' ? 'the settlement' : 'what was distributed';
  return `What Lamassu says of ${id} ${written ? 'is accepted' : 'was accepted before'}; ${stands} stands as it is.`;
}

/** The command of a step, as it is typed. A shell comment names the step that has to come first. */
export function stepOf({ after, ...step }: Next): string {
  return after === undefined ? commandOf(step) : `${commandOf(step)}  # after ${after}`;
}

function steps(next: Next[]): string[] {
  return ['What can be done:', ...next.map((step) => `  ${stepOf(step)}`)];
}

/** `40 min`, `5 h`, `3 d`. */
function age({ age_seconds }: ReviewView): string {
  const minutes = Math.floor(age_seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`;
}

/** With the name of its machine beside the id. */
function named(
  text: string,
  { machine, machine_name: name }: Pick<ReviewView, 'machine' | 'machine_name'>,
): string {
  if (machine === null || name === null) return text;
  return text.replaceAll(formatMachine(machine, null), formatMachine(machine, name));
}

function cell(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** What Lamassu said then and says now. The second column appears only if they differ or Lamassu could not be asked. */
function columns(then: Said, now: Said | null, at: Pick<ReviewView, 'machine' | 'machine_name'>): string {
  const before = then.columns;
  const today = now?.columns ?? null;
  // The notes stand beside the actions.
  const names = [...new Set([...Object.keys(before), ...Object.keys(today ?? {})])].filter(
    (name) => name !== 'notes',
  );
  const same =
    now === null || today === null || names.every((name) => (before[name] ?? null) === (today[name] ?? null));
  const filled = names.filter((name) => before[name] || today?.[name]);
  const value = ({ columns: said, actions }: Said, name: string) =>
    name === 'actions'
      ? actions.map((action) => named(action, at)).join(', ')
      : name === 'device_id'
        ? named(formatMachine(cell(said[name]), null), at)
        : cell(said[name]);
  if (same) {
    const head = now === null ? ['Lamassu said', ''] : ['Lamassu says, as it said then', ''];
    return table(
      head,
      filled.map((name) => [name, value(now ?? then, name)]),
    );
  }
  return table(
    ['', 'Lamassu said', 'says now'],
    filled.map((name) => [
      name,
      value(then, name),
      today[name] === before[name] ? 'the same' : value(now, name) || 'nothing',
    ]),
  );
}
