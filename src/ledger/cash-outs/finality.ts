import { call, type Message, message } from '../../lib/message.ts';
import type { Db } from '../store/open.ts';
import type { CashOutDetail } from './view.ts';

/** Why a settlement can no longer be undone, as a sentence without its full stop, and the way out. */
export interface Final {
  why: string;
  way: Message;
}

/**
 * Why the settlement is final: sats of it are in a payout or a credit, or a client of it is closed. Null if it can
 * still be undone.
 */
export async function finalityOf(db: Db, { cashOut, allocations }: CashOutDetail): Promise<Final | null> {
  const settleRest = call('settlements.external', { reference: null });
  const shares = await db
    .selectFrom('commission_shares')
    .select('payout_id')
    .where('cash_out_id', '=', cashOut.id)
    .execute();
  const payouts = [...allocations, ...shares].flatMap(({ payout_id }) => payout_id ?? []);
  if (payouts.length > 0) {
    const names = [...new Set(payouts)].sort((a, b) => (a < b ? -1 : 1)).map((payout) => `p${payout}`);
    return {
      why: `sats of ${cashOut.id} are in ${names.join(', ')}, and a payout cannot be undone`,
      way: message`If too little was distributed, settle the rest with ${settleRest}, by a reference of your own. If too much cash was settled, nothing is owed: the clients gave that cash for those sats, and it is yours now. If too many sats were settled for the cash, agree with the client on the value of the excess, and subtract it with ${call('fundings.adjust', { id: null, amount: null, reason: null })}.`,
    };
  }
  const credited = await db
    .selectFrom('credit_members as m')
    .innerJoin('credits as k', 'k.id', 'm.credit_id')
    .select('k.id')
    .where('m.cash_out_id', '=', cashOut.id)
    .where('k.state', '<>', 'dropped')
    .executeTakeFirst();
  if (credited) {
    return {
      why: `the sats of ${cashOut.id} are part of c${credited.id}, a credit of the source wallet`,
      way: message`Let it be paid, and settle any difference with ${settleRest}, by a reference of your own.`,
    };
  }
  const closed = await db
    .selectFrom('recipients')
    .select('name')
    .where('id', 'in', [0n, ...allocations.map((one) => one.client_id)])
    .where('status', '=', 'closed')
    .executeTakeFirst();
  if (!closed) return null;
  return {
    why: `cash of ${closed.name} would come back, and that client is closed for good`,
    way: message`Leave the settlement as it is; settle any difference with ${settleRest}, by a reference of your own.`,
  };
}
