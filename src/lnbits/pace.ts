import type { Clock } from '../time.ts';
import type { RateLimit } from './answer.ts';

/** LNbits' default: 200 requests a minute for each address and path. */
const DEFAULT_GAP_MS = 300;
const LARGEST_GAP_MS = 10_000;
// LNbits counts in fixed windows, of a minute by default, and does not say when one ends.
const LARGEST_WAIT_MS = 15_000;

/**
 * Spaces the requests to each path after its first 429. Until then nothing waits, so a server with a high limit is used
 * at full speed. LNbits tells its limit only in the 429.
 */
export class Pace {
  readonly #clock: Clock;
  readonly #paths = new Map<string, { gapMs: number; next: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long a request to `path` would have to wait now, in ms. */
  wait(path: string): number {
    const pace = this.#paths.get(path);
    return pace ? Math.max(0, pace.next - this.#clock.monotonic()) : 0;
  }

  /** Resolves when this request is due; the next one is due `gaps` gaps later. */
  async turn(path: string, gaps: number): Promise<void> {
    const pace = this.#paths.get(path);
    if (!pace) return;
    const wait = this.wait(path);
    pace.next = this.#clock.monotonic() + wait + gaps * pace.gapMs;
    if (wait > 0) await this.#clock.sleep(wait);
  }

  /** Call after a 429. `limit` is the server's own figure; without one, a gap that was too small is doubled. */
  limited(path: string, limit: RateLimit | null, retryAfterMs: number | null): void {
    const known = this.#paths.get(path);
    const gap = limit?.gapMs ?? (known ? known.gapMs * 2 : DEFAULT_GAP_MS);
    const wait = retryAfterMs ?? Math.min(limit?.windowMs ?? LARGEST_WAIT_MS, LARGEST_WAIT_MS);
    this.#paths.set(path, { gapMs: Math.min(gap, LARGEST_GAP_MS), next: this.#clock.monotonic() + wait });
  }
}
