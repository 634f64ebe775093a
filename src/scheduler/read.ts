import type { CashOut } from '../dca/cash-out.ts';
import { verdictOn } from '../judging/judging.ts';
import type { ReviewReason } from '../judging/review-reasons.ts';
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
import { seeMachine } from '../ledger/machines/machines.ts';
import type { Db, Trx } from '../ledger/store/open.ts';
import { type Clock, type Instant, MAY_DIFFER_MS, plus } from '../time.ts';
import { clockDoubt, type ReadingClocks, type WrongSpan, wrongSpans } from './doubtful-time.ts';

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
      const { row, known } = judged;
      const { review, watched } = known;
      if (known.processed) {
        report.alreadyProcessed += 1;
        const change = changes.get(row.id);
        pending.push({
          judged,
          watch: false,
          review: change ? news(row, reading, change.review, 'changed', change.detail) : null,
        });
        continue;
      }
      const verdict = await verdictOn(reading.db, judged, paidOut);
      if (verdict.eligible) {
        // A row behind the mark may be older than cash-outs of the machine that were distributed already.
        const { machine, currency, confirmedAt } = verdict.cashOut;
        if (reading.mark === null || confirmedAt > reading.mark.confirmedAt) paidOut.set(machine, currency);
        const released = review?.state === 'released';
        const isNew = !watched && review === undefined;
        const spans =
          reading.clocks && !released ? wrongSpans(verdict.cashOut, reading.clocks, isNew, review) : [];
        await recordCashOut(reading, report, { pending, judged, cashOut: verdict.cashOut, spans, released });
        pending = [];
        continue;
      }
      // Confirmed before the start, but eligible only now: only the operator knows whether it was paid outside of the
      // bridge.
      const lateStart =
        verdict.reason === 'before-start' && (watched || reading.clocks?.behind.has(row.id) === true);
      const found =
        verdict.review || lateStart ? news(row, reading, review, verdict.reason, verdict.detail) : null;
      if (found === null) report.notYet[verdict.reason] = (report.notYet[verdict.reason] ?? 0) + 1;
      pending.push({ judged, watch: verdict.watch && !watched, review: found });
    }
    await recordPending(reading, report, pending);
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

/** Per row, how Lamassu contradicts what was distributed, and what the review queue has of it. */
async function changesSince(
  db: Db,
  page: JudgedRow[],
): Promise<Map<string, { detail: string; review: KnownReview | undefined }>> {
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
  spans: WrongSpan[];
  released: boolean;
}

/**
 * Ingests one eligible cash-out, with what is pending of the rows before it, in one transaction. If its division
 * depends on which clock was right, it goes to review instead.
 */
async function recordCashOut(
  reading: Reading,
  report: ReadReport,
  { pending, judged, cashOut, spans, released }: EligibleRow,
): Promise<void> {
  try {
    const result = await reading.write(async (trx) => {
      const { clocks } = reading;
      const doubt = !clocks || released ? null : await clockDoubt(trx, cashOut, clocks, spans);
      if (doubt !== null) return doubt;
      const fresh = await writePending(trx, reading, pending);
      const act = { ...reading.who, at: reading.clock.now() };
      const division = await ingest(trx, act, cashOut, reading.ingest);
      return {
        fresh,
        division,
        mark: await advance(trx, reading, report, [...pending.map((one) => one.judged), judged]),
      };
    });
    if ('reason' in result) {
      const review = finding(judged.row, reading, result.reason, result.detail);
      await recordPending(reading, report, [...pending, { judged, watch: true, review }]);
      return;
    }
    report.toReview += result.fresh;
    report.mark = result.mark;
    if (result.division) reading.onCashOut(cashOut, result.division);
    else report.alreadyProcessed += 1;
  } catch (error) {
    // A failed calculation concerns only this row, and the next rows go on. A failure of the database, its disk or
    // its connection concerns all.
    if (!(error instanceof NotDivisible)) throw error;
    const review = finding(
      judged.row,
      reading,
      'not-allocated',
      `it could not be distributed: ${error.message}`,
    );
    await recordPending(reading, report, [...pending, { judged, watch: true, review }]);
  }
}

async function recordPending(reading: Reading, report: ReadReport, pending: Pending[]): Promise<void> {
  const rows = pending.map((one) => one.judged);
  const idle = pending.every((one) => !one.watch && one.review === null);
  if (idle && markAfter(report.mark, rows) === report.mark) return;
  await reading.write(async (trx) => {
    report.toReview += await writePending(trx, reading, pending);
    report.mark = await advance(trx, reading, report, rows);
  });
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

async function advance(
  trx: Trx,
  reading: Reading,
  report: ReadReport,
  rows: JudgedRow[],
): Promise<Mark | null> {
  const mark = markAfter(report.mark, rows);
  if (mark !== null && mark !== report.mark) await moveMark(trx, reading.source, mark);
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
