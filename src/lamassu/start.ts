import { BridgeError } from '../errors.ts';
import type { Instant } from '../time.ts';

/** No Lamassu machine existed before. */
const FIRST_MACHINES: Instant = '2013-01-01T00:00:00.000000Z';

/**
 * Likely mistakes in `[lamassu] start_at`. A future one silently excludes every cash-out until then. One before the
 * first machines distributes everything that Lamassu ever had; that matters while the source is `unread`.
 */
export function startProblem(startAt: Instant, at: Instant, unread: boolean): BridgeError | null {
  if (startAt > at) {
    return new BridgeError(
      'lamassu/start-at',
      `start_at is in the future, ${startAt}: no cash-out confirmed before it is paid automatically`,
      'If that is not intended, correct [lamassu] start_at, which is possible until a cash-out was processed.',
    );
  }
  if (startAt >= FIRST_MACHINES || !unread) return null;
  return new BridgeError(
    'lamassu/start-at',
    `start_at is ${startAt}, before there were Lamassu machines: every cash-out that Lamassu has is distributed`,
    'If that is not intended, correct [lamassu] start_at before the first cash-out is processed.',
  );
}
