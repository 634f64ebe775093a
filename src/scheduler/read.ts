import type { Division } from '../dca/allocate.ts';
import type { CashOut } from '../dca/cash-out.ts';
import { cashMachines } from '../lamassu/notes.ts';
import { type Judgement, judge, type LamassuRow } from '../lamassu/row.ts';
import { isMachine } from '../lamassu/values.ts';
import { type IngestOptions, ingest, NotDivisible } from '../ledger/cash-outs/ingest.ts';
import { type Finding, isNews, toReview } from '../ledger/cash-outs/review.ts';
import { type Mark, moveMark } from '../ledger/cash-outs/watermark.ts';
import { seeMachine } from '../ledger/machines/machines.ts';
import { type Doubt, doubtsAbout, entriesBetween } from '../ledger/runs/clock-doubts.ts';
import { inWords } from '../ledger/runs/clocks.ts';
import { ALWAYS } from '../ledger/store/effective-dated.ts';
import type { Db, Trx } from '../ledger/store/open.ts';
import type { Schema } from '../ledger/store/schema.ts';
import { type Instant, isInstant, MAY_DIFFER_MS, now, plus } from '../time.ts';
import { judgeNew, type ReadingRules, type ReviewReason } from './rules.ts';

/** What reading needs: where to record (a run, or a dry run), and by which rules. */
export interface Reading {
  db: Db;
  write<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  rules: ReadingRules;
  mark: Mark | null;
  ingest: Omit<IngestOptions, 'now'>;
  /** Without it every row is taken as of the time that it says. */
  clocks?: ReadingClocks;
  /** Told of each cash-out after it was recorded. */
  onCashOut(cashOut: CashOut, division: Division): void;
  /** Aborted when the program was asked to stop: what is recorded stays, the rest is read by the next run. */
  signal: AbortSignal;
}

/** What a reading knows of clocks that were wrong. */
export interface ReadingClocks {
  /** When the source was read to the end before: what is dated earlier and turns up now was dated by a wrong clock. */
  readBefore: Instant | null;
  /** What was entered by a clock that was wrong. */
  doubts: Doubt[];
  /** Filled while reading: rows that were written while a clock of Lamassu was behind. */
  behind: Set<string>;
  /** The later of Lamassu's clock and this host's. */
  latest: Instant;
  /** How far Lamassu's clock is ahead of the right time, in ms, for all that is known; 0 where it is right. */
  ahead: number;
}

export interface ReadReport {
  read: number;
  alreadyProcessed: number;
  toReview: number;
  mark: Mark | null;
}

/**
 * Judges every row and records what follows from it: an eligible one is ingested, one transaction each; the others
 * are watched or put into review. The mark moves with them, forward only and never past Lamassu's own clock.
 */
export async function readCashOuts(
  reading: Reading,
  sourceNow: Instant,
  pages: AsyncIterable<LamassuRow[]> | Iterable<LamassuRow[]>,
): Promise<ReadReport> {
  // One that is ahead of Lamassu's clock was left by a clock that was ahead: this reading finds out how far it is.
  const ahead = reading.mark !== null && reading.mark.confirmedAt > plus(sourceNow, MAY_DIFFER_MS);
  const mark = ahead ? null : reading.mark;
  const report: ReadReport = { read: 0, alreadyProcessed: 0, toReview: 0, mark };
  const paidOut = new Map<string, string>();
  for await (const page of pages) {
    const known = await knownRows(reading, sourceNow, page);
    let notes: Note[] = [];
    for (const row of page) {
      if (reading.signal.aborted) break;
      report.read += 1;
      const change = known.processed.get(row.id);
      if (change !== undefined) {
        report.alreadyProcessed += 1;
        notes.push({
          row,
          watch: false,
          review: change === null ? null : news(row, reading, known, 'changed', change),
        });
        continue;
      }
      // Its settlement was undone since the page was read; the next run asks where its cash came out.
      if (row.actions === undefined) continue;
      const review = known.review.get(row.id);
      const verdict = await judgeNew(reading.db, row, reading.rules, sourceNow, review, paidOut);
      const watched = known.watched.has(row.id);
      if (verdict.eligible) {
        // Behind the mark there may be newer cash-outs of the machine.
        const { machine, currency, confirmedAt } = verdict.cashOut;
        if (reading.mark === null || confirmedAt > reading.mark.confirmedAt) paidOut.set(machine, currency);
        const released = review?.state === 'released';
        const isNew = !watched && review === undefined;
        const spans =
          reading.clocks && !released ? wrongSpans(verdict.cashOut, reading.clocks, isNew, review) : [];
        await recordCashOut(reading, report, sourceNow, notes, row, verdict.cashOut, { spans, released });
        notes = [];
        continue;
      }
      // Confirmed before the start, but eligible only now: whether somebody else paid for it, only a person knows.
      const lateStart =
        verdict.reason === 'before-start' && (watched || reading.clocks?.behind.has(row.id) === true);
      notes.push({
        row,
        watch: verdict.watch && !watched,
        review:
          verdict.review || lateStart ? news(row, reading, known, verdict.reason, verdict.detail) : null,
      });
    }
    await recordNotes(reading, report, sourceNow, notes);
    if (reading.signal.aborted) break;
  }
  return report;
}

/** What is to be remembered of a row that is not ingested. */
interface Note {
  row: LamassuRow;
  review: Finding | null;
  watch: boolean;
}

type Processed = Pick<
  Schema['cash_outs'],
  'machine' | 'begun_at_machine' | 'confirmed_at' | 'currency' | 'fiat' | 'gross' | 'origin'
>;

/** What the ledger has of the rows of a page. */
interface Known {
  /** How Lamassu contradicts what was distributed; null where it does not. */
  processed: Map<string, string | null>;
  review: Map<string, Pick<Schema['review'], 'reason' | 'lamassu' | 'state' | 'since'>>;
  watched: Set<string>;
}

async function knownRows({ db, rules }: Reading, sourceNow: Instant, page: LamassuRow[]): Promise<Known> {
  const known: Known = { processed: new Map(), review: new Map(), watched: new Set() };
  if (page.length === 0) return known;
  const processed = await db
    .selectFrom('cash_outs')
    .select(['id', 'machine', 'begun_at_machine', 'confirmed_at', 'currency', 'fiat', 'gross', 'origin'])
    .where('id', 'in', idsOf(page))
    .execute();
  const recorded = new Map(processed.map((row) => [row.id, row]));
  const judged = { ...rules, startAt: ALWAYS };
  const others = page.filter((row) => {
    const before = recorded.get(row.id);
    if (!before) return true;
    // What was distributed came to pass, however far back Lamassu's clock was set since.
    const passed = before.confirmed_at > sourceNow ? before.confirmed_at : sourceNow;
    const change = changeSince(before, row.device_id, judge(row, judged, passed));
    known.processed.set(row.id, change);
    return change !== null;
  });
  // Most rows of a window are as they were, and nobody has to be told of them.
  if (others.length === 0) return known;
  const review = await db
    .selectFrom('review')
    .select(['cash_out_id', 'reason', 'lamassu', 'state', 'since'])
    .where('cash_out_id', 'in', idsOf(others))
    .execute();
  for (const row of review) known.review.set(row.cash_out_id, row);
  const watch = await db
    .selectFrom('watch')
    .select('cash_out_id')
    .where('cash_out_id', 'in', idsOf(others))
    .execute();
  for (const row of watch) known.watched.add(row.cash_out_id);
  return known;
}

function idsOf(rows: LamassuRow[]): string[] {
  return rows.map((row) => row.id);
}

/** What a person has to be told of a row; null where that is known. */
function news(
  row: LamassuRow,
  reading: Reading,
  known: Known,
  reason: ReviewReason,
  detail: string,
): Finding | null {
  const found = finding(row, reading, reason, detail);
  return isNews(known.review.get(row.id), found) ? found : null;
}

function finding(row: LamassuRow, reading: Reading, reason: ReviewReason, detail: string): Finding {
  const { source } = reading.rules;
  const [machine = null, ...others] = cashMachines(row);
  return {
    ...{ cashOutId: row.id, source, machine: others.length === 0 ? machine : row.device_id },
    ...{ reason, detail, lamassu: row },
  };
}

/**
 * How Lamassu contradicts what was distributed; null where it does not, and where a person settled it. Which machine
 * the cash came out of was logged by the time that it was distributed: `reconcile` compares that.
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
    ['gross sats', processed.gross, cashOut.gross],
  ];
  const differing = pairs.filter(([, then, today]) => then !== today);
  if (differing.length === 0) return null;
  return differing.map(([what, then, today]) => `${what} was ${then}, Lamassu now says ${today}`).join('; ');
}

/** From when to when an entry makes another division of a cash-out than its time says, and how that is known. */
interface WrongSpan {
  from: Instant;
  to: Instant;
  how: string;
}

/**
 * Where the time of a cash-out was not told by a right clock: a row that nobody knew, and that is dated earlier than the moment
 * at which all there was had been read; one that was there before the time that it says; and every one while Lamassu's clock
 * is not known to be right.
 */
function wrongSpans(
  { confirmedAt }: CashOut,
  { readBefore, latest, ahead }: ReadingClocks,
  isNew: boolean,
  review: Pick<Schema['review'], 'reason' | 'since'> | undefined,
): WrongSpan[] {
  const spans: WrongSpan[] = [];
  if (isNew && readBefore !== null && plus(confirmedAt, MAY_DIFFER_MS) < readBefore) {
    // It was confirmed since then, before an entry or after it.
    spans.push({ from: confirmedAt, to: latest, how: `it was not there yet at ${readBefore}` });
  }
  if (review?.reason === 'future' && review.since < confirmedAt) {
    spans.push({ from: review.since, to: confirmedAt, how: `it was there already at ${review.since}` });
  }
  if (Math.abs(ahead) > MAY_DIFFER_MS) {
    const [from = confirmedAt, to = confirmedAt] = [confirmedAt, plus(confirmedAt, -ahead)].sort();
    const how = `Lamassu's clock is ${inWords(ahead)} ${ahead > 0 ? 'ahead of' : 'behind'} this host's`;
    spans.push({ from, to, how });
  }
  return spans;
}

/** Why only a person can say whose cash a cash-out was; null where it is the same by every clock. */
async function clockDoubt(
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

/**
 * One eligible cash-out, with the notes that came before it, in one transaction. Where its division depends on which clock
 * was right, it waits for a person instead.
 */
async function recordCashOut(
  reading: Reading,
  report: ReadReport,
  sourceNow: Instant,
  notes: Note[],
  row: LamassuRow,
  cashOut: CashOut,
  { spans, released }: { spans: WrongSpan[]; released: boolean },
): Promise<void> {
  try {
    const result = await reading.write(async (trx) => {
      const { clocks } = reading;
      const doubt = !clocks || released ? null : await clockDoubt(trx, cashOut, clocks, spans);
      if (doubt !== null) return doubt;
      const fresh = await writeNotes(trx, reading, notes);
      const division = await ingest(trx, cashOut, { ...reading.ingest, now: now() });
      return {
        fresh,
        division,
        mark: await advance(trx, reading, report, sourceNow, [...notes.map((one) => one.row), row]),
      };
    });
    if ('reason' in result) {
      const review = finding(row, reading, result.reason, result.detail);
      await recordNotes(reading, report, sourceNow, [...notes, { row, watch: true, review }]);
      return;
    }
    report.toReview += result.fresh;
    report.mark = result.mark;
    if (result.division) reading.onCashOut(cashOut, result.division);
    else report.alreadyProcessed += 1;
  } catch (error) {
    // What cannot be computed concerns this row: the next ones go on. Whatever the database, its disk or the way to it
    // does, concerns them all.
    if (!(error instanceof NotDivisible)) throw error;
    const review = finding(row, reading, 'not-allocated', `it could not be distributed: ${error.message}`);
    await recordNotes(reading, report, sourceNow, [...notes, { row, watch: true, review }]);
  }
}

async function recordNotes(
  reading: Reading,
  report: ReadReport,
  sourceNow: Instant,
  notes: Note[],
): Promise<void> {
  const rows = notes.map((one) => one.row);
  const idle = notes.every((one) => !one.watch && one.review === null);
  if (idle && markAfter(report.mark, sourceNow, rows) === report.mark) return;
  await reading.write(async (trx) => {
    report.toReview += await writeNotes(trx, reading, notes);
    report.mark = await advance(trx, reading, report, sourceNow, rows);
  });
}

/** How many rows came newly into review. */
async function writeNotes(trx: Trx, reading: Reading, notes: Note[]): Promise<number> {
  let fresh = 0;
  const at = now();
  const settled = await settledMeanwhile(trx, notes);
  for (const { row, review, watch } of notes) {
    if (settled.has(row.id)) continue;
    if (watch) {
      await trx
        .insertInto('watch')
        .values({
          cash_out_id: row.id,
          source: reading.rules.source,
          confirmed_at: row.confirmed_at,
          since: at,
        })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    }
    if (!review) continue;
    // A person may have to name one of them.
    for (const machine of new Set([row.device_id, ...cashMachines(row)]))
      if (isMachine(machine)) await seeMachine(trx, machine, review.source, at, reading.ingest.run);
    if (await toReview(trx, review, at, reading.ingest.run)) fresh += 1;
  }
  return fresh;
}

/** Rows that were still open when they were judged, and that a person has settled since. */
async function settledMeanwhile(trx: Trx, notes: Note[]): Promise<Set<string>> {
  const ids = notes
    .filter(({ watch, review }) => watch || (review !== null && review.reason !== 'changed'))
    .map(({ row }) => row.id);
  if (ids.length === 0) return new Set();
  const rows = await trx.selectFrom('cash_outs').select('id').where('id', 'in', ids).execute();
  return new Set(rows.map(({ id }) => id));
}

async function advance(
  trx: Trx,
  reading: Reading,
  report: ReadReport,
  sourceNow: Instant,
  rows: LamassuRow[],
): Promise<Mark | null> {
  const mark = markAfter(report.mark, sourceNow, rows);
  if (mark !== null && mark !== report.mark) await moveMark(trx, reading.rules.source, mark);
  return mark;
}

/** The furthest of the mark and these rows that is not past Lamassu's clock. */
function markAfter(mark: Mark | null, sourceNow: Instant, rows: LamassuRow[]): Mark | null {
  let furthest = mark;
  for (const { id, confirmed_at: confirmedAt } of rows) {
    if (confirmedAt === null || confirmedAt > sourceNow) continue;
    const further =
      furthest === null ||
      confirmedAt > furthest.confirmedAt ||
      (confirmedAt === furthest.confirmedAt && id > furthest.id);
    if (further && isInstant(confirmedAt)) furthest = { confirmedAt, id };
  }
  return furthest;
}
