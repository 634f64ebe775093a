/** A place where the ledger and another book differ, in the words of `verify`. */
export interface Difference {
  code: DifferenceCode;
  /** `payment HASH of p12 for alice`, `cash-out ID`, a wallet, a day of a machine. */
  what: string;
  ledger: string;
  /** What LNbits or Lamassu says. */
  other: string;
  hint: string;
}

const MAY_BE_PAID_TWICE =
  'Stop paying with `aio-dca payouts pause`, and look both payments up in LNbits before anything else is paid.';
const LNBITS_LOST =
  'Stop paying with `aio-dca payouts pause`: an older copy of LNbits was put back, or a row was changed there. Compare with its backups before anything else is paid.';
const HOLD_AND_SAY =
  'Look at both wallets in LNbits. Then hold the payout, `aio-dca payouts hold ID --reason "…"`, and say what became of the payment: `aio-dca payouts resolve ID --payment HASH --not-paid --reason "…"`, or --paid. What the wallets contradict is refused, with the way out.';

/**
 * Every difference that `reconcile` can find, with what to do about it; `ID` stands for that of the cash-out.
 * docs/operations.md has the same list.
 */
export const hints = {
  'payment/unknown':
    'An older copy of the ledger was put back. Stop the timer, and run `aio-dca ledger recover --dry-run`.',
  'payment/unlabelled':
    'Somebody paid from the source wallet under the tag of the bridge, or changed a payment there. Find out who.',
  'payment/not-debited': LNBITS_LOST,
  'payment/debit-amount':
    'The client’s side is right, and the source wallet shows another amount than LNbits takes for it: a row was changed there. Compare with its backups.',
  'payment/fee':
    'LNbits took another service fee on top of it than is booked; the client got what he was due. `aio-dca reconcile --book-fees` books what LNbits shows. To be rid of the fee, set lnbits_service_fee_ignore_internal in LNbits.',
  'payment/not-credited': HOLD_AND_SAY,
  'payment/credit-amount': HOLD_AND_SAY,
  'payment/open-paid':
    'It was paid, and the ledger does not say so yet. The next run finds it: `aio-dca poll`, then reconcile again.',
  'payment/open-debited':
    'LNbits took the sats from the source wallet, and the client’s does not show them. The next run looks, and puts it before a person: `aio-dca poll`. Held, and not credited on the client’s side, it is paid again after `aio-dca payouts resolve ID --payment HASH --not-paid --reason "…"`.',
  'payment/open-credited':
    'The client has it, and the source wallet does not show that it paid. The next run puts it before a person: `aio-dca poll`. Held, it is settled by `aio-dca payouts resolve ID --payment HASH --paid --reason "…"`; where it is another amount, that is refused, with the way out.',
  'payment/open-held':
    'It was paid, and the payout is held. Let the next run settle it: `aio-dca payouts release ID`, then `aio-dca poll`.',
  'payment/dead-debited':
    'It was given up, and LNbits took it from the source wallet without crediting it: the sats are lost at LNbits. Say that it is known: `aio-dca payouts overpaid ID --payment HASH --reason "…"`.',
  'payment/dead-paid':
    'It was given up, and arrived all the same. While its part has no other payment, the next run that pays settles it: `aio-dca poll`. Else it was paid twice: see that no more is, `aio-dca payouts pause`, and book what the client got too much with `aio-dca payouts overpaid ID --payment HASH --reason "…"`.',
  'payment/surplus-credit': MAY_BE_PAID_TWICE,
  'credit/late':
    'LNbits carried it out after it was dropped. Record it: `aio-dca credits resolve ID --credited --payment HASH --reason "…"`: it covers its cash-outs, or, where another credit does by now, its sats stay in the source wallet and LNbits owes them. Or take them back in LNbits (Users, a negative amount), and say the same with --not-credited.',
  'credit/missing':
    'The source wallet does not show it any more: an older copy of LNbits was put back, or a row was changed there. Compare with its backups; what is missing of its sats has to be topped up.',
  'wallet/unreadable':
    'It could not be compared. Give the wallet’s present key with `aio-dca clients set NAME --wallet-key-file FILE` (of a recipient of the commission: `commission set`); of a deleted wallet nothing can be read any more: begin later with --from once another one is paid into. Where LNbits falls over at it, its log says why.',
  'wallet/former':
    'Payments from a former source wallet cannot be compared with the present key. Reconcile with that key in a copy of config.toml, or begin later with --from.',
  'cash-out/not-in-lamassu':
    'Lamassu had it when it was distributed. Was its database put back, or another one configured? Compare with its backups.',
  'cash-out/not-processed':
    'It is eligible, and was not distributed. The next run finds what turned eligible within [lamassu] overlap: `aio-dca poll`, then reconcile again. If it stays, settle it by hand: `aio-dca settle ID`.',
  'cash-out/not-eligible':
    'It was distributed, and Lamassu says something else of it today. `aio-dca review show ID` has it; what was paid stays paid. `aio-dca review dismiss ID --reason "…"` accepts what Lamassu says now.',
  'cash-out/differs':
    'It was distributed, and Lamassu shows other figures today. `aio-dca review show ID` has it; what was paid stays paid. `aio-dca review dismiss ID --reason "…"` accepts what Lamassu says now.',
  'cash-out/other-machine':
    'It was distributed when this program went by the machine where a cash-out was begun, and its cash came out of another. What was paid stays paid. See whose cash it was (`aio-dca cash-outs show ID`), put the fundings right with `aio-dca fundings adjust`; `aio-dca review dismiss ID --reason "…"` accepts it then.',
  'cash-out/settled-differs':
    'It was settled by hand, and Lamassu has changed the row since. See whether the settlement still holds: `aio-dca cash-outs show ID`. If it does, `aio-dca review dismiss ID --reason "…"` accepts what Lamassu says now.',
  'cash-out/external-in-lamassu':
    'It was settled as one that Lamassu never saw, and Lamassu has it. Check that the same cash is not in two settlements: `aio-dca cash-outs show ID`.',
  'day/sums': 'The rows that make the difference are named with it; where none is, report it.',
} as const satisfies Record<string, string>;

export type DifferenceCode = keyof typeof hints;

/** Collects what was compared and what differs. */
export class Findings {
  readonly checked: Record<string, bigint> = {};
  readonly differences: Difference[] = [];

  count(what: string, amount: bigint | number): void {
    this.checked[what] = (this.checked[what] ?? 0n) + BigInt(amount);
  }

  add(code: DifferenceCode, what: string, ledger: string, other: string): void {
    this.differences.push({ code, what, ledger, other, hint: hints[code] });
  }

  /** A difference of one payment: the commands of its hint name it and its payout. */
  addPayment(
    code: DifferenceCode,
    of: { payout_id: bigint; payment_hash: string; name: string },
    ledger: string,
    other: string,
  ): void {
    const hint = hints[code]
      .replaceAll(/\bID\b/g, () => `p${of.payout_id}`)
      .replaceAll(/\bHASH\b/g, () => of.payment_hash);
    const what = `payment ${of.payment_hash} of p${of.payout_id} for ${of.name}`;
    this.differences.push({ code, what, ledger, other, hint });
  }

  /** A difference of one credit: the commands of its hint name it and its payment. */
  addCredit(code: DifferenceCode, of: { id: bigint; hash: string }, ledger: string, other: string): void {
    const hint = hints[code].replaceAll(/\bID\b/g, () => `c${of.id}`).replaceAll(/\bHASH\b/g, () => of.hash);
    this.differences.push({ code, what: `credit c${of.id}`, ledger, other, hint });
  }

  /** A difference of one cash-out: the commands of its hint name it. */
  addOf(id: string, code: DifferenceCode, ledger: string, other: string): void {
    const hint = hints[code].replaceAll(/\bID\b/g, () => id);
    this.differences.push({ code, what: `cash-out ${id}`, ledger, other, hint });
  }
}

/** From a moment on, and before another; null: without that bound. */
export interface Range {
  from: string | null;
  before: string | null;
}

export function isIn({ from, before }: Range, at: string): boolean {
  return (from === null || at >= from) && (before === null || at < before);
}
