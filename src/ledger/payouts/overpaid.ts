import { BridgeError } from '../../errors.ts';
import type { Instant } from '../../time.ts';
import { adjustFunding } from '../fundings/corrections.ts';
import type { Funding } from '../fundings/view.ts';
import { record, type Who } from '../log/log.ts';
import type { Db, Trx } from '../store/open.ts';
import { closeContradictions, contradictionsOf, keepEvidence } from './contradictions.ts';

/** What a recipient got beyond what a payout owed him, and what it is worth at that payout's own price. */
export interface Overpaid {
  payout: bigint;
  recipient: string;
  sats: bigint;
  /** In minor units, rounded half up; 0 of commission. */
  fiat: bigint;
  currency: string;
  digits: number;
  /** The payment by which he got it, where it is one of the ledger's. */
  payment: { id: bigint; hash: string } | null;
}

/** Throws `usage/invalid` where there is no such payout, or the payment is none that was given up. */
export async function overpaidBy(
  db: Db,
  id: bigint,
  of: { hash: string } | { sats: bigint | undefined },
): Promise<Overpaid> {
  const payout = await db
    .selectFrom('payouts')
    .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
    .innerJoin('currencies', 'currencies.code', 'payouts.currency')
    .select(['payouts.sats', 'payouts.fiat', 'payouts.currency', 'currencies.digits', 'recipients.name'])
    .where('payouts.id', '=', id)
    .executeTakeFirst();
  if (!payout) throw refuse(`ID: payout p${id} does not exist`, '`aio-dca payouts list` shows them.');
  const payment = 'hash' in of ? await givenUp(db, id, of.hash) : null;
  const sats = payment?.sats ?? ('sats' in of ? of.sats : undefined) ?? payout.sats;
  const fiat = (2n * sats * payout.fiat + payout.sats) / (2n * payout.sats);
  return {
    ...{ payout: id, recipient: payout.name, sats, fiat, currency: payout.currency },
    digits: Number(payout.digits),
    payment: payment && { id: payment.id, hash: payment.payment_hash },
  };
}

async function givenUp(db: Db, payout: bigint, hash: string) {
  const payment = await db
    .selectFrom('payments')
    .select(['id', 'payment_hash', 'sats', 'state'])
    .where('payout_id', '=', payout)
    .where('payment_hash', '=', hash)
    .executeTakeFirst();
  if (payment?.state === 'dead') return payment;
  throw refuse(
    payment
      ? `--payment: ${hash} is ${payment.state}, and pays what p${payout} owes`
      : `--payment: ${hash} is no payment of p${payout}`,
    `One that was given up is meant: \`aio-dca payouts show p${payout}\`. Of one that the ledger does not know say --sats.`,
  );
}

/**
 * Writes it down. With `funding` the cash that the sats are worth is taken off it: it is the operator's from then on.
 * Throws what `adjustFunding` throws, and `usage/invalid` for a funding of somebody else.
 */
export async function bookOverpaid(
  trx: Trx,
  who: Who,
  overpaid: Overpaid,
  { funding, reason }: { funding: bigint | null; reason: string },
  at: Instant,
): Promise<Funding | null> {
  const { payout, sats, fiat, currency, payment } = overpaid;
  const less = funding === null ? null : await takeOff(trx, who, overpaid, funding, reason, at);
  if (payment !== null) {
    const closed = await closeContradictions(
      trx,
      who,
      { payment: payment.id },
      { reason, booked: false },
      at,
    );
    const known = closed > 0n || (await contradictionsOf(trx, 'payment_id', [payment.id])).length > 0;
    const shown = 'arrived, or debited, when a person decided about it';
    if (!known)
      await keepEvidence(
        trx,
        who,
        { payment: { id: payment.id, payout_id: payout }, hash: payment.hash, shown },
        reason,
        at,
      );
  }
  await record(trx, who, {
    ...{ at, action: 'payout overpaid', subject: `p${payout}`, reason },
    after: {
      ...{ sats, fiat, currency, payment_hash: payment?.hash ?? null },
      funding: funding === null ? null : `f${funding}`,
    },
  });
  return less;
}

async function takeOff(
  trx: Trx,
  who: Who,
  { recipient, fiat, currency, payout }: Overpaid,
  funding: bigint,
  reason: string,
  at: Instant,
): Promise<Funding> {
  const after = await adjustFunding(trx, { ...who, at, reason: `p${payout}: ${reason}` }, funding, {
    minor: -fiat,
    currency,
  });
  if (after.client === recipient) return after;
  throw refuse(
    `--funding: f${funding} is of ${after.client}, and p${payout} went to ${recipient}`,
    `\`aio-dca fundings list --client ${recipient}\` shows his.`,
  );
}

function refuse(message: string, hint: string): BridgeError {
  return new BridgeError('usage/invalid', `${message}.`, hint);
}
