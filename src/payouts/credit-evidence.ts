import type { Secret } from '../config/secret.ts';
import { type Credit, newestMember, ownedHashes, seenHashes } from '../ledger/credits/credits.ts';
import type { Db } from '../ledger/store/open.ts';
import { call, type Message, message } from '../lib/message.ts';
import { proveRights } from '../lnbits/rights.ts';
import type { LnbitsClient, WalletPayment } from '../lnbits/wallet-client.ts';

/** What the source wallet shows of credits of one amount, for the operator's decision about one of them. */
export interface CreditsShown {
  /** Every credit of that amount, as hash and status. */
  all: { hash: string; status: WalletPayment['status'] }[];
  /** The hashes of those that have arrived and that this one can be. */
  possible: string[];
  /** The hashes of those that LNbits has begun and that this one can be. */
  pending: string[];
  /** How many of `possible` a superuser has taken back since. */
  takenBack: number;
}

/** Reads them. Throws what the client throws, and `lnbits/rights` if the key does not show its payments. */
export async function creditsShown(
  { db, lnbits, key }: { db: Db; lnbits: LnbitsClient; key: Secret },
  credit: Credit,
): Promise<CreditsShown> {
  const shown = await lnbits.credits(key, credit.sats);
  if (shown.length === 0) await proveRights(lnbits, key);
  const can = await possibleOnes(db, credit, shown);
  const arrived = can.filter(({ status }) => status === 'success');
  const [first] = arrived.flatMap(({ time }) => time ?? []).sort();
  const debits = arrived.length === 0 ? [] : await lnbits.debits(key, credit.sats);
  const back = debits.filter(
    ({ status, time }) => status === 'success' && (first === undefined || time === null || time >= first),
  );
  return {
    all: shown.map(({ hash, status }) => ({ hash, status })),
    possible: arrived.map(({ hash }) => hash),
    pending: can.flatMap(({ hash, status }) => (status === 'pending' ? hash : [])),
    takenBack: Math.min(back.length, arrived.length),
  };
}

/** Those of LNbits' like credits that have arrived and that this one can be. */
export async function possiblePayments(
  db: Db,
  credit: Credit,
  shown: WalletPayment[],
): Promise<WalletPayment[]> {
  return (await possibleOnes(db, credit, shown)).filter(({ status }) => status === 'success');
}

/**
 * They prove no other credit. If this credit was sent, LNbits did not show them before; otherwise they were made after
 * its cash-outs.
 */
async function possibleOnes(db: Db, credit: Credit, shown: WalletPayment[]): Promise<WalletPayment[]> {
  const owned = await ownedHashes(
    db,
    shown.map(({ hash }) => hash),
  );
  const free = shown.filter(({ hash }) => !owned.has(hash));
  if (credit.sent_at !== null) {
    const seen = seenHashes(credit);
    return free.filter(({ hash }) => !seen.has(hash));
  }
  const since = await newestMember(db, credit);
  return free.filter(({ time }) => time === null || time >= since);
}

/** Why the operator's decision is refused, and the way out. */
export interface Refused {
  because: string;
  wayOut: string | Message;
}

/**
 * How the source wallet contradicts the operator's decision about a credit; null if it leaves it open or confirms it. A
 * payment that is there does not belong to a credit that was never sent; the operator may name that payment and decide
 * so.
 */
export function judgeCreditWord(
  { possible, pending, takenBack }: CreditsShown,
  { id, credited, payment, sent }: { id: string; credited: boolean; payment: string | null; sent: boolean },
): Refused | null {
  const resolve = (word: Record<string, true | null>) =>
    call('credits.resolve', { id, ...word, reason: null });
  const there = possible.length - takenBack;
  if (credited && there > 0) return null;
  if (pending.length > 0) {
    return {
      because: `LNbits has begun it but not finished: ${pending.join(', ')}`,
      wayOut:
        'It may still arrive. Once it has expired, or LNbits was restarted, it is shown as failed, or as arrived; decide then.',
    };
  }
  if (credited) {
    const because =
      possible.length === 0
        ? 'the source wallet shows no such credit'
        : `the source wallet shows it, and an “Admin debit” that took it back: ${possible.join(', ')}`;
    return { because, wayOut: message`If it was not made: ${resolve({ not_credited: true })}` };
  }
  if (there === 0) return null;
  if (!sent && possible.length === 1 && payment === possible[0]) return null;
  const notIts = sent
    ? ''
    : message`, or, if it is another one: ${resolve({ not_credited: true, payment: null })}`;
  return {
    because: `the source wallet shows it: ${possible.join(', ')}`,
    wayOut: message`It is there: ${resolve({ credited: true })}${notIts}. To take sats back, give that wallet a negative amount in LNbits first (Users).`,
  };
}
