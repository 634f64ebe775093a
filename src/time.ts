/**
 * An instant in UTC with microseconds, always 27 characters: `2026-11-20T10:00:00.123456Z`.
 * The fixed width makes text order the same as time order, on SQLite and PostgreSQL alike.
 */
export type Instant = string;

const PATTERN = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$/;

export function isInstant(text: string): text is Instant {
  return PATTERN.test(text) && !Number.isNaN(Date.parse(text));
}

/** Milliseconds since 1970 to an instant. Throws a RangeError outside the years 0 to 9999. */
export function toInstant(ms: number): Instant {
  const text = new Date(ms).toISOString();
  if (text.length !== 24) throw new RangeError(`not a time between the years 0 and 9999: ${text}`);
  return `${text.slice(0, 23)}000Z`;
}

/** An instant to milliseconds since 1970; the microseconds are cut off. */
export function toMs(instant: Instant): number {
  return Date.parse(`${instant.slice(0, 23)}Z`);
}

export function now(): Instant {
  return toInstant(Date.now());
}

/** The instant `ms` milliseconds later (earlier where negative); its microseconds are kept. */
export function plus(instant: Instant, ms: number): Instant {
  return `${toInstant(toMs(instant) + ms).slice(0, 23)}${instant.slice(23)}`;
}

/**
 * Milliseconds since a moment that both clocks noted: `steady` as of performance.now(), `date` as of Date.now(). The one
 * that says more counts: while a machine sleeps the steady one may stand still.
 */
export function msSince(steady: number, date: number): number {
  return Math.max(performance.now() - steady, Date.now() - date);
}
