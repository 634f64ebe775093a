import { randomUUID } from 'node:crypto';
import { BridgeError } from '../../errors.ts';
import type { Clock } from '../../time.ts';

/* Challenges that a browser was given for a passkey. Each is answered once, within five minutes. */

const ANSWER_MS = 300_000;
const MOST = 1_000;

export interface Ceremonies {
  /** Keeps a challenge, and answers the name under which its answer comes. */
  begin(challenge: string): string;
  /** The challenge of that name, which is gone then. Throws `access/refused`. */
  end(name: string): string;
}

export function ceremonies(clock: Pick<Clock, 'monotonic'>): Ceremonies {
  const open = new Map<string, { challenge: string; until: number }>();
  return {
    begin: (challenge) => {
      for (const oldest of open.keys()) {
        if (open.size < MOST) break;
        open.delete(oldest);
      }
      const name = randomUUID();
      open.set(name, { challenge, until: clock.monotonic() + ANSWER_MS });
      return name;
    },
    end: (name) => {
      const known = open.get(name);
      open.delete(name);
      if (known && known.until > clock.monotonic()) return known.challenge;
      throw new BridgeError(
        'access/refused',
        'This passkey request has expired, or was already used.',
        'Try once more.',
      );
    },
  };
}
