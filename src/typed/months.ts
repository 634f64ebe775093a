import { Temporal } from 'temporal-polyfill';
import { localDate } from '../dca/local-time.ts';
import type { Instant } from '../time.ts';

/* Local months as they are typed: `2026-11`. Their texts are in the order of time. */

export function isMonth(text: string | undefined): text is string {
  return text !== undefined && /^\d{4}-(0[1-9]|1[0-2])$/.test(text);
}

/** The local month at an instant in `timeZone` (IANA). */
export function localMonth(instant: Instant, timeZone: string): string {
  return localDate(instant, timeZone).slice(0, 'YYYY-MM'.length);
}

/** The month so many months later: `addMonths('2027-01', -1)` is `'2026-12'`. */
export function addMonths(month: string, months: number): string {
  return Temporal.PlainYearMonth.from(month).add({ months }).toString();
}
