import type { Config } from '../config/load.ts';
import { type Ledger, type LedgerUse, openLedger } from '../ledger/store/open.ts';

/** Opens the ledger that is at `place`, does `work`, and closes it whatever happens. Throws what `openLedger` throws. */
export async function withLedger<T>(
  place: Config['ledger'],
  use: LedgerUse,
  work: (ledger: Ledger) => Promise<T>,
): Promise<T> {
  const ledger = await openLedger({ ...place, use });
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}
