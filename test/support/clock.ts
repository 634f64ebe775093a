import { type Clock, type Instant, systemClock, toInstant, toMs } from '../../src/time.ts';

/* The clocks that tests hand down, where the program's door hands down those of the host. */

/** By the host's own clock. */
export function now(): Instant {
  return systemClock.now();
}

/**
 * Clocks that go with those of the host, but for what a test does to them. Nothing waits by them: the time is over at
 * once.
 */
export interface TestClock extends Clock {
  /** By how many milliseconds the host's clock was set ahead, or the host slept; less than 0: it was set back. */
  ahead: number;
  /** How long each wait was, in ms. */
  waits: number[];
  /** Called during a wait. If it answers false, the wait ends before its time. */
  meanwhile: (ms: number) => unknown;
  /** Both clocks go on by so many milliseconds. */
  pass(ms: number): void;
  /** How many wait without keeping the process alive; that wait takes its time, unless the clock passes it. */
  waitsInBackground(): number;
}

/** With `at` the clocks stop at that time, and only `pass` and `ahead` move them. */
export function testClock(at?: Instant): TestClock {
  let passed = 0;
  const background = new Set<() => void>();
  const clock: TestClock = {
    ahead: 0,
    waits: [],
    meanwhile: () => {},
    now: () => toInstant((at === undefined ? Date.now() : toMs(at)) + passed + clock.ahead),
    monotonic: () => (at === undefined ? performance.now() : 0) + passed,
    host: () => ({ ...systemClock.host(), wall: toMs(clock.now()) }),
    pass: (ms) => {
      passed += ms;
      for (const look of background) look();
    },
    waitsInBackground: () => background.size,
    sleep: async (ms, { signal, ref = true } = {}) => {
      if (signal?.aborted) return;
      // What only renews a lease now and then goes by the time that passes.
      if (!ref) {
        await inBackground(ms, signal);
        return;
      }
      clock.waits.push(ms);
      if ((await clock.meanwhile(ms)) !== false) clock.pass(ms);
    },
  };
  const inBackground = async (ms: number, signal: AbortSignal | undefined) => {
    const end = clock.monotonic() + ms;
    const over = new AbortController();
    const look = () => {
      if (clock.monotonic() >= end) over.abort();
    };
    background.add(look);
    const signals = [over.signal, ...(signal ? [signal] : [])];
    await systemClock.sleep(ms, { signal: AbortSignal.any(signals), ref: false });
    background.delete(look);
  };
  return clock;
}

/** Of a host that does not number its boots: an entry at a time that the test names is not compared with its uptime. */
export const bootless: Clock = {
  ...systemClock,
  host: () => ({ ...systemClock.host(), boot: null }),
};
