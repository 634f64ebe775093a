import type { Instant } from '../time.ts';

/** How the principal of a cash-out was found; `given` where a person stated the commission. */
export type CommissionMethod = 'ticker' | 'margin' | 'markup' | 'given';

/** One sale of bitcoin for cash at a machine, as it is distributed. Fiat is in minor units, sats in satoshi. */
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
  /** What is distributed. */
  gross: bigint;
  /** What the layperson paid beyond `gross`, for cash that never came out: the layperson's, nobody's here. */
  undelivered: bigint;
  /** The operator's part of `gross` as Lamassu charged it; principal = gross − commission. */
  commission: bigint;
  method: CommissionMethod;
  /** What Lamassu said, column by column, as text; null for one that Lamassu never saw. */
  lamassu: Record<string, string | null | undefined> | null;
}
