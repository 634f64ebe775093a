import type { Command } from 'commander';
import { Temporal } from 'temporal-polyfill';
import { startOfDay } from '../dca/local-time.ts';
import type { Instant } from '../time.ts';
import { parseTime } from '../typed/times.ts';
import { usage } from './context.ts';

/** Adds `--from` and `--to`. */
export function rangeOptions(command: Command): Command {
  return command
    .option('--from <day>', 'from this local day on, or a time with its zone')
    .option('--to <day>', 'up to and with this local day, or a time with its zone');
}

/** What `--from`, `--to` and `--month` say. */
export interface RangeOptions {
  from?: string;
  to?: string;
  month?: string;
}

/** From a moment on, and before another; null: without that bound. */
export interface Range {
  from: Instant | null;
  before: Instant | null;
}

/**
 * The range that a person means: local days of `timezone`, the last one with its whole day, or times. `--month` is
 * all days of a local month. Throws `usage/invalid`.
 */
export function parseRange({ from, to, month }: RangeOptions, timezone: string): Range {
  if (month !== undefined) {
    if (from !== undefined || to !== undefined) {
      throw usage(
        '--month: it cannot go together with --from or --to.',
        'Use either --month, or --from and --to.',
      );
    }
    const first = parseMonth(month);
    return {
      from: startOfDay(first.toString(), timezone),
      before: startOfDay(first.add({ months: 1 }).toString(), timezone),
    };
  }
  const range = {
    from: from === undefined ? null : parseTime(from, timezone, '--from'),
    before: to === undefined ? null : endOf(to, timezone),
  };
  if (range.from !== null && range.before !== null && range.from >= range.before) {
    throw usage(`--to: ${to} is before --from, ${from}.`, 'Swap the two.');
  }
  return range;
}

function parseMonth(month: string): Temporal.PlainDate {
  if (/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) return Temporal.PlainDate.from(`${month}-01`);
  throw usage(`--month: ${JSON.stringify(month)} is not a month.`, 'Write it like 2026-11.');
}

/** The first moment after `--to`: after the whole day, or right after the time. */
function endOf(to: string, timezone: string): Instant {
  const time = parseTime(to, timezone, '--to');
  if (!/^\d{4}-\d{2}-\d{2}$/.test(to.trim())) return afterwards(time);
  return startOfDay(Temporal.PlainDate.from(to.trim()).add({ days: 1 }).toString(), timezone);
}

/** A microsecond later, the smallest step that times have. */
function afterwards(time: Instant): Instant {
  return Temporal.Instant.from(time).add({ microseconds: 1 }).toString({ smallestUnit: 'microsecond' });
}
