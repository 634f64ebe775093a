import { type SqlBool, sql } from 'kysely';
import type { Db } from '../store/open.ts';
import type { PaymentState } from '../store/schema.ts';
import { sumOf } from '../store/sum.ts';
import { type Payout, partsOf } from './payouts.ts';

/** Literally as in the index of open payouts: with a parameter, neither database would use that index. */
export const notSettled = sql<SqlBool>`payouts.state <> 'settled'`;

/** Of a row of `payouts`: the sats of its parts that have arrived. */
export const arrivedSats = sql<bigint>`(select ${sumOf('payments.sats')} from payments
  where payments.payout_id = payouts.id and payments.state = 'settled')`;

/** Payouts that runs work on: neither settled nor held; the clients' first, oldest first. */
export async function openPayouts(db: Db): Promise<Payout[]> {
  const rows = await db
    .selectFrom('payouts')
    .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
    .innerJoin('currencies', 'currencies.code', 'payouts.currency')
    .selectAll('payouts')
    .select(['recipients.name', 'currencies.digits'])
    .where(notSettled)
    .where('payouts.state', '<>', 'held')
    // In alphabetical order: `client`, then `commission`.
    .orderBy('payouts.kind')
    .orderBy('payouts.id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    recipient: { id: row.recipient_id, name: row.name },
    sats: row.sats,
    fiat: row.fiat,
    currency: row.currency,
    digits: Number(row.digits),
    state: row.state,
  }));
}

/** What is left to send of open payouts, without held ones and without parts under way. */
export function unsentSats(db: Db): Promise<bigint> {
  return leftSats(db, ['client', 'commission'], ['sending', 'unknown', 'settled']);
}

/** What has not arrived of the clients' open payouts, without held ones. */
export function unsettledClientSats(db: Db): Promise<bigint> {
  return leftSats(db, ['client'], ['settled']);
}

/** Of payouts of these kinds, the parts without a payment in one of these states. */
async function leftSats(db: Db, kinds: Payout['kind'][], without: PaymentState[]): Promise<bigint> {
  const open = db
    .selectFrom('payouts')
    .select('id')
    .where(notSettled)
    .where('state', '<>', 'held')
    .where('kind', 'in', kinds);
  const { sats } = await db
    .selectFrom('payout_parts as part')
    .select(sumOf('part.sats').as('sats'))
    .where('part.payout_id', 'in', open)
    .where('part.split', '=', 0n)
    .where(
      sql<SqlBool>`not exists (select 1 from payments as x where x.payout_id = part.payout_id
        and x.part = part.part and x.state in (${sql.join(without)}))`,
    )
    .executeTakeFirstOrThrow();
  return sats;
}

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
