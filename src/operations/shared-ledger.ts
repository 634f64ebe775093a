import { BridgeError } from '../errors.ts';
import type { Ledger, LedgerUse } from '../ledger/store/open.ts';
import type { Clock } from '../time.ts';
import { LEDGER } from './errors.ts';

/*
 * One open ledger for many requests. A process must not have a SQLite file open twice: the one would wait for the
 * other's transaction, and stop the whole process with it.
 */

/** After this long it is opened again, in ms: a newer program may have changed the schema, or it was moved away. */
const FRESH_MS = 10_000;

interface SharedOpening {
  ledger: Ledger;
  users: number;
  at: number;
  /** It failed: nobody begins with it any more. */
  broken: boolean;
}

export interface SharedLedger {
  withLedger<T>(use: LedgerUse, work: (ledger: Ledger) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** `open` opens the ledger for changes. */
export function shareLedger(open: () => Promise<Ledger>, clock: Clock): SharedLedger {
  let current: SharedOpening | undefined;
  let opening: Promise<SharedOpening> | undefined;
  const isOld = ({ at, broken }: SharedOpening) => broken || clock.monotonic() - at > FRESH_MS;

  const renew = async (): Promise<SharedOpening> => {
    const former = current;
    current = undefined;
    await former?.ledger.close();
    current = { ledger: await open(), users: 0, at: clock.monotonic(), broken: false };
    return current;
  };
  /** The open ledger, which is in use from now on: nobody closes it meanwhile. */
  const use = async (): Promise<SharedOpening> => {
    if (!opening && current && (current.users > 0 || !isOld(current))) {
      current.users += 1;
      return current;
    }
    opening ??= renew().finally(() => {
      opening = undefined;
    });
    const one = await opening;
    one.users += 1;
    return one;
  };

  return {
    withLedger: async (_use, work) => {
      const one = await use();
      try {
        return await work(one.ledger);
      } catch (error) {
        // Of what goes wrong with the database itself, the next one who asks finds out by opening it.
        if (error instanceof BridgeError && error.kind !== 'busy') one.broken ||= isOfLedger(error);
        throw error;
      } finally {
        one.users -= 1;
      }
    },
    close: async () => {
      await opening?.catch(() => {});
      await current?.ledger.close();
      current = undefined;
    },
  };
}

function isOfLedger({ code }: BridgeError): boolean {
  return (LEDGER as readonly string[]).includes(code);
}
