import { Temporal } from 'temporal-polyfill';
import { addDays, startOfDay } from '../dca/local-time.ts';
import { conflict, invalid } from '../errors.ts';
import { field, message } from '../lib/message.ts';
import type { Instant } from '../time.ts';
import { addMonths, isMonth } from './months.ts';
import { parseTime } from './times.ts';

/** A range of time as the operator types it. */
export interface RangeInput {
  from?: string | undefined;
  to?: string | undefined;
  month?: string | undefined;
}

/** At or after `from` and before `until`; null: no such bound. */
export interface Range {
  from: Instant | null;
  before: Instant | null;
}

/**
 * Takes local days of `timezone` (the last day counts as a whole), times, or a month of local days. Throws
 * `usage/invalid`.
 */
export function parseRange({ from, to, month }: RangeInput, timezone: string): Range {
  if (month !== undefined) {
    if (from !== undefined || to !== undefined) {
      throw conflict(
        'month',
        message`it cannot go together with ${field('from')} or ${field('to')}`,
        message`Use either ${field('month')}, or ${field('from')} and ${field('to')}.`,
      );
    }
    return parseMonth(month, timezone);
  }
  const range = {
    from: from === undefined ? null : parseTime(from, timezone, 'from'),
    before: to === undefined ? null : endOf(to, timezone),
  };
  if (range.from !== null && range.before !== null && range.from >= range.before) {
    throw conflict('to', message`${to ?? ''} is before ${field('from')}, ${from ?? ''}`, 'Swap the two.');
  }
  return range;
}

/** `2026-11`: all its local days. Throws `usage/invalid`. */
export function parseMonth(month: string, timezone: string): { from: Instant; before: Instant } {
  if (!isMonth(month)) {
    throw invalid('month', `${JSON.stringify(month)} is not a month`, 'Write it like 2026-11.');
  }
  return {
    from: startOfDay(`${month}-01`, timezone),
    before: startOfDay(`${addMonths(month, 1)}-01`, timezone),
  };
}

/** The first moment after the end: after the whole day, or a microsecond after the time. */
function endOf(to: string, timezone: string): Instant {
  const time = parseTime(to, timezone, 'to');
  if (!/^\d{4}-\d{2}-\d{2}$/.test(to.trim())) return afterwards(time);
  return startOfDay(addDays(to.trim(), 1), timezone);
}

/** A microsecond later: the smallest step of an `Instant`. */
function afterwards(time: Instant): Instant {
  return Temporal.Instant.from(time).add({ microseconds: 1 }).toString({ smallestUnit: 'microsecond' });
}
