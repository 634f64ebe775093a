import { conflict, notFound, wrongState } from '../../errors.ts';
import { call, field, message } from '../../lib/message.ts';
import { type ReasonedAct, record } from '../log/log.ts';
import { closeContradictions, contradictionsOf, keepEvidence } from '../payouts/contradictions.ts';
import type { Db, Trx } from '../store/open.ts';
import { adjustFunding } from './corrections.ts';
import type { Funding } from './view.ts';

/** Sats that a recipient got beyond a payout, and their worth at that payout's price. */
export interface Overpaid {
  payout: bigint;
  recipient: string;
  sats: bigint;
  /** In minor units, rounded half up; 0 of commission. */
  fiat: bigint;
  currency: string;
  digits: number;
  /** The payment by which they arrived, if the ledger knows it. */
  payment: { id: bigint; hash: string } | null;
}

/** Throws `usage/invalid` if there is no such payout, or if the payment was not given up. */
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
  if (!payout)
    throw notFound('id', `payout p${id} does not exist`, message`${call('payouts.list')} shows them.`);
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
  const hint = message`Give one that was given up: ${call('payouts.show', { id: `p${payout}` })} shows them. For a payment that the ledger does not know, give ${field('sats')}.`;
  if (!payment) throw notFound('payment', `${hash} is no payment of p${payout}`, hint);
  throw wrongState('payment', `${hash} is ${payment.state}, and pays what p${payout} owes`, hint);
}

/**
 * Records them. With `funding`, the cash that the sats are worth is subtracted from that funding and becomes the
 * operator's. Throws what `adjustFunding` throws, and `usage/invalid` for another client's funding.
 */
export async function bookOverpaid(
  trx: Trx,
  act: ReasonedAct,
  overpaid: Overpaid,
  funding: bigint | null,
): Promise<Funding | null> {
  const { payout, sats, fiat, currency, payment } = overpaid;
  const less = funding === null ? null : await takeOff(trx, act, overpaid, funding);
  if (payment !== null) {
    const closed = await closeContradictions(trx, act, { payment: payment.id }, { booked: false });
    const known = closed > 0n || (await contradictionsOf(trx, 'payment_id', [payment.id])).length > 0;
    const shown = 'arrived, or debited, when the operator decided about it';
    const found = { payment: { id: payment.id, payout_id: payout }, hash: payment.hash, shown };
    if (!known) await keepEvidence(trx, act, found);
  }
  await record(trx, act, {
    ...{ action: 'payout overpaid', subject: `p${payout}` },
    after: {
      ...{ sats, fiat, currency, payment_hash: payment?.hash ?? null },
      funding: funding === null ? null : `f${funding}`,
    },
  });
  return less;
}

async function takeOff(
  trx: Trx,
  { at, reason, ...who }: ReasonedAct,
  { recipient, fiat, currency, payout }: Overpaid,
  funding: bigint,
): Promise<Funding> {
  const after = await adjustFunding(trx, { ...who, at, reason: `p${payout}: ${reason}` }, funding, {
    minor: -fiat,
    currency,
  });
  if (after.client === recipient) return after;
  throw conflict(
    'funding',
    `f${funding} belongs to ${after.client}, and p${payout} went to ${recipient}`,
    message`${call('fundings.list', { client: recipient })} shows the fundings of ${recipient}.`,
  );
}
