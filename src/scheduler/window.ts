import type { LamassuRow } from '../lamassu/row.ts';
import type { Source } from '../lamassu/source.ts';
import { ALWAYS } from '../ledger/in-force.ts';
import type { Db } from '../ledger/open.ts';
import type { Position } from '../ledger/source.ts';
import { type Instant, isInstant, MAY_DIFFER_MS, plus } from '../time.ts';
import type { ReadingRules } from './rules.ts';

const DAY_MS = 86_400_000;

/**
 * Pages of rows to look at, oldest first: the watched ones that the window misses, and those that Lamassu wrote since it
 * was read before under an earlier time, as a clock that is behind does; everything confirmed since then less the
 * overlap; and what came out of the machine but was never confirmed.
 */
export async function* pagesToRead(
  db: Db,
  source: Source,
  { rules, position, overlapMs, behind = new Set() }: Window,
): AsyncGenerator<LamassuRow[]> {
  const from = plus(windowStart(position, rules.startAt, source.now), -overlapMs);
  const watched = await db
    .selectFrom('watch')
    .select('cash_out_id')
    .where('source', '=', rules.source)
    .execute();
  const ids = new Set(watched.map((row) => row.cash_out_id));
  const { readTo, lastAction } = position;
  if (readTo !== null && readTo > ALWAYS && lastAction !== null) {
    const since = await source.backdatedSince(lastAction, plus(readTo, -MAY_DIFFER_MS));
    for (const id of since) if (!ids.has(id)) behind.add(id);
  }
  if (ids.size + behind.size > 0) {
    // All of them: a time that was wrong when it was first seen may have been set right to one behind the window.
    const rows = await source.byIds([...ids, ...behind]);
    // One that lies within the window has its place in the order of time there, and the mark does not pass what was
    // not read yet.
    const missed = rows.filter((row) => {
      if (ids.has(row.id)) return row.confirmed_at === null || !isWithin(row, from);
      return row.confirmed_at !== null && !isWithin(row, from);
    });
    yield await withActions(db, source, missed);
  }
  const unconfirmed = { from: plus(from, -DAY_MS), to: plus(source.now, -DAY_MS) };
  for await (const page of source.confirmedSince(from, unconfirmed))
    yield await withActions(db, source, page);
}

/** Asks what was logged of the notes of those rows that the ledger has not processed: mostly of none. */
async function withActions(db: Db, source: Source, page: LamassuRow[]): Promise<LamassuRow[]> {
  if (page.length === 0) return page;
  const ids = page.map((row) => row.id);
  const processed = await db.selectFrom('cash_outs').select('id').where('id', 'in', ids).execute();
  const known = new Set(processed.map(({ id }) => id));
  const open = await source.withActions(page.filter(({ id }) => !known.has(id)));
  const told = new Map(open.map((row) => [row.id, row]));
  return page.map((row) => told.get(row.id) ?? row);
}

interface Window {
  rules: ReadingRules;
  position: Position;
  overlapMs: number;
  /** Gets the ids of the rows that were written while a clock of Lamassu was behind. */
  behind?: Set<string>;
}

function isWithin({ confirmed_at: confirmed, created }: LamassuRow, from: Instant): boolean {
  return isSince(confirmed, from) || isSince(created, from);
}

/** A time outside the years of an `Instant` is PostgreSQL's own text: infinity, a year of five digits, or one before Christ. */
function isSince(time: string | null, from: Instant): boolean {
  if (time === null || time.startsWith('-') || time.endsWith('BC')) return false;
  return !isInstant(time) || time >= from;
}

/**
 * What is dated earlier was read. The mark alone does not tell: a row of a time when Lamassu's clock was ahead moves it
 * past what is confirmed later. Where a clock was ahead when Lamassu was read, nobody knows what was.
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
