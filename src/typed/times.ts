import { Temporal } from 'temporal-polyfill';
import { invalid } from '../errors.ts';
import { type Instant, isInstant } from '../time.ts';
import { quote } from './quote.ts';

/**
 * A day, optionally a time, optionally an offset. A zone's name in brackets is refused: Temporal would not compare it.
 */
const TIME =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[Tt ]([0-9]{2}:[0-9]{2}(?::[0-5][0-9](?:\.[0-9]{1,9})?)?)(?: ?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?))?)?$/;

/**
 * `2026-11-20T10:00:00-06:00` (a zone of its own), `2026-11-20 10:00` (local in `timezone`), or `2026-11-20`
 * (its local midnight). A local time that the clock skips counts as an hour later; one that comes twice, as the first.
 */
export function parseTime(text: string, timezone: string, field: string): Instant {
  const time = parseZonedTime(text) ?? parseLocalTime(text, timezone);
  if (time) return time;
  const example = 'Write a day, like 2026-11-20, or a time, like 2026-11-20T10:00:00-06:00.';
  throw invalid(field, `${quote(text)} is not a time`, example);
}

/** ISO 8601 with an offset or `Z` to an instant, cut to microseconds; undefined for anything else. */
export function parseZonedTime(text: string): Instant | undefined {
  const [, day, time, zone] = TIME.exec(text.trim()) ?? [];
  if (time === undefined || zone === undefined) return undefined;
  return instant(() => Temporal.Instant.from(`${day}T${time}${zone}`));
}

function parseLocalTime(text: string, timezone: string): Instant | undefined {
  const [, day, time, zone] = TIME.exec(text.trim()) ?? [];
  if (day === undefined || zone !== undefined) return undefined;
  return instant(() =>
    Temporal.PlainDateTime.from(time === undefined ? day : `${day}T${time}`, { overflow: 'reject' })
      .toZonedDateTime(timezone)
      .toInstant(),
  );
}

function instant(read: () => Temporal.Instant): Instant | undefined {
  try {
    const time = read().toString({ fractionalSecondDigits: 6 });
    return isInstant(time) ? time : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A local day, `2026-11-20`. */
export function parseDay(text: string, field: string): string {
  const day = text.trim();
  if (/^\d{4}-\d{2}-\d{2}$/.test(day) && parseLocalTime(day, 'UTC') !== undefined) return day;
  throw invalid(field, `${quote(text)} is not a day`, 'Write it like 2026-11-20.');
}
