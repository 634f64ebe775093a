import type { LamassuRow } from '../lamassu/row.ts';
import type { Source } from '../lamassu/source.ts';
import type { KnownRow } from '../ledger/cash-outs/known.ts';
import type { Position } from '../ledger/cash-outs/watermark.ts';
import { ALWAYS } from '../ledger/store/effective-dated.ts';
import type { Db } from '../ledger/store/open.ts';
import { type Instant, isInstant, MAY_DIFFER_MS, plus } from '../time.ts';
import type { JudgedRow } from './read.ts';

const DAY_MS = 86_400_000;

/**
 * Pages of rows to read, oldest first: watched rows outside of the window, and rows that Lamassu wrote since the last
 * reading under an earlier time because its clock was behind; everything confirmed since that reading less the overlap;
 * and rows that were paid out but never confirmed.
 */
export async function* pagesToRead(
  db: Db,
  source: Source<KnownRow>,
  { name, startAt, position, overlapMs, behind = new Set() }: Window,
): AsyncGenerator<JudgedRow[]> {
  const from = plus(windowStart(position, startAt, source.now), -overlapMs);
  const watched = await db.selectFrom('watch').select('cash_out_id').where('source', '=', name).execute();
  const ids = new Set(watched.map((row) => row.cash_out_id));
  const { readTo, lastAction } = position;
  if (readTo !== null && readTo > ALWAYS && lastAction !== null) {
    const since = await source.backdatedSince(lastAction, plus(readTo, -MAY_DIFFER_MS));
    for (const id of since) if (!ids.has(id)) behind.add(id);
  }
  if (ids.size + behind.size > 0) {
    // All watched rows: a wrong time may have been corrected since to one before the window. A row within the window is
    // read there, in the order of time, so the mark does not pass what was not read yet.
    yield await source.byIds([...ids, ...behind], (row) => {
      if (ids.has(row.id)) return row.confirmed_at === null || !isWithin(row, from);
      return row.confirmed_at !== null && !isWithin(row, from);
    });
  }
  const unconfirmed = { from: plus(from, -DAY_MS), to: plus(source.now, -DAY_MS) };
  yield* source.confirmedSince(from, { unconfirmed });
}

interface Window {
  /** The source's name in the ledger. */
  name: string;
  startAt: Instant;
  position: Position;
  overlapMs: number;
  /** Gets the ids of the rows that were written while a clock of Lamassu was behind. */
  behind?: Set<string>;
}

function isWithin({ confirmed_at: confirmed, created }: LamassuRow, from: Instant): boolean {
  return isSince(confirmed, from) || isSince(created, from);
}

/**
 * A time outside the years of an `Instant` is PostgreSQL's own text: infinity, a year of five digits, or one before
 * Christ.
 */
function isSince(time: string | null, from: Instant): boolean {
  if (time === null || time.startsWith('-') || time.endsWith('BC')) return false;
  return !isInstant(time) || time >= from;
}

/**
 * The time up to which every row was read. The mark alone does not tell: a row from a time when Lamassu's clock was
 * ahead moves it past rows that are confirmed later. If a clock was ahead when Lamassu was read, it is not known what
 * was read.
 */
function windowStart({ mark, readTo }: Position, startAt: Instant, now: Instant): Instant {
  const read = readTo ?? mark?.confirmedAt;
  if (mark === null || read === undefined) return earlier(startAt, now);
  const soon = plus(now, MAY_DIFFER_MS);
  const wasAhead = read > soon || mark.confirmedAt > soon;
  const known = wasAhead ? startAt : earlier(mark.confirmedAt, read);
  return earlier(known > startAt ? known : startAt, now);
}

function earlier(a: Instant, b: Instant): Instant {
  return a < b ? a : b;
}
