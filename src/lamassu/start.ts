import { BridgeError } from '../errors.ts';
import type { Instant } from '../time.ts';

/** Before that there was no Lamassu machine. */
const FIRST_MACHINES: Instant = '2013-01-01T00:00:00.000000Z';

/**
 * What of `[lamassu] start_at` is most often a slip: one to come keeps everything until then from being paid, without a
 * word in any row; one from before there were machines distributes all that Lamassu ever had, which matters while it is
 * `unread`.
 */
export function startProblem(startAt: Instant, at: Instant, unread: boolean): BridgeError | null {
  if (startAt > at) {
    return new BridgeError(
      'lamassu/start-at',
      `start_at is in the future, ${startAt}: nothing that is confirmed before it is paid by itself`,
      'If that is not meant, correct [lamassu] start_at; that is possible until a cash-out was processed.',
    );
  }
  if (startAt >= FIRST_MACHINES || !unread) return null;
  return new BridgeError(
    'lamassu/start-at',
    `start_at is ${startAt}, before there were Lamassu machines: every cash-out that Lamassu has is distributed`,
    'If that is not meant, correct [lamassu] start_at before the first cash-out is processed.',
  );
}
