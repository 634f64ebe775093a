import { Temporal } from 'temporal-polyfill';
import type { Instant } from '../time.ts';

/** Days that are looked at: yesterday's times have always passed, tomorrow's never, whatever the clocks did. */
const DAYS = [-1, 0, 1];

/** The local date at an instant in `timeZone` (IANA): `'2026-11-20'`. Throws a RangeError on an unknown zone. */
export function localDate(instant: Instant, timeZone: string): string {
  return local(instant, timeZone).toPlainDate().toString();
}

/** The local time at an instant, to the second: `'04:15:07'`. */
export function localTime(instant: Instant, timeZone: string): string {
  return local(instant, timeZone).toPlainTime().toString({ smallestUnit: 'second' });
}

/** The first moment of a local date: midnight, or what follows it where the clocks skip midnight. */
export function startOfDay(date: string, timeZone: string): Instant {
  return toText(Temporal.PlainDate.from(date).toZonedDateTime({ timeZone }).toInstant());
}

/** The local date so many days later: `addDays('2026-12-31', 1)` is `'2027-01-01'`. */
export function addDays(date: string, days: number): string {
  return Temporal.PlainDate.from(date).add({ days }).toString();
}

/**
 * The newest of the daily `times` (`'HH:MM'`, local) that is not after `now`; null if there are none.
 * A time that the clocks skip happens at the moment the gap ends; one that they show twice happens once, the
 * first time.
 */
export function latestDue(now: Instant, times: readonly string[], timeZone: string): Instant | null {
  return (
    momentsAround(now, times, timeZone)
      .filter((at) => at <= now)
      .at(-1) ?? null
  );
}

/** The next of the daily `times` after `now`, by the same rules; null if there are none. */
export function nextDue(now: Instant, times: readonly string[], timeZone: string): Instant | null {
  return momentsAround(now, times, timeZone).find((at) => at > now) ?? null;
}

/** In order. */
function momentsAround(now: Instant, times: readonly string[], timeZone: string): Instant[] {
  const today = local(now, timeZone).toPlainDate();
  return DAYS.flatMap((days) =>
    times.map((time) => moment(today.add({ days }), Temporal.PlainTime.from(time), timeZone)),
  ).sort();
}

function moment(date: Temporal.PlainDate, time: Temporal.PlainTime, timeZone: string): Instant {
  const wanted = date.toPlainDateTime(time);
  const earlier = wanted.toZonedDateTime(timeZone, { disambiguation: 'earlier' });
  if (earlier.toPlainDateTime().equals(wanted)) return toText(earlier.toInstant());
  // For a skipped time, "earlier" lies before the gap, so the next change of the clocks is the gap's end.
  const gapEnd = earlier.getTimeZoneTransition('next');
  if (!gapEnd) throw new Error(`${timeZone} skips ${wanted.toString()} without a change of its clocks`);
  return toText(gapEnd.toInstant());
}

function local(instant: Instant, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.from(instant).toZonedDateTimeISO(timeZone);
}

function toText(instant: Temporal.Instant): Instant {
  return instant.toString({ smallestUnit: 'microsecond' });
}
