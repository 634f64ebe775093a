import * as z from 'zod';
import type { BridgeError } from '../errors.ts';
import type { Instant } from '../time.ts';
import { instant, problemView, viewOfProblem } from './fields.ts';

/** How far Lamassu was read before cash left a funding or its machine. */
export interface LastReading {
  /** Just now, or if it has a problem, the last time; null: never. */
  readAt: Instant | null;
  /** Why it could not be read now: cash that came out since is not known. */
  problem: BridgeError | null;
}

export const lastReadingView = z.object({
  read_at: instant.nullable(),
  problem: problemView.nullable(),
});

export type LastReadingView = z.output<typeof lastReadingView>;

export function viewOfLastReading({ readAt, problem }: LastReading): LastReadingView {
  return { read_at: readAt, problem: problem && viewOfProblem(problem) };
}
