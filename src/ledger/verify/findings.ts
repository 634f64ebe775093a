import type { Selectable } from 'kysely';
import { formatDecimal } from '../../dca/money.ts';
import { call, field, type Message, message } from '../../lib/message.ts';
import type { Schema } from '../store/schema.ts';

export type TableRow<T extends keyof Schema> = Selectable<Schema[T]>;

/** One place where the ledger contradicts itself. */
export interface LedgerDifference {
  code: LedgerDifferenceCode;
  /** The subject: `cash-out ID`, `f12`, `p118`, `payment HASH`. */
  what: string;
  /** What the row says, with its unit. */
  ledger: string;
  /** What the other rows say, or what must hold. */
  other: string;
  hint: string | Message;
}

const BY_HAND = message`Rows were changed past the program, or the program has a defect. Stop paying with ${call('payouts.pause')}, compare with a backup, and report it.`;
const MAY_PAY_TWICE = message`Stop paying with ${call('payouts.pause')}, and look the payments up in LNbits before anything else is paid.`;

/** Every difference that `verify` can find, with what to do about it. */
export const ledgerHints = {
  'ledger/rows': BY_HAND,
  'ledger/reference': BY_HAND,
  'source/unknown': BY_HAND,
  'source/twice': 'Two sources are one Lamassu database: its cash-outs could be read twice. Report it.',
  'mark/behind':
    'The mark was set back. Cash-outs are known by their ids, so nothing is paid twice; report it.',
  'mark/future':
    'A clock was ahead when Lamassu was read. Rows confirmed since are read anyway; make sure that both hosts keep the time.',
  'cash-out/gross': BY_HAND,
  'cash-out/net': BY_HAND,
  'cash-out/fiat': BY_HAND,
  'cash-out/commission': BY_HAND,
  'cash-out/own': BY_HAND,
  'cash-out/negative': BY_HAND,
  'cash-out/time': BY_HAND,
  'cash-out/before-start':
    'Somebody else may have paid it before the bridge did. Ask the operator of the ATM at that time.',
  'cash-out/lamassu': BY_HAND,
  'allocation/net': BY_HAND,
  'allocation/negative': BY_HAND,
  'allocation/share': BY_HAND,
  'allocation/currency': BY_HAND,
  'allocation/client': BY_HAND,
  'allocation/date': BY_HAND,
  'allocation/deposited-later': BY_HAND,
  'allocation/twice': BY_HAND,
  'commission/shares': BY_HAND,
  'commission/twice': BY_HAND,
  'commission/currency': BY_HAND,
  'commission/negative': BY_HAND,
  'commission/recipient': BY_HAND,
  'commission/share': BY_HAND,
  'settlement/missing': BY_HAND,
  'settlement/figures': BY_HAND,
  'client/daily-limit': BY_HAND,
  'client/closed': message`A closed client has cash left. Withdraw it with ${call('fundings.withdraw')}.`,
  'client/source-wallet': message`A recipient is paid into the wallet that pays. Give it another wallet with ${call('clients.set', { name: null, wallet_key: null, new_wallet: true })} (a recipient of the commission: ${call('commission.set')}).`,
  'funding/amount': BY_HAND,
  'funding/spent': BY_HAND,
  'funding/status': BY_HAND,
  'funding/client': BY_HAND,
  'funding/machine': message`Its cash has no share in anything. Move it to where it lies: ${call('fundings.move')}.`,
  'machine/rates': BY_HAND,
  'payout/sats': BY_HAND,
  'payout/fiat': BY_HAND,
  'payout/currency': BY_HAND,
  'payout/recipient': BY_HAND,
  'payout/parts': BY_HAND,
  'payout/state': MAY_PAY_TWICE,
  'payment/part': BY_HAND,
  'payment/amount': BY_HAND,
  'payment/live': MAY_PAY_TWICE,
  'payment/attempt': MAY_PAY_TWICE,
  'payment/missing': MAY_PAY_TWICE,
  'payment/twice': MAY_PAY_TWICE,
  'payment/state': MAY_PAY_TWICE,
  'payment/times': BY_HAND,
  'payment/wallet': 'A payment goes from a wallet into the same wallet. Look it up in LNbits, and report it.',
  'payment/source-wallet': MAY_PAY_TWICE,
  'payment/contradicted': message`It was given up, but LNbits shows it, so its recipient may have been paid twice. Record the excess: ${call('payouts.overpaid', { id: null, payment: null, reason: null })}, with ${field('funding')} to subtract it from the client’s cash.`,
  'credit/contradicted': message`It was dropped and came late, so the source wallet holds sats that no cash-out needs. Keep them (LNbits owes them): ${call('credits.resolve', { id: null, credited: true, payment: null, reason: null })}. Or remove them in LNbits (Users, a negative amount), then resolve it as not credited.`,
  'credit/sats': BY_HAND,
  'credit/state': BY_HAND,
  'credit/twice':
    'The source wallet may hold sats that are not there. Set [lnbits] credit_source = false, compare the credits with LNbits, and report it.',
  'credit/settlement': BY_HAND,
  'watch/processed': BY_HAND,
  'review/processed': BY_HAND,
  'run/open': 'A run neither ended nor holds the lease. It changes nothing any more; report it.',
  'lease/ended': 'The lease belongs to a run that has ended. The next run replaces it after it expires.',
  'verify/more': 'Correct the differences listed before this one.',
} as const satisfies Record<string, string | Message>;

export type LedgerDifferenceCode = keyof typeof ledgerHints;

/** The first differences are listed, further ones only counted. */
const MOST = 1000;

/** Counts the rows, and collects the differences. */
export class LedgerFindings {
  readonly checked: Record<string, number> = {};
  readonly #differences: LedgerDifference[] = [];
  #more = 0;

  count(what: string, rows: number): void {
    this.checked[what] = (this.checked[what] ?? 0) + rows;
  }

  add(code: LedgerDifferenceCode, what: string, ledger: string | null, other: string | null): void {
    if (this.#differences.length === MOST) {
      this.#more += 1;
      return;
    }
    const difference = { code, what, ledger: ledger ?? 'nothing', other: other ?? 'nothing' };
    this.#differences.push({ ...difference, hint: ledgerHints[code] });
  }

  /** Adds a difference if the two are not equal. */
  same(code: LedgerDifferenceCode, what: string, ledger: string | null, other: string | null): void {
    if (ledger !== other) this.add(code, what, ledger, other);
  }

  all(): LedgerDifference[] {
    if (this.#more === 0) return this.#differences;
    const more = {
      code: 'verify/more' as const,
      what: `${this.#more} more differences`,
      ledger: `${MOST} are listed`,
      other: `${MOST + this.#more} were found`,
      hint: ledgerHints['verify/more'],
    };
    return [...this.#differences, more];
  }
}

export function sat(sats: bigint): string {
  return `${sats} sat`;
}

/** `60.00 USD`, from minor units; whole minor units where the ledger does not know the currency. */
export function cashInWords(minor: bigint, currency: string, digits: Map<string, number>): string {
  const known = digits.get(currency);
  return known === undefined
    ? `${minor} minor units of ${currency}`
    : `${formatDecimal(minor, known)} ${currency}`;
}
