import { sum } from '../../dca/money.ts';
import type { Message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import type { Act } from '../log/log.ts';

/** A payment of this ledger that LNbits shows and the ledger does not know, by its `extra`. */
export interface Lost {
  hash: string;
  /** Null if LNbits does not show it. */
  bolt11: string | null;
  at: Instant;
  /**
   * `settled`: both wallets confirm it. `failed`: nothing left the source wallet. `unknown`: the next run checks it.
   */
  outcome: 'settled' | 'failed' | 'unknown';
  sourceWallet: string;
  /** The client's wallet that shows it, perhaps a former one; null: none does, or it was not searched. */
  clientWallet: string | null;
  payout: bigint;
  part: bigint;
  sats: bigint;
  recipient: string;
  /** The cash of the whole payout, as decimal text. */
  fiat: string;
  currency: string;
  /** The payout's cash-outs in the order of their confirmation: the first 50 of `cashOutsCount`. */
  cashOuts: string[];
  cashOutsCount: number;
}

/** A misfit, in the form of the differences of `verify` and `reconcile`. */
export interface Misfit {
  code: `recover/${string}`;
  what: string;
  /** The payment that does not fit, if it is one. */
  hash?: string;
  ledger: string;
  other: string;
  hint: string | Message;
}

export interface RecoverOptions {
  /** The act of the run that enters it. */
  act: Act & { run: bigint };
  /** The most that one payment may carry now, in satoshi. */
  maximumSats: bigint;
  /** Hashes that LNbits shows as paid from the source wallet, known to the ledger or not. */
  paid: ReadonlySet<string>;
  /** Whether the operator lets what does not fit be booked as held; the reason is that of the act. */
  hold: boolean;
}

/** Thrown to end the work on one payout that does not fit. */
export class Differs extends Error {
  readonly misfit: Misfit;
  constructor(code: Misfit['code'], what: string, ledger: string, other: string, hint: string | Message) {
    super(`${code}: ${what}`);
    this.misfit = { code, what, ledger, other, hint };
  }
}

/** What LNbits shows as paid of one payout. */
export function paidText(group: Lost[]): string {
  const sats = sum(group.filter((one) => one.outcome !== 'failed').map((one) => one.sats));
  const [first] = group;
  return `${sats} sat for ${first?.fiat} ${first?.currency} by ${group.map((one) => one.hash).join(', ')}`;
}
