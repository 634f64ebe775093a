import type { CashOut } from '../dca/cash-out.ts';
import { verdictOn } from '../judging/judging.ts';
import type { ReviewReason, Verdict } from '../judging/review-reasons.ts';
import type { Judged, Judgement } from '../lamassu/eligibility.ts';
import { cashMachines } from '../lamassu/notes.ts';
import type { LamassuRow } from '../lamassu/row.ts';
import { isMachine } from '../lamassu/values.ts';
import {
  type IngestOptions,
  ingest,
  NotDivisible,
  type RecordedDivision,
} from '../ledger/cash-outs/ingest.ts';
import { type KnownReview, type KnownRow, knownReviews, type Processed } from '../ledger/cash-outs/known.ts';
import { type Finding, isNews, toReview } from '../ledger/cash-outs/review.ts';
import { watch } from '../ledger/cash-outs/watch.ts';
import { type Mark, moveMark } from '../ledger/cash-outs/watermark.ts';
import type { Who } from '../ledger/log/log.ts';
import { seeMachine } from '../ledger/machines/register.ts';
import type { Db, Trx } from '../ledger/store/open.ts';
import { type Clock, type Instant, MAY_DIFFER_MS, plus } from '../time.ts';
import { clockDoubt, type ReadingClocks, wrongSpans } from './doubtful-time.ts';

/** What reading needs: where to record (a run or a dry run), and the source. */
export interface Reading {
  db: Db;
  write<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  clock: Clock;
  /** The source's name in the ledger. */
  source: string;
  mark: Mark | null;
  ingest: IngestOptions;
  /** Who reads. */
  who: Who;
  /** What is known of wrong clocks; without it, each row's own time counts. */
  clocks?: ReadingClocks;
  /** Called for each cash-out after it was recorded. */
  onCashOut(cashOut: CashOut, division: RecordedDivision): void;
  /** Called for each row that is new in review, after it was recorded. */
  onReview?(finding: Finding): void;
  /** Aborted when the program has to stop: the next run reads the rest. */
  signal: AbortSignal;
}

export interface ReadReport {
  read: number;
  alreadyProcessed: number;
  toReview: number;
  /** How many rows are not paid, or not yet, and not new in review: by reason. */
  notYet: Partial<Record<ReviewReason, number>>;
  mark: Mark | null;
}

/** A row with its judgement, as the source gives it. */
export type JudgedRow = Judged<KnownRow>;

/**
 * Records each judged row: an eligible one is ingested, in its own transaction; any other is watched or put into
 * review. The mark moves along, only forward and never past Lamassu's own clock.
 */
export async function readCashOuts(
  reading: Reading,
  sourceNow: Instant,
  pages: AsyncIterable<JudgedRow[]> | Iterable<JudgedRow[]>,
): Promise<ReadReport> {
  // A mark ahead of Lamassu's clock was set while that clock was ahead: this reading finds the right one.
  const ahead = reading.mark !== null && reading.mark.confirmedAt > plus(sourceNow, MAY_DIFFER_MS);
  const mark = ahead ? null : reading.mark;
  const report: ReadReport = { read: 0, alreadyProcessed: 0, toReview: 0, notYet: {}, mark };
  const paidOut = new Map<string, string>();
  for await (const page of pages) {
    const changes = await changesSince(reading.db, page);
    let pending: Pending[] = [];
    for (const judged of page) {
      if (reading.signal.aborted) break;
      report.read += 1;
      if (judged.known.processed) {
        report.alreadyProcessed += 1;
        pending.push(changePending(reading, judged, changes.get(judged.row.id)));
        continue;
      }
      const verdict = await verdictOn(reading.db, judged, paidOut);
      if (!verdict.eligible) {
        const waiting = waitPending(reading, judged, verdict);
        const { reason } = verdict;
        if (waiting.review === null) report.notYet[reason] = (report.notYet[reason] ?? 0) + 1;
        pending.push(waiting);
        continue;
      }
      const { cashOut } = verdict;
      const { machine, currency, confirmedAt } = cashOut;
      // A row behind the mark may be older than cash-outs of the machine that were distributed already.
      if (reading.mark === null || confirmedAt > reading.mark.confirmedAt) paidOut.set(machine, currency);
      const recorded = await recordCashOut(reading, report.mark, { pending, judged, cashOut });
      pending = [];
      report.mark = recorded.mark;
      report.toReview += recorded.fresh;
      if (recorded.isRepeated) report.alreadyProcessed += 1;
    }
    const recorded = await recordPending(reading, report.mark, pending);
    report.mark = recorded.mark;
    report.toReview += recorded.fresh;
    if (reading.signal.aborted) break;
  }
  return report;
}

/** What is still to be recorded of a row that is not ingested. */
interface Pending {
  judged: JudgedRow;
  review: Finding | null;
  watch: boolean;
}

/** What was recorded of some rows: how many are new in review, and how far the mark is now. */
interface Recorded {
  fresh: number;
  mark: Mark | null;
}

/** How Lamassu contradicts what was distributed, and what the review queue has of it. */
interface SinceChanged {
  detail: string;
  review: KnownReview | undefined;
}

/** A row that was distributed before. */
function changePending(reading: Reading, judged: JudgedRow, change: SinceChanged | undefined): Pending {
  const review = change ? news(judged.row, reading, change.review, 'changed', change.detail) : null;
  return { judged, watch: false, review };
}

/** A row that is not eligible, or not yet. */
function waitPending(
  reading: Reading,
  judged: JudgedRow,
  verdict: Extract<Verdict, { eligible: false }>,
): Pending {
  const { row, known } = judged;
  const { review, watched } = known;
  // Confirmed before the start, but eligible only now: only the operator knows whether it was paid outside of the
  // bridge.
  const lateStart =
    verdict.reason === 'before-start' && (watched || reading.clocks?.behind.has(row.id) === true);
  return {
    judged,
    watch: verdict.watch && !watched,
    review: verdict.review || lateStart ? news(row, reading, review, verdict.reason, verdict.detail) : null,
  };
}

/** By row. */
async function changesSince(db: Db, page: JudgedRow[]): Promise<Map<string, SinceChanged>> {
  const details = new Map<string, string>();
  for (const { row, known, judgement } of page) {
    const detail = known.processed ? changeSince(known.processed, row.device_id, judgement) : null;
    if (detail !== null) details.set(row.id, detail);
  }
  const reviews = await knownReviews(db, [...details.keys()]);
  return new Map([...details].map(([id, detail]) => [id, { detail, review: reviews.get(id) }]));
}

/** The review entry for a row; null if it is recorded already. */
function news(
  row: LamassuRow,
  reading: Reading,
  known: KnownReview | undefined,
  reason: ReviewReason,
  detail: string,
): Finding | null {
  const found = finding(row, reading, reason, detail);
  return isNews(known, found) ? found : null;
}

function finding(row: LamassuRow, reading: Reading, reason: ReviewReason, detail: string): Finding {
  const { source } = reading;
  const [machine = null, ...others] = cashMachines(row);
  return {
    ...{ cashOutId: row.id, source, machine: others.length === 0 ? machine : row.device_id },
    ...{ reason, detail, lamassu: row },
  };
}

/**
 * How Lamassu contradicts what was distributed; null if it does not, or if the operator settled it. The machine is
 * not compared here: Lamassu had logged it before the distribution, and `reconcile` compares it.
 */
function changeSince(processed: Processed, device: string | null, judgement: Judgement): string | null {
  if (processed.origin !== 'lamassu') return null;
  if (!judgement.eligible) return `it was distributed, and now Lamassu says: ${judgement.detail}`;
  const { cashOut } = judgement;
  const pairs: [string, unknown, unknown][] = [
    ['machine', processed.begun_at_machine ?? processed.machine, device],
    ['confirmed_at', processed.confirmed_at, cashOut.confirmedAt],
    ['currency', processed.currency, cashOut.currency],
    ['fiat', processed.fiat, cashOut.fiat],
    ['gross sats', processed.gross, cashOut.distributed],
  ];
  const differing = pairs.filter(([, then, today]) => then !== today);
  if (differing.length === 0) return null;
  return differing.map(([what, then, today]) => `${what} was ${then}, Lamassu now says ${today}`).join('; ');
}

/** A row to ingest, with what is still to be recorded of the rows before it. */
interface EligibleRow {
  pending: Pending[];
  judged: JudgedRow;
  cashOut: CashOut;
}

/** What became of an eligible row. */
type Ingested =
  | ({ is: 'ingested'; division: RecordedDivision | null } & Recorded)
  | { is: 'doubtful'; reason: ReviewReason; detail: string };

/**
 * Ingests one eligible cash-out, with what is pending of the rows before it, in one transaction. If its division
 * depends on which clock was right, or cannot be calculated, it goes to review instead. `isRepeated`: it was
 * distributed before.
 */
async function recordCashOut(
  reading: Reading,
  mark: Mark | null,
  { pending, judged, cashOut }: EligibleRow,
): Promise<Recorded & { isRepeated: boolean }> {
  const rows = [...pending.map((one) => one.judged), judged];
  const done = await reading
    .write(async (trx): Promise<Ingested> => {
      const doubt = await doubtAbout(trx, reading, judged, cashOut);
      if (doubt !== null) return { is: 'doubtful', ...doubt };
      const fresh = await writePending(trx, reading, pending);
      const act = { ...reading.who, at: reading.clock.now() };
      const division = await ingest(trx, act, cashOut, reading.ingest);
      return { is: 'ingested', fresh, division, mark: await advance(trx, reading, mark, rows) };
    })
    .catch(notDivided);
  if (done.is === 'doubtful') {
    const review = finding(judged.row, reading, done.reason, done.detail);
    const waiting = [...pending, { judged, watch: true, review }];
    return { ...(await recordPending(reading, mark, waiting)), isRepeated: false };
  }
  const { division, fresh } = done;
  if (division) reading.onCashOut(cashOut, division);
  return { fresh, mark: done.mark, isRepeated: division === null };
}

/** Why only the operator can decide by which time the cash-out is divided; null if no clock is doubtful. */
async function doubtAbout(trx: Trx, { clocks }: Reading, { known }: JudgedRow, cashOut: CashOut) {
  const { review, watched } = known;
  if (!clocks || review?.state === 'released') return null;
  const isNew = !watched && review === undefined;
  return clockDoubt(trx, cashOut, clocks, wrongSpans(cashOut, clocks, isNew, review));
}

/**
 * A failed calculation concerns only its row, and the next rows go on. A failure of the database, its disk or its
 * connection concerns all.
 */
function notDivided(error: unknown): Ingested {
  if (!(error instanceof NotDivisible)) throw error;
  return {
    ...{ is: 'doubtful', reason: 'not-allocated' },
    detail: `it could not be distributed: ${error.message}`,
  };
}

async function recordPending(reading: Reading, mark: Mark | null, pending: Pending[]): Promise<Recorded> {
  const rows = pending.map((one) => one.judged);
  const idle = pending.every((one) => !one.watch && one.review === null);
  if (idle && markAfter(mark, rows) === mark) return { fresh: 0, mark };
  return reading.write(async (trx) => ({
    fresh: await writePending(trx, reading, pending),
    mark: await advance(trx, reading, mark, rows),
  }));
}

/** The number of rows that are new in review. */
async function writePending(trx: Trx, reading: Reading, pending: Pending[]): Promise<number> {
  let fresh = 0;
  const at = reading.clock.now();
  const act = { ...reading.who, at };
  const settled = await settledMeanwhile(trx, pending);
  for (const { judged, review, watch: isWatched } of pending) {
    const { row } = judged;
    if (settled.has(row.id)) continue;
    if (isWatched) {
      await watch(trx, { id: row.id, source: reading.source, confirmedAt: row.confirmed_at }, at);
    }
    if (!review) continue;
    // The operator may have to name one of these machines.
    for (const machine of new Set([row.device_id, ...cashMachines(row)]))
      if (isMachine(machine)) await seeMachine(trx, act, machine, review.source);
    if (!(await toReview(trx, act, review))) continue;
    fresh += 1;
    reading.onReview?.(review);
  }
  return fresh;
}

/** Rows that were open when they were judged, but that the operator has settled since. */
async function settledMeanwhile(trx: Trx, pending: Pending[]): Promise<Set<string>> {
  const ids = pending
    .filter(({ watch, review }) => watch || (review !== null && review.reason !== 'changed'))
    .map(({ judged }) => judged.row.id);
  if (ids.length === 0) return new Set();
  const rows = await trx.selectFrom('cash_outs').select('id').where('id', 'in', ids).execute();
  return new Set(rows.map(({ id }) => id));
}

/** Moves the mark to the furthest of these rows. */
async function advance(
  trx: Trx,
  { source }: Reading,
  before: Mark | null,
  rows: JudgedRow[],
): Promise<Mark | null> {
  const mark = markAfter(before, rows);
  if (mark !== null && mark !== before) await moveMark(trx, source, mark);
  return mark;
}

/** The furthest of the mark and these rows that is not past Lamassu's clock. */
function markAfter(mark: Mark | null, rows: JudgedRow[]): Mark | null {
  let furthest = mark;
  for (const { row, readAt } of rows) {
    if (readAt === null) continue;
    const further =
      furthest === null ||
      readAt > furthest.confirmedAt ||
      (readAt === furthest.confirmedAt && row.id > furthest.id);
    if (further) furthest = { confirmedAt: readAt, id: row.id };
  }
  return furthest;
}
