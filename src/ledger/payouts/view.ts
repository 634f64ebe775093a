import type { Selectable } from 'kysely';
import { type BridgeError, notFound } from '../../errors.ts';
import { call, message } from '../../lib/message.ts';
import type { Db } from '../store/open.ts';
import type { Page } from '../store/page.ts';
import type { PayoutState, Schema } from '../store/schema.ts';
import { sumOf } from '../store/sum.ts';
import { arrivedSats, notSettled } from './open-payouts.ts';

/** A payout as it is shown. */
export type PayoutRow = Selectable<Schema['payouts']> & {
  recipient: string;
  digits: number;
  /** Sats of its parts that have arrived. */
  settled: bigint;
  /** What LNbits took on top as its service fee, in msat. */
  feeMsat: bigint;
};

export interface PayoutFilter {
  states?: readonly PayoutState[] | undefined;
  /** A recipient's name. */
  recipient?: string | undefined;
  id?: bigint | undefined;
}

/** The newest payouts, and how many there are in all. */
export async function readPayoutList(
  db: Db,
  filter: PayoutFilter,
  { limit, after }: { limit: number; after?: bigint | undefined },
): Promise<Page<PayoutRow>> {
  const { states, recipient, id } = filter;
  const named = db
    .selectFrom('recipients')
    .select('id')
    .where('name', '=', recipient ?? '');
  const query = db
    .selectFrom('payouts')
    .$if(states !== undefined, (some) => some.where('payouts.state', 'in', states ?? []))
    // By the index of the few that are not.
    .$if(states !== undefined && !states.includes('settled'), (some) => some.where(notSettled))
    .$if(recipient !== undefined, (some) => some.where('payouts.recipient_id', 'in', named))
    .$if(id !== undefined, (some) => some.where('payouts.id', '=', id ?? 0n));
  const rows = await query
    .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
    .innerJoin('currencies', 'currencies.code', 'payouts.currency')
    .selectAll('payouts')
    .select(['recipients.name as recipient', 'currencies.digits'])
    .select((eb) => [
      arrivedSats.as('settled'),
      eb
        .selectFrom('payments')
        .select(sumOf('payments.fee_msat').as('fee_msat'))
        .whereRef('payments.payout_id', '=', 'payouts.id')
        .$asScalar()
        .as('fee_msat'),
    ])
    .$if(after !== undefined, (some) => some.where('payouts.id', '<', after ?? 0n))
    .orderBy('payouts.id', 'desc')
    .limit(limit)
    .execute();
  const { total } = await query
    .select((eb) => eb.fn.countAll<bigint>().as('total'))
    .executeTakeFirstOrThrow();
  return {
    rows: rows.map(({ fee_msat, ...row }) => ({
      ...row,
      digits: Number(row.digits),
      feeMsat: fee_msat ?? 0n,
    })),
    total: Number(total),
  };
}

export interface PayoutDetail {
  payout: PayoutRow;
  /** The allocations, or shares of the commission, that it pays. */
  members: { id: bigint; cash_out_id: string; sats: bigint }[];
  payments: Selectable<Schema['payments']>[];
}

/** Throws `usage/invalid` of the kind `not-found`. */
export async function readPayout(db: Db, id: bigint): Promise<PayoutDetail> {
  const [payout] = (await readPayoutList(db, { id }, { limit: 1 })).rows;
  if (!payout) throw noPayout(id);
  const allocations = await db
    .selectFrom('allocations')
    .select(['id', 'cash_out_id', 'net as sats'])
    .where('payout_id', '=', id)
    .orderBy('id')
    .execute();
  const shares = await db
    .selectFrom('commission_shares')
    .select(['id', 'cash_out_id', 'sats'])
    .where('payout_id', '=', id)
    .orderBy('id')
    .execute();
  const payments = await db
    .selectFrom('payments')
    .selectAll()
    .where('payout_id', '=', id)
    .orderBy('part')
    .orderBy('attempt')
    .execute();
  return { payout, members: [...allocations, ...shares], payments };
}

export function noPayout(id: bigint): BridgeError {
  return notFound('id', `there is no payout p${id}`, message`${call('payouts.list')} shows them.`);
}
