import type { BridgeError } from '../../errors.ts';
import type { Clock } from '../../time.ts';
import { TooMany } from '../request/problem.ts';

/* How much one visitor may ask for. It is kept in memory: a restart forgets it, and nobody is ever locked out. */

/** More visitors than this are not told apart: the oldest are forgotten. */
const MOST_KEYS = 10_000;

/** A bucket for each key: it starts full, each request takes one, and it fills up again. */
export interface VisitorLimit {
  /** Throws `access/too-many` with the seconds to wait. */
  take(key: string): void;
}

export function rateLimit(
  clock: Pick<Clock, 'monotonic'>,
  { most, perMinute }: { most: number; perMinute: number },
): VisitorLimit {
  const buckets = new Map<string, { left: number; at: number }>();
  return {
    take: (key) => {
      const now = clock.monotonic();
      const bucket = buckets.get(key) ?? { left: most, at: now };
      const left = Math.min(most, bucket.left + ((now - bucket.at) * perMinute) / 60_000);
      if (left < 1) throw tooMany(((1 - left) * 60) / perMinute);
      keep(buckets, key, { left: left - 1, at: now });
    },
  };
}

/** So many tries are free; then each failure doubles the wait, up to five minutes. */
const FREE_TRIES = 5;
const LONGEST_MS = 300_000;

/** Slows guessing down: each failure makes the next try of the same key wait longer, a success starts anew. */
export interface Guessing {
  /** Throws `access/too-many` while the key has to wait. */
  assertMayTry(key: string): void;
  failed(key: string): void;
  succeeded(key: string): void;
}

export function guessing(clock: Pick<Clock, 'monotonic'>): Guessing {
  const failures = new Map<string, { count: number; until: number }>();
  return {
    assertMayTry: (key) => {
      const wait = (failures.get(key)?.until ?? 0) - clock.monotonic();
      if (wait > 0) throw tooMany(wait / 1000);
    },
    failed: (key) => {
      const known = failures.get(key);
      // A wait that is long over was not part of this series of tries.
      const isOver = known !== undefined && clock.monotonic() - known.until > LONGEST_MS;
      const count = (known && !isOver ? known.count : 0) + 1;
      const wait = count < FREE_TRIES ? 0 : Math.min(LONGEST_MS, 1000 * 2 ** (count - FREE_TRIES));
      keep(failures, key, { count, until: clock.monotonic() + wait });
    },
    succeeded: (key) => {
      failures.delete(key);
    },
  };
}

function keep<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= MOST_KEYS) break;
    map.delete(oldest);
  }
}

function tooMany(seconds: number): BridgeError {
  return new TooMany(seconds);
}
