import type { Clock, Instant } from '../time.ts';
import type { LamassuOptions } from './connect.ts';
import { type Database, openDatabase } from './database.ts';
import { type Judged, judge, type Known, type Rules } from './eligibility.ts';
import type { LamassuRow } from './row.ts';
import type { Connect } from './session-cache.ts';

/** The rules of a source, and what it reads from the ledger. */
export interface Judging<K extends Known> {
  rules: Rules;
  /** What the ledger knows of the rows with these ids; ids that are left out are unknown. */
  known(ids: string[]): Promise<ReadonlyMap<string, K>>;
  nothingKnown: K;
  /** Whether to read the notes of processed rows, too: slow, but needed to compare machines. */
  withNotesOfProcessed?: boolean;
}

/** Selects rows; the others are not judged, and their notes are not read. */
type RowFilter = (row: LamassuRow) => boolean;

/**
 * Lamassu as a source of judged cash-outs: each row is eligible, or has the reason why it is not. Everything else,
 * errors included, is as in `Database`.
 */
export interface Source<K extends Known = Known>
  extends Pick<
    Database,
    | 'now'
    | 'clocks'
    | 'systemIdentifier'
    | 'machines'
    | 'lastAction'
    | 'backdatedSince'
    | 'idsBeginning'
    | 'close'
  > {
  /**
   * See `Database.confirmedSince`. It may end at the first page that reaches `before`. A page without wanted rows may
   * be empty.
   */
  confirmedSince(
    from: Instant,
    options?: { unconfirmed?: { from: Instant; to: Instant }; before?: Instant | null; wanted?: RowFilter },
  ): AsyncIterable<Judged<K>[]>;
  byIds(ids: readonly string[], wanted?: RowFilter): Promise<Judged<K>[]>;
}

/** Errors: those of `openDatabase`. */
export async function openSource<K extends Known>(
  options: LamassuOptions,
  clock: Clock,
  judging: Judging<K>,
  by?: Connect,
): Promise<Source<K>> {
  return sourceOf(await openDatabase(options, clock, by), judging);
}

export function sourceOf<K extends Known>(database: Database, judging: Judging<K>): Source<K> {
  const { rules, nothingKnown, withNotesOfProcessed = false } = judging;

  async function judged(rows: LamassuRow[]): Promise<Judged<K>[]> {
    if (rows.length === 0) return [];
    const known = await judging.known(rows.map(({ id }) => id));
    const needsNotes = ({ id }: LamassuRow) => withNotesOfProcessed || !known.get(id)?.processed;
    const read = await database.withActions(rows.filter(needsNotes));
    const withNotes = new Map(read.map((row) => [row.id, row]));
    return rows.map((row) =>
      judge(withNotes.get(row.id) ?? row, rules, database.now, known.get(row.id) ?? nothingKnown),
    );
  }

  return {
    ...database,
    async *confirmedSince(from, { unconfirmed, before = null, wanted = () => true } = {}) {
      for await (const page of database.confirmedSince(from, unconfirmed)) {
        yield await judged(page.filter(wanted));
        // In the order of `confirmed_at`; rows selected only by `created` come first.
        const last = page.at(-1)?.confirmed_at ?? null;
        if (before !== null && last !== null && last >= before) return;
      }
    },
    byIds: async (ids, wanted = () => true) => judged((await database.byIds(ids)).filter(wanted)),
  };
}
