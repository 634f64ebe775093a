import { call, field, Message, message } from '../lib/message.ts';

/** A place where the ledger and another book differ, in the words of `verify`. */
export interface Difference {
  code: DifferenceCode;
  /** `payment HASH of p12 for alice`, `cash-out ID`, a wallet, a day of a machine. */
  what: string;
  ledger: string;
  /** What LNbits or Lamassu shows. */
  other: string;
  hint: string | Message;
}

const MAY_BE_PAID_TWICE = message`Stop paying with ${call('payouts.pause')}, and look both payments up in LNbits before anything else is paid.`;
const LNBITS_LOST = message`Stop paying with ${call('payouts.pause')}: an older copy of LNbits was restored, or a row was changed there. Compare with its backups before anything else is paid.`;
const HOLD_AND_SAY = message`Look at both wallets in LNbits. Then hold the payout, ${call('payouts.hold', { id: null, reason: null })}, and decide what became of the payment: ${call('payouts.resolve', { id: null, payment: null, not_paid: true, reason: null })}, or that it was paid. A decision that the wallets contradict is refused, with the way out.`;

/**
 * Every difference that `reconcile` can find, with what to do about it. Open inputs of its operations are filled in.
 * docs/operations.md has the same list.
 */
export const hints = {
  'payment/unknown': message`An older copy of the ledger was restored. Stop the timer, and run ${call('ledger.recover', { dry_run: true })}.`,
  'payment/unlabelled':
    'Somebody paid from the source wallet under the tag of the bridge, or changed a payment there. Find out who.',
  'payment/not-debited': LNBITS_LOST,
  'payment/debit-amount':
    'The client’s side is right, and the source wallet shows another amount than LNbits takes for it: a row was changed there. Compare with its backups.',
  'payment/fee': message`LNbits took another service fee on top of it than is booked; the client got what it was due. ${call('reconcile', { book_fees: true })} books what LNbits shows. To avoid the fee, set lnbits_service_fee_ignore_internal in LNbits.`,
  'payment/not-credited': HOLD_AND_SAY,
  'payment/credit-amount': HOLD_AND_SAY,
  'payment/open-paid': message`It was paid, but the ledger does not say so yet. The next run finds it: ${call('poll')}, then reconcile again.`,
  'payment/open-debited': message`LNbits took the sats from the source wallet, and the client’s does not show them. The next run checks it, and the payout is held for the operator: ${call('poll')}. Held, and not credited on the client’s side, it is paid again after ${call('payouts.resolve', { id: null, payment: null, not_paid: true, reason: null })}.`,
  'payment/open-credited': message`The client has it, and the source wallet does not show that it paid. The next run holds the payout for the operator: ${call('poll')}. Held, it is settled by ${call('payouts.resolve', { id: null, payment: null, paid: true, reason: null })}; with another amount, that is refused, with the way out.`,
  'payment/open-held': message`It was paid, and the payout is held. Let the next run settle it: ${call('payouts.release', { id: null })}, then ${call('poll')}.`,
  'payment/dead-debited': message`It was given up, and LNbits took it from the source wallet without crediting it: the sats are lost at LNbits. Record that you know: ${call('payouts.overpaid', { id: null, payment: null, reason: null })}.`,
  'payment/dead-paid': message`It was given up but arrived. If its part has no other payment, the next run that pays settles it: ${call('poll')}. Otherwise it was paid twice: stop paying with ${call('payouts.pause')}, and record the excess with ${call('payouts.overpaid', { id: null, payment: null, reason: null })}.`,
  'payment/surplus-credit': MAY_BE_PAID_TWICE,
  'credit/late': message`LNbits carried it out after it was dropped. Record it: ${call('credits.resolve', { id: null, credited: true, payment: null, reason: null })}: it covers its cash-outs, or, if another credit does by now, its sats stay in the source wallet and LNbits owes them. Or remove them in LNbits (Users, a negative amount), and resolve it as not credited.`,
  'credit/missing':
    'The source wallet no longer shows it: an older copy of LNbits was restored, or a row was changed there. Compare with its backups, and top up the missing sats.',
  'wallet/unreadable': message`It could not be compared. Give the wallet’s present key with ${call('clients.set', { name: null, wallet_key: null })} (a recipient of the commission: ${call('commission.set')}); a deleted wallet can no longer be read: give a later ${field('from')} once the recipient has another one. If LNbits fails at it, its log says why.`,
  'wallet/former': message`Payments from a former source wallet cannot be compared with the present key. Reconcile with that key in a copy of config.toml, or give a later ${field('from')}.`,
  'cash-out/not-in-lamassu':
    'Lamassu had it when it was distributed. Was its database restored from a backup, or another one configured? Compare with its backups.',
  'cash-out/not-processed': message`It is eligible, but was not distributed. The next run finds what turned eligible within [lamassu] overlap: ${call('poll')}, then reconcile again. If it stays, settle it by hand: ${call('settlements.settle', { id: null })}.`,
  'cash-out/not-eligible': message`It was distributed, and Lamassu says something else of it today. ${call('review.show', { id: null })} has it; what was paid stays paid. ${call('review.dismiss', { id: null, reason: null })} accepts what Lamassu says now.`,
  'cash-out/differs': message`It was distributed, and Lamassu shows other figures today. ${call('review.show', { id: null })} has it; what was paid stays paid. ${call('review.dismiss', { id: null, reason: null })} accepts what Lamassu says now.`,
  'cash-out/other-machine': message`It was distributed when this program counted cash-outs by the machine where they were begun, but its cash came out of another. What was paid stays paid. See whose cash it was (${call('cash_outs.show', { id: null })}), correct the fundings with ${call('fundings.adjust')}; ${call('review.dismiss', { id: null, reason: null })} accepts it then.`,
  'cash-out/settled-differs': message`It was settled by hand, and Lamassu has changed the row since. See whether the settlement still holds: ${call('cash_outs.show', { id: null })}. If it does, ${call('review.dismiss', { id: null, reason: null })} accepts what Lamassu says now.`,
  'cash-out/external-in-lamassu': message`It was settled as one that Lamassu never saw, and Lamassu has it. Check that the same cash is not in two settlements: ${call('cash_outs.show', { id: null })}.`,
  'day/sums': 'The rows that make the difference are named with it; if none is, report it.',
} as const satisfies Record<string, string | Message>;

export type DifferenceCode = keyof typeof hints;

/** Counts what was compared, and collects the differences. */
export class Findings {
  readonly checked: Record<string, bigint> = {};
  readonly differences: Difference[] = [];

  count(what: string, amount: bigint | number): void {
    this.checked[what] = (this.checked[what] ?? 0n) + BigInt(amount);
  }

  add(code: DifferenceCode, what: string, ledger: string, other: string): void {
    this.differences.push({ code, what, ledger, other, hint: hints[code] });
  }

  /** A difference of one payment: the operations of its hint name it and its payout. */
  addPayment(
    code: DifferenceCode,
    of: { payout_id: bigint; payment_hash: string; name: string },
    ledger: string,
    other: string,
  ): void {
    const hint = hintOf(code, { id: `p${of.payout_id}`, payment: of.payment_hash });
    const what = `payment ${of.payment_hash} of p${of.payout_id} for ${of.name}`;
    this.differences.push({ code, what, ledger, other, hint });
  }

  /** A difference of one credit: the operations of its hint name it and its payment. */
  addCredit(code: DifferenceCode, of: { id: bigint; hash: string }, ledger: string, other: string): void {
    const hint = hintOf(code, { id: `c${of.id}`, payment: of.hash });
    this.differences.push({ code, what: `credit c${of.id}`, ledger, other, hint });
  }

  /** A difference of one cash-out: the operations of its hint name it. */
  addOf(id: string, code: DifferenceCode, ledger: string, other: string): void {
    const hint = hintOf(code, { id });
    this.differences.push({ code, what: `cash-out ${id}`, ledger, other, hint });
  }
}

function hintOf(code: DifferenceCode, known: Record<string, string>): string | Message {
  const hint: string | Message = hints[code];
  return hint instanceof Message ? hint.filled(known) : hint;
}

/** At or after `from` and before `until`; null: no such bound. */
export interface ComparedRange {
  from: string | null;
  before: string | null;
}

export function isIn({ from, before }: ComparedRange, at: string): boolean {
  return (from === null || at >= from) && (before === null || at < before);
}
