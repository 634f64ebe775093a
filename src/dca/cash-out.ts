import type { Instant } from '../time.ts';

/** How the principal of a cash-out was found; `given` where the operator stated the commission. */
export type CommissionMethod = 'ticker' | 'margin' | 'markup' | 'given';

/** One sale of bitcoin for cash at a machine, as the bridge distributes it. `fiat` is in minor units. */
export interface CashOut {
  id: string;
  source: string;
  /** The machine that the cash came out of, Lamassu's `device_id`. */
  machine: string;
  /** The one where the layperson began it, where that is another. */
  begunAt?: string | null;
  confirmedAt: Instant;
  currency: string;
  /** Minor-unit digits of `currency` (ISO 4217). */
  digits: number;
  fiat: bigint;
  /** The part of the gross that is distributed, in satoshi: all of it, unless only a part of the cash came out. */
  distributed: bigint;
  /** What the layperson paid for cash that never came out; gross = `distributed` + `undelivered`. */
  undelivered: bigint;
  /** The operator's part of `distributed`, as Lamassu charged it; principal = distributed − commission. */
  commission: bigint;
  method: CommissionMethod;
  /** What Lamassu said, column by column, as text; null for one that Lamassu never saw. */
  lamassu: Record<string, string | null | undefined> | null;
}
