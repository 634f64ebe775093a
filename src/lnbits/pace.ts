import { setTimeout as sleep } from 'node:timers/promises';
import type { Limit } from './answer.ts';

/** LNbits' default: 200 requests a minute, counted per address and path. */
const DEFAULT_GAP_MS = 300;
const LARGEST_GAP_MS = 10_000;
// LNbits counts in fixed windows, of a minute by default, and does not say when one ends.
const LARGEST_WAIT_MS = 15_000;

/**
 * Spaces the requests to each path once the server has said 429 for it; until then nothing is held back, so a server
 * with a high limit is used at full speed. LNbits tells its limit only in the 429 itself.
 */
export class Pace {
  readonly #paths = new Map<string, { gapMs: number; next: number }>();

  /** How many milliseconds a request to `path` would be held back now. */
  wait(path: string): number {
    const pace = this.#paths.get(path);
    return pace ? Math.max(0, pace.next - performance.now()) : 0;
  }

  /** Resolves when it is this request's turn, and keeps the next one back for `gaps` gaps. */
  async turn(path: string, gaps: number): Promise<void> {
    const pace = this.#paths.get(path);
    if (!pace) return;
    const wait = this.wait(path);
    pace.next = performance.now() + wait + gaps * pace.gapMs;
    if (wait > 0) await sleep(wait);
  }

  /** A 429 came. `limit` is what the server told of itself; where it told nothing, a gap that was too small is doubled. */
  limited(path: string, limit: Limit | null, retryAfterMs: number | null): void {
    const known = this.#paths.get(path);
    const gap = limit?.gapMs ?? (known ? known.gapMs * 2 : DEFAULT_GAP_MS);
    const wait = retryAfterMs ?? Math.min(limit?.windowMs ?? LARGEST_WAIT_MS, LARGEST_WAIT_MS);
    this.#paths.set(path, { gapMs: Math.min(gap, LARGEST_GAP_MS), next: performance.now() + wait });
  }
}
