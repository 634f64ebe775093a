import { cashText, formatDecimal, groupDigits, RATE_SCALE } from '../dca/money.ts';
import { machineText } from '../lib/machine-label.ts';
import { type Instant, isInstant } from '../time.ts';
import type { LamassuRow } from './row.ts';
import { quoted, readDecimal } from './values.ts';

/** The actions about notes: a machine was told to pay out, or paid out. */
export const NOTE_ACTIONS = ['dispense', 'dispenseError', 'provisionNotes', 'provisionNotesError'] as const;

const DISPENSES: readonly string[] = ['dispense', 'dispenseError'];

/** One action of `LamassuRow.actions`; every value is PostgreSQL's text. */
export interface NotesAction {
  action: string;
  /** The machine that did it; null for servers before September 2018, which did not record it. */
  device_id: string | null;
  created: string | null;
  /** Denomination × notes paid out, summed over the cassettes; null if there is no count. */
  cash: string | null;
}

/** A denomination, and how many of its notes one cassette paid out. */
export type NoteCount = [denomination: string, dispensed: string];

/** The actions in the order in which Lamassu logged them. */
export function actionsOf(row: Pick<LamassuRow, 'actions'>): NotesAction[] {
  return row.actions ? (JSON.parse(row.actions) as NotesAction[]) : [];
}

/** The logged dispenses. Lamassu may have logged one of them twice, so never add them up. */
export function dispensesOf(row: Pick<LamassuRow, 'actions'>): NotesAction[] {
  return actionsOf(row).filter(({ action }) => DISPENSES.includes(action));
}

/**
 * The machines that paid out the cash, by the logged actions; without any action, the machine of the transaction. A
 * customer may sell at one machine and fetch the cash at another (lamassu-server, pull request 164).
 */
export function cashMachines(row: Pick<LamassuRow, 'device_id' | 'actions'>): (string | null)[] {
  const dispenses = dispensesOf(row);
  if (dispenses.length === 0) return [row.device_id];
  return [...new Set(dispenses.map((one) => one.device_id ?? row.device_id))];
}

/**
 * The cash that came out by the counted notes, ×10^5; may be zero. Null if it is not known: no count, or several
 * dispenses, which may be one that was logged twice.
 */
export function countedCash(row: Pick<LamassuRow, 'actions'>): bigint | null {
  const [only, ...more] = dispensesOf(row);
  if (!only || more.length > 0) return null;
  const cash = readDecimal(only.cash, RATE_SCALE);
  return cash === undefined || cash < 0n ? null : cash;
}

/** The time of the last action about notes, by Lamassu's clock; null if there is none. */
export function notesAt(row: Pick<LamassuRow, 'actions'>, sourceNow: Instant): Instant | null {
  const times = actionsOf(row).flatMap(({ created }) =>
    created !== null && isInstant(created) && created <= sourceNow ? [created] : [],
  );
  return times.sort().at(-1) ?? null;
}

/** The counted cash as a clause: `1,000 of 1,800 GTQ came out`. */
export function countWords(row: Pick<LamassuRow, 'fiat' | 'fiat_code' | 'device_id' | 'actions'>): string {
  const dispenses = dispensesOf(row);
  if (dispenses.length > 1) {
    const each = dispenses.slice(0, 4).map((one) => `${cashOf(one.cash, row)} at ${placeOf(one, row)}`);
    return `Lamassu logged ${dispenses.length} dispenses, which may be one and the same: ${each.join('; ')}`;
  }
  const counted = countedCash(row);
  const asked = readDecimal(row.fiat, RATE_SCALE);
  if (counted === null) return 'nothing was counted';
  if (counted === 0n) return 'Lamassu counted no notes out';
  const [cash, whole] = [cashOf(dispenses[0]?.cash ?? null, row), cashOf(row.fiat, row)];
  if (asked === undefined || asked <= 0n) return `${cash} came out`;
  if (counted > asked) return `Lamassu counted ${cash}, more than the ${whole} that were asked for`;
  if (counted === asked) return `all ${whole} came out by the notes counted`;
  return `${cash.replace(/ \S+$/, '')} of ${whole} came out`;
}

/** One action in words: `dispense at 7a1f4c2e: 800 GTQ`. */
export function actionWords(
  one: NotesAction,
  row: Pick<LamassuRow, 'fiat_code' | 'device_id' | 'actions'>,
): string {
  const counted = DISPENSES.includes(one.action) ? `: ${cashOf(one.cash, row)}` : '';
  return `${one.action} at ${placeOf(one, row)}${counted}`;
}

/** The dispenses in words, with the notes of each: `dispense at 7a1f4c2e: 850 GTQ (4 × 200, 1 × 50)`. */
export function dispensesWithNotes(row: ActionsOfRow): string[] {
  return actionsWithNotes(row, DISPENSES);
}

/** The same of all actions about notes. */
export function actionsWithNotes(row: ActionsOfRow, wanted: readonly string[] = NOTE_ACTIONS): string[] {
  // A row that an earlier version kept has none.
  const counts = row.notes ? (JSON.parse(row.notes) as (NoteCount[] | null)[]) : [];
  return actionsOf(row).flatMap((one, index) =>
    wanted.includes(one.action) ? [`${actionWords(one, row)}${notesText(one, counts[index])}`] : [],
  );
}

type ActionsOfRow = Pick<LamassuRow, 'fiat_code' | 'device_id' | 'actions' | 'notes'>;

function notesText({ action }: NotesAction, counts: NoteCount[] | null | undefined): string {
  const some = (counts ?? []).filter(([, dispensed]) => /^[1-9]/.test(dispensed));
  if (!DISPENSES.includes(action) || some.length === 0) return '';
  return ` (${some.map(([denomination, dispensed]) => `${dispensed} × ${groupDigits(denomination)}`).join(', ')})`;
}

function placeOf(one: NotesAction, row: Pick<LamassuRow, 'device_id'>): string {
  const machine = one.device_id ?? row.device_id;
  return machine === null ? 'no machine' : quoted(machineText(machine, null)).slice(1, -1);
}

function cashOf(cash: string | null, { fiat_code: code }: Pick<LamassuRow, 'fiat_code'>): string {
  const scaled = readDecimal(cash, RATE_SCALE);
  if (scaled === undefined) return 'nothing counted';
  const amount = formatDecimal(scaled, RATE_SCALE).replace(/\.?0+$/, '');
  return cashText(amount, code === null ? '' : quoted(code).slice(1, -1)).trim();
}
