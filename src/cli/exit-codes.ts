import { BridgeError, type Kind } from '../errors.ts';
import type { Outcome } from '../scheduler/report.ts';

/**
 * What a failure means to cron and systemd, by sysexits.h where one fits: 1 a defect of this program, 2 something needs an
 * operator, 64 wrong usage, 75 could not do it now and the next run goes on, 78 no retry will help.
 */
export const exitCodes: Record<Kind, 1 | 2 | 64 | 75 | 78> = {
  invalid: 64,
  'not-found': 64,
  conflict: 64,
  state: 64,
  declined: 64,
  changed: 75,
  busy: 75,
  paused: 75,
  unavailable: 75,
  misconfigured: 78,
  attention: 2,
  defect: 1,
};

export function exitCodeOf(error: unknown): number {
  return error instanceof BridgeError ? exitCodes[error.kind] : 1;
}

/** What a run amounts to. */
export const exitOf: Record<Outcome, 0 | 2 | 75 | 78> = {
  ok: 0,
  attention: 2,
  incomplete: 75,
  stopped: 75,
  refused: 78,
};
