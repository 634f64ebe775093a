import { BridgeError, type ErrorCode, type Kind } from '../../errors.ts';
import type { RunView } from '../../views/run.ts';

type ExitCode = 0 | 1 | 2 | 64 | 75 | 78;

/**
 * What an error means to cron and systemd, by sysexits.h where one fits: 1 a defect of this program, 2 something needs
 * an operator, 64 wrong usage, 75 could not do it now and the next run goes on, 78 no retry will help.
 */
export const exitCodes: Record<Kind, ExitCode> = {
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

/**
 * Codes whose exit code differs from that of their kind. `usage/changed`: the operator has to agree again, so a retry
 * does not help.
 */
const otherwise: Partial<Record<ErrorCode, ExitCode>> = {
  'usage/changed': 64,
};

export function exitCodeOf(error: unknown): ExitCode {
  return error instanceof BridgeError ? (otherwise[error.code] ?? exitCodes[error.kind]) : 1;
}

/** The exit code of a run, by its outcome. */
export const exitOf: Record<RunView['outcome'], ExitCode> = {
  ok: 0,
  attention: 2,
  incomplete: 75,
  stopped: 75,
  refused: 78,
};
