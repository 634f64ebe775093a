import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { setTimeout } from 'node:timers/promises';

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

/** An instant to milliseconds since 1970; the microseconds are dropped. */
export function toMs(instant: Instant): number {
  return Date.parse(`${instant.slice(0, 23)}Z`);
}

/** The instant `ms` milliseconds later (earlier where negative); its microseconds are kept. */
export function plus(instant: Instant, ms: number): Instant {
  return `${toInstant(toMs(instant) + ms).slice(0, 23)}${instant.slice(23)}`;
}

/** Two clocks may differ by this much before a warning, in ms. Clocks that NTP keeps differ by less than one second. */
export const MAY_DIFFER_MS = 60_000;

/** This host's clocks at one moment. */
export interface HostClock extends SinceBoot {
  /** Milliseconds since 1970. */
  wall: number;
}

/** What cannot be set. */
export interface SinceBoot {
  /** Milliseconds since this host booted, including suspended time. Setting the clock does not change this. */
  uptime: number;
  /** The id of this boot; null if the system has none. Then two uptimes cannot be compared. */
  boot: string | null;
}

export function sinceBoot(): SinceBoot {
  return { uptime: Math.round(uptime() * 1000), boot: bootId() };
}

/**
 * The clocks of this host, and how to wait by them. A door makes the only one and hands it down; a test hands down its
 * own.
 */
export interface Clock {
  /** As the host shows it: people and NTP set it, so it may jump. To the millisecond. */
  now(): Instant;
  /** Milliseconds since some moment. It never goes back, but may exclude the time in which the system was suspended. */
  monotonic(): number;
  /** All clocks of the host at once. */
  host(): HostClock;
  /** Resolves `ms` milliseconds later, or as soon as `signal` is aborted. */
  sleep(ms: number, options?: SleepOptions): Promise<void>;
}

export interface SleepOptions {
  signal?: AbortSignal;
  /** False if the process may end during this wait, because nothing depends on it. */
  ref?: boolean;
}

/** The clock of this host. */
export const systemClock: Clock = {
  now: () => toInstant(Date.now()),
  monotonic: () => performance.now(),
  host: () => ({ wall: Date.now(), ...sinceBoot() }),
  sleep: (ms, options) => setTimeout(ms, undefined, options).catch(unlessAborted),
};

function unlessAborted(error: unknown): void {
  if ((error as Error).name !== 'AbortError') throw error;
}

/** A moment, noted by both clocks: the host's in milliseconds since 1970. */
export interface Moment {
  monotonic: number;
  date: number;
}

export function momentOf(clock: Clock): Moment {
  return { monotonic: clock.monotonic(), date: toMs(clock.now()) };
}

/**
 * Milliseconds since a moment. The larger of the two counts: the monotonic clock may exclude the time in which the
 * system was suspended.
 */
export function msSince(clock: Clock, { monotonic, date }: Moment): number {
  const now = momentOf(clock);
  return Math.max(now.monotonic - monotonic, now.date - date);
}

/** Linux gives each boot a random id. */
export function bootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}

/**
 * How far another clock, which showed `shown`, is ahead of the one that showed `before` and `after`, in ms. Negative if
 * it is behind; 0 if the time that the request took explains the difference.
 */
export function aheadBy(shown: number, { before, after }: { before: number; after: number }): number {
  return Math.max(0, shown - after) - Math.max(0, before - shown);
}
