import type { Config } from '../config/load.ts';
import type { Division } from '../dca/allocate.ts';
import type { CashOut } from '../dca/cash-out.ts';
import { BridgeError } from '../errors.ts';
import { type Judgement, judge, type LamassuRow, type Rules } from '../lamassu/row.ts';
import type { Source } from '../lamassu/source.ts';
import { type IngestOptions, ingest } from '../ledger/ingest.ts';
import type { Db, Trx } from '../ledger/open.ts';
import { type Finding, isNews, toReview } from '../ledger/review.ts';
import { type Mark, moveMark } from '../ledger/source.ts';
import { type Instant, isInstant, now, plus } from '../time.ts';

const DAY_MS = 86_400_000;

/** What reading needs: where to record (a run, or a rehearsal), and by which rules. */
export interface Reading {
  db: Db;
  write<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
  rules: Rules;
  mark: Mark | null;
  ingest: Omit<IngestOptions, 'now'>;
  /** Told of each cash-out after it was recorded. */
  onCashOut(cashOut: CashOut, division: Division): void;
  /** Aborted when the program was asked to stop: what is recorded stays, the rest is read by the next run. */
  signal: AbortSignal;
}

export interface ReadReport {
  read: number;
  alreadyProcessed: number;
  toReview: number;
  mark: Mark | null;
}

/** The rules by which Lamassu's rows are judged. */
export function rulesOf(config: Config): Rules {
  const { method, fallback } = config.commission;
  return { source: config.lamassu.name, startAt: config.lamassu.startAt, method, fallback };
}

/**
 * Pages of rows to look at, oldest first: the watched ones that the window misses, everything confirmed since the
 * mark less the overlap, and what came out of the machine but was never confirmed.
 */
export async function* pagesToRead(
  db: Db,
  source: Source,
  { rules, mark, overlapMs }: { rules: Rules; mark: Mark | null; overlapMs: number },
): AsyncGenerator<LamassuRow[]> {
  const from = plus(mark && mark.confirmedAt > rules.startAt ? mark.confirmedAt : rules.startAt, -overlapMs);
  const watched = await db
    .selectFrom('watch')
    .select('cash_out_id')
    .where('source', '=', rules.source)
    .where((eb) => eb.or([eb('confirmed_at', 'is', null), eb('confirmed_at', '<', from)]))
    .execute();
  if (watched.length > 0) yield await source.byIds(watched.map((row) => row.cash_out_id));
  yield* source.confirmedSince(from);
  yield* source.unconfirmed(plus(from, -DAY_MS), plus(source.now, -DAY_MS));
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
  const report: ReadReport = { read: 0, alreadyProcessed: 0, toReview: 0, mark: reading.mark };
  for await (const page of pages) {
    const known = await knownRows(reading.db, page);
    let notes: Note[] = [];
    for (const row of page) {
      if (reading.signal.aborted) break;
      report.read += 1;
      const judgement = judge(row, reading.rules, sourceNow);
      if (known.processed.has(row.id)) report.alreadyProcessed += 1;
      else if (judgement.eligible) {
        await recordCashOut(reading, report, sourceNow, notes, row, judgement.cashOut);
        notes = [];
        continue;
      }
      notes.push(noteOn(row, judgement, reading.rules.source, known));
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

interface Known {
  processed: Map<
    string,
    { machine: string; confirmed_at: string; currency: string; fiat: bigint; gross: bigint; origin: string }
  >;
  review: Map<string, Parameters<typeof isNews>[0]>;
  watched: Set<string>;
}

async function knownRows(db: Db, page: LamassuRow[]): Promise<Known> {
  const ids = page.map((row) => row.id);
  if (ids.length === 0) return { processed: new Map(), review: new Map(), watched: new Set() };
  const processed = await db
    .selectFrom('cash_outs')
    .select(['id', 'machine', 'confirmed_at', 'currency', 'fiat', 'gross', 'origin'])
    .where('id', 'in', ids)
    .execute();
  const review = await db
    .selectFrom('review')
    .select(['cash_out_id', 'reason', 'lamassu', 'state'])
    .where('cash_out_id', 'in', ids)
    .execute();
  const watch = await db.selectFrom('watch').select('cash_out_id').where('cash_out_id', 'in', ids).execute();
  return {
    processed: new Map(processed.map((row) => [row.id, row])),
    review: new Map(review.map((row) => [row.cash_out_id, row])),
    watched: new Set(watch.map((row) => row.cash_out_id)),
  };
}

function noteOn(row: LamassuRow, judgement: Judgement, source: string, known: Known): Note {
  const finding = (reason: string, detail: string): Finding => ({
    cashOutId: row.id,
    source,
    machine: row.device_id,
    reason,
    detail,
    lamassu: row,
  });
  const news = (found: Finding) => (isNews(known.review.get(row.id), found) ? found : null);
  const processed = known.processed.get(row.id);
  if (processed) {
    const change = processed.origin === 'lamassu' ? changeSince(processed, judgement) : null;
    return { row, watch: false, review: change === null ? null : news(finding('changed', change)) };
  }
  if (judgement.eligible) throw new Error(`${row.id} is eligible and was not ingested`);
  const { reason, detail } = judgement;
  const watched = known.watched.has(row.id);
  // Confirmed before the start, but eligible only now: whether somebody else paid for it, only a person knows.
  const lateStart = reason === 'before-start' && watched;
  return {
    row,
    watch: judgement.watch && !watched,
    review: judgement.review || lateStart ? news(finding(reason, detail)) : null,
  };
}

/** How Lamassu contradicts what was distributed; null where it does not. */
function changeSince(
  processed: { machine: string; confirmed_at: string; currency: string; fiat: bigint; gross: bigint },
  judgement: Judgement,
): string | null {
  if (!judgement.eligible) {
    // A later start_at does not concern what was processed before.
    return judgement.reason === 'before-start'
      ? null
      : `it was distributed, and now Lamassu says: ${judgement.detail}`;
  }
  const { cashOut } = judgement;
  const pairs: [string, unknown, unknown][] = [
    ['machine', processed.machine, cashOut.machine],
    ['confirmed_at', processed.confirmed_at, cashOut.confirmedAt],
    ['currency', processed.currency, cashOut.currency],
    ['fiat', processed.fiat, cashOut.fiat],
    ['gross sats', processed.gross, cashOut.gross],
  ];
  const differing = pairs.filter(([, then, today]) => then !== today);
  if (differing.length === 0) return null;
  return differing.map(([what, then, today]) => `${what} was ${then}, Lamassu now says ${today}`).join('; ');
}

/** One eligible cash-out, with the notes that came before it, in one transaction. */
async function recordCashOut(
  reading: Reading,
  report: ReadReport,
  sourceNow: Instant,
  notes: Note[],
  row: LamassuRow,
  cashOut: CashOut,
): Promise<void> {
  try {
    const result = await reading.write(async (trx) => {
      const fresh = await writeNotes(trx, reading, notes);
      const division = await ingest(trx, cashOut, { ...reading.ingest, now: now() });
      return {
        fresh,
        division,
        mark: await advance(trx, reading, report, sourceNow, [...notes.map((one) => one.row), row]),
      };
    });
    report.toReview += result.fresh;
    report.mark = result.mark;
    if (result.division) reading.onCashOut(cashOut, result.division);
    else report.alreadyProcessed += 1;
  } catch (error) {
    // A ledger that does not answer concerns every row; anything else, this one: the next rows go on.
    if (error instanceof BridgeError || !(error instanceof Error)) throw error;
    const review: Finding = {
      cashOutId: row.id,
      source: reading.rules.source,
      machine: row.device_id,
      reason: 'not-allocated',
      detail: `it could not be distributed: ${error.message}`,
      lamassu: row,
    };
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
  for (const { row, review, watch } of notes) {
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
    if (review && (await toReview(trx, review, at, reading.ingest.run))) fresh += 1;
  }
  return fresh;
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
    if (confirmedAt === null || !isInstant(confirmedAt) || confirmedAt > sourceNow) continue;
    if (
      furthest === null ||
      confirmedAt > furthest.confirmedAt ||
      (confirmedAt === furthest.confirmedAt && id > furthest.id)
    ) {
      furthest = { confirmedAt, id };
    }
  }
  return furthest;
}
