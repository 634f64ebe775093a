import { type Ledger, type LedgerOptions, openLedger } from '../ledger/store/open.ts';

/** Opens a ledger, does `work`, and closes it whatever happens. Throws what `openLedger` throws. */
export async function withLedger<T>(
  options: LedgerOptions,
  work: (ledger: Ledger) => Promise<T>,
): Promise<T> {
  const ledger = await openLedger(options);
  try {
    return await work(ledger);
  } finally {
    await ledger.close();
  }
}
