import type { Db } from '../store/open.ts';
import { notSettled, partsOf } from './payouts.ts';

/** The payment whose outcome is still open; undefined if there is none. */
export async function anyOpenPayment(db: Db): Promise<{ payout_id: bigint } | undefined> {
  return await db
    .selectFrom('payments')
    .select('payout_id')
    .where('state', 'in', ['invoiced', 'sending', 'unknown'])
    .limit(1)
    .executeTakeFirst();
}

/** Where the sats of an open payout are. */
export interface OpenPayout {
  id: bigint;
  arrived: bigint;
  /** Sent and not known to be refused: they stay with the wallet in which the invoice was made. */
  sent: bigint;
  /** Never sent: they go to the recipient's wallet of that time. */
  unsent: bigint;
  /** Sent and refused by LNbits: they do so, too, once both wallets show that nothing was paid. */
  refused: bigint;
}

/** The open payouts of a client or commission recipient, oldest first. */
export async function openPayoutsOf(db: Db, recipient: bigint): Promise<OpenPayout[]> {
  const payouts = await db
    .selectFrom('payouts')
    .select('id')
    .where(notSettled)
    .where('recipient_id', '=', recipient)
    .orderBy('id')
    .execute();
  const open: OpenPayout[] = [];
  for (const { id } of payouts) {
    const one = { id, arrived: 0n, sent: 0n, unsent: 0n, refused: 0n };
    for (const { sats, payment } of await partsOf(db, id)) {
      if (payment?.state === 'settled') one.arrived += sats;
      else if (!payment || payment.sent_at === null) one.unsent += sats;
      else if (payment.state === 'invoiced') one.refused += sats;
      else one.sent += sats;
    }
    open.push(one);
  }
  return open;
}
