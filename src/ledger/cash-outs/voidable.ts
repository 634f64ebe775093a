import { BridgeError } from '../../errors.ts';
import type { Db } from '../store/open.ts';
import type { CashOutDetail } from './view.ts';

/** Why the settlement of a cash-out cannot be undone any more, with the way out; undefined where it can. */
export async function refusalToUndo(
  db: Db,
  { cashOut, allocations }: CashOutDetail,
): Promise<BridgeError | undefined> {
  const shares = await db
    .selectFrom('commission_shares')
    .select('payout_id')
    .where('cash_out_id', '=', cashOut.id)
    .execute();
  const payouts = [...allocations, ...shares].flatMap(({ payout_id }) => payout_id ?? []);
  if (payouts.length > 0) {
    const names = [...new Set(payouts)].sort((a, b) => (a < b ? -1 : 1)).map((payout) => `p${payout}`);
    return invalid(
      `ID: sats of ${cashOut.id} are in ${names.join(', ')}, and a payout is never taken back`,
      'Was too little distributed, settle the rest with --external and a reference of your own. Was too much cash ' +
        'settled, nothing is owed: the clients gave that cash for those sats, and it is yours now. Were it too many sats ' +
        'for the cash, agree with the client on what the excess was worth, and take that with `aio-dca fundings adjust`.',
    );
  }
  const credited = await db
    .selectFrom('credit_members as m')
    .innerJoin('credits as k', 'k.id', 'm.credit_id')
    .select('k.id')
    .where('m.cash_out_id', '=', cashOut.id)
    .where('k.state', '<>', 'dropped')
    .executeTakeFirst();
  if (credited) {
    return invalid(
      `ID: the sats of ${cashOut.id} are part of c${credited.id}, a credit of the source wallet`,
      'Let it be paid, and settle a difference with --external and a reference of your own.',
    );
  }
  const closed = await db
    .selectFrom('recipients')
    .select('name')
    .where('id', 'in', [0n, ...allocations.map((one) => one.client_id)])
    .where('status', '=', 'closed')
    .executeTakeFirst();
  if (closed) {
    return invalid(
      `ID: cash of ${closed.name} would come back, and that client is closed for good`,
      'Leave the settlement as it is; settle a difference with --external and a reference of your own.',
    );
  }
  return undefined;
}

function invalid(message: string, hint: string): BridgeError {
  return new BridgeError('usage/invalid', `${message}.`, hint);
}
