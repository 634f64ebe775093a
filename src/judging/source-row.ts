import { isBackdated, isCurrencyCode } from '../lamassu/eligibility.ts';
import { actionsWithNotes, dispensesWithNotes } from '../lamassu/notes.ts';
import type { LamassuRow } from '../lamassu/row.ts';

/** What there is to show, to keep and to decide of a row of Lamassu, besides its judgement. */
export interface SourceRow {
  id: string;
  /** Every column, with its name in Lamassu: what the ledger keeps. */
  columns: Readonly<Record<string, string | null | undefined>>;
  /** The device id of the machine where the layperson began. */
  machine: string | null;
  confirmedAt: string | null;
  /** The code of its currency, known or not; null if what Lamassu has is not of the form of one. */
  currencyCode: string | null;
  /** Whether it was confirmed before it was created: Lamassu's clock was wrong. */
  backdated: boolean;
  /** The logged actions about its notes, each in words, with what each cassette paid out. */
  actions: string[];
  /** Those of them that paid out cash. */
  dispenses: string[];
}

export function sourceRow(row: LamassuRow): SourceRow {
  return {
    id: row.id,
    columns: row,
    machine: row.device_id,
    confirmedAt: row.confirmed_at,
    currencyCode: isCurrencyCode(row.fiat_code) ? row.fiat_code : null,
    backdated: isBackdated(row),
    actions: actionsWithNotes(row),
    dispenses: dispensesWithNotes(row),
  };
}

/** A row as the ledger kept it, in JSON. An earlier version may have kept fewer columns. */
export function storedRow(kept: string): Pick<SourceRow, 'columns' | 'actions'> {
  const row = JSON.parse(kept) as LamassuRow;
  return { columns: row, actions: actionsWithNotes(row) };
}
