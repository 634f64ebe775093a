import { sum } from '../../dca/money.ts';
import type { Message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import type { Act } from '../log/log.ts';

/** A payment of this ledger that LNbits shows and the ledger does not know, as its `extra` tells of it. */
export interface Lost {
  hash: string;
  /** Null where LNbits does not show it. */
  bolt11: string | null;
  at: Instant;
  /** `settled`: both wallets bear it out. `failed`: nothing left the source wallet. `unknown`: the next run looks. */
  outcome: 'settled' | 'failed' | 'unknown';
  sourceWallet: string;
  /** The client's wallet that shows it, which may be a former one; null: none does, or nobody looked. */
  clientWallet: string | null;
  payout: bigint;
  part: bigint;
  sats: bigint;
  recipient: string;
  /** Decimal text, of the whole payout. */
  fiat: string;
  currency: string;
  /** The payout's cash-outs in the order of their confirmation: the first 50 of `cashOutsCount`. */
  cashOuts: string[];
  cashOutsCount: number;
}

/** What does not fit, in the words of `verify` and `reconcile`. */
export interface Misfit {
  code: `recover/${string}`;
  what: string;
  ledger: string;
  other: string;
  hint: string | Message;
}

export interface RecoverOptions {
  /** Of the run that puts it back. */
  act: Act & { run: bigint };
  /** The most that one payment may carry now, in satoshi. */
  maximumSats: bigint;
  /** Hashes that LNbits shows as paid from the source wallet, known to the ledger or not. */
  paid: ReadonlySet<string>;
  /** Why the operator has what does not fit booked as held; null: nothing that does not fit is booked. */
  hold: string | null;
}

/** Ends the work on one payout: it does not fit. */
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
