import { sql } from 'kysely';
import { type Act, record } from '../log/log.ts';
import type { Db, Trx } from '../store/open.ts';
import type { Payment } from './payouts.ts';

/*
 * LNbits' service fee: with lnbits_service_fee set and lnbits_service_fee_ignore_internal off, LNbits takes a
 * percentage of each internal payment from the payer on top, up to lnbits_service_fee_max (LNbits 1.0 to 1.6,
 * `service_fee` in core/services/payments.py). Only its administrators can read these settings; the fees that it took
 * tell the same.
 */

/**
 * The share that was taken of a payment; `capMsat`: the most that one payment costs, in msat, if a payment has shown
 *  it. Null: nothing is taken.
 */
export type FeeRate = { feeMsat: bigint; paidMsat: bigint; capMsat: bigint | null } | null;

/** The number of newest payments to look at: the settings may change, and small payments tell little. */
const NEWEST = 20;

/** By the newest payments that settled from the source wallet, except those that the operator declared paid. */
export async function feeRate(db: Db): Promise<FeeRate> {
  const rows = await db
    .selectFrom('payments')
    .innerJoin('ledger', 'ledger.source_wallet_id', 'payments.source_wallet_id')
    .select(['payments.sats', 'payments.fee_msat'])
    .where('payments.state', '=', 'settled')
    .where('payments.reason', 'is', null)
    .orderBy('payments.id', 'desc')
    .limit(NEWEST)
    .execute();
  return rateOf(rows.map(({ sats, fee_msat }) => ({ paidMsat: sats * 1000n, feeMsat: fee_msat })));
}

/** Corrects what LNbits took on top of a payment, unless it is dead. */
export async function bookFee(
  trx: Trx,
  act: Act,
  { id, payout_id, payment_hash, fee_msat }: Pick<Payment, 'id' | 'payout_id' | 'payment_hash' | 'fee_msat'>,
  fee: bigint,
): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('payments')
    .set({ fee_msat: fee })
    .where('id', '=', id)
    .where('state', '<>', 'dead')
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) return;
  await record(trx, act, {
    ...{ action: 'payment fee', subject: `p${payout_id}` },
    before: { payment_hash, fee_msat },
    after: { payment_hash, fee_msat: fee },
  });
}

/**
 * From payments, newest first: nothing if the newest cost nothing; otherwise the highest share that was taken of one.
 */
export function rateOf(payments: { paidMsat: bigint; feeMsat: bigint }[]): FeeRate {
  if ((payments[0]?.feeMsat ?? 0n) === 0n) return null;
  const taken = payments.filter(({ feeMsat }) => feeMsat > 0n);
  const highest = taken.reduce((a, b) => (b.feeMsat * a.paidMsat > a.feeMsat * b.paidMsat ? b : a));
  const largest = taken.reduce((a, b) => (b.paidMsat > a.paidMsat ? b : a));
  // A larger payment that cost clearly less than that share has shown the cap.
  const full = (largest.paidMsat * highest.feeMsat) / highest.paidMsat;
  return { ...highest, capMsat: largest.feeMsat * 10n < full * 9n ? largest.feeMsat : null };
}

/** What LNbits will take on top of payments of `sats` in all, in satoshi; rather a little too much than too little. */
export function feeOn(sats: bigint, rate: FeeRate, payments = 1n): bigint {
  if (rate === null || sats === 0n) return 0n;
  const share = (sats * 1000n * rate.feeMsat) / rate.paidMsat;
  const most = rate.capMsat === null ? share : rate.capMsat * payments;
  // Rounded up, and a satoshi more: each payment's own fee was rounded down.
  return (share < most ? share : most) / 1000n + 2n;
}

/**
 * The part of a source wallet's credits that was for the service fee and is not taken yet, in satoshi. A fee that was
 * taken before a credit covered it came from the wallet's other sats; it is not credited again.
 */
export async function feeReserve(db: Db, wallet: string): Promise<bigint> {
  const { rows } = await sql<{ total: bigint; lowest: bigint; coming: bigint }>`
    with moves as (
      select credited_at as at, 0 as kind, fee * 1000 as msat from credits
        where state = 'credited' and fee > 0 and wallet_id = ${wallet}
      union all
      select m.settled_at, 1, -m.fee_msat from payments as m
        where m.state = 'settled' and m.fee_msat > 0 and m.source_wallet_id = ${wallet} and (
          exists (select 1 from allocations as a join credit_members as c on c.cash_out_id = a.cash_out_id
            join credits as k on k.id = c.credit_id where a.payout_id = m.payout_id and k.state <> 'dropped')
          or exists (select 1 from commission_shares as s join credit_members as c on c.cash_out_id = s.cash_out_id
            join credits as k on k.id = c.credit_id where s.payout_id = m.payout_id and k.state <> 'dropped'))
    ), sums as (
      select msat, sum(msat) over (order by at, kind rows unbounded preceding) as so_far from moves
    )
    select cast(coalesce(sum(msat), 0) as bigint) as total, cast(coalesce(min(so_far), 0) as bigint) as lowest,
      cast((select coalesce(sum(fee), 0) from credits where wallet_id = ${wallet}
        and state in ('intended', 'sending', 'unknown', 'held')) as bigint) as coming
    from sums`.execute(db);
  const { total, lowest, coming } = rows[0] ?? { total: 0n, lowest: 0n, coming: 0n };
  return (total - (lowest < 0n ? lowest : 0n)) / 1000n + coming;
}
