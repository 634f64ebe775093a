import { BridgeError } from '../errors.ts';
import { aheadBy, MAY_DIFFER_MS } from '../time.ts';
import { type Check, fail, ok, warn } from './check.ts';

const MINUTE = 60_000;

/**
 * Compares the clock of a database with that of this host. `shown` was read between `before` and `after`, all in
 * milliseconds since 1970. Only the distance to that interval counts, so a slow answer is no difference.
 */
export function clockCheck(
  name: string,
  shown: number,
  { before, after }: { before: number; after: number },
): Check {
  const ahead = aheadBy(shown, { before, after });
  const off = Math.abs(ahead);
  if (off <= MAY_DIFFER_MS) return ok(name, 'agrees with the clock of this host to a minute');
  const minutes = Math.floor(off / MINUTE);
  const detail = `it is ${minutes} min ${ahead > 0 ? 'ahead of' : 'behind'} the clock of this host`;
  const hint = 'Check with `timedatectl` which of the two is wrong, and let NTP set it.';
  return off > 5 * MINUTE
    ? fail(name, new BridgeError('clock/differs', detail, hint))
    : warn(name, detail, hint);
}
