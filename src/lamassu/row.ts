import type { CashOutColumn } from './columns.ts';

/**
 * A row of Lamassu's `cash_out_txs`, every column as PostgreSQL's text: numbers in decimal notation, booleans
 * `true` and `false`, times as `Instant` (or whatever PostgreSQL writes for one outside the years 1 to 9999).
 * A column that the server does not have is null. `actions` are the row's `cash_out_actions` about notes, JSON
 * of `NotesAction[]`; null if there are none, undefined if they were not read. `notes` are the counts of each of these
 * actions, JSON of `(NoteCount[] | null)[]` in the same order.
 */
export type LamassuRow = { id: string } & Record<Exclude<CashOutColumn, 'id'>, string | null> & {
    actions?: string | null;
    notes?: string | null;
  };
