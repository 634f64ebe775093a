import { type SqlBool, sql } from 'kysely';
import { creditTotals } from './credits/credits.ts';
import { neededSats } from './credits/plan.ts';
import { arrivedSats, notSettled } from './payouts/open-payouts.ts';
import { type FeeRate, feeOn, feeRate } from './payouts/service-fee.ts';
import type { Db } from './store/open.ts';
import { sumOf } from './store/sum.ts';

/* What the ledger owes, and what the source wallet lacks for it. */

export interface Owed {
  /** Payouts that are not settled. */
  payouts: bigint;
  /** Everything allocated, or shared out of the commission, and not settled yet. */
  sats: bigint;
  /** The part of it that is in no payout yet. */
  unformed: bigint;
}

/** What the next runs will credit to the source wallet, recorded or not, in satoshi; nothing with crediting off. */
export async function creditsToCome(db: Db, creditSource: boolean): Promise<bigint> {
  if (!creditSource) return 0n;
  const needed = await neededSats(db);
  return (await creditTotals(db)).sent + needed + feeOn(needed, await feeRate(db));
}

/**
 * What the source wallet lacks for `sats` and LNbits' service fee on them, after all credits to come. In satoshi; at
 * least 1 where LNbits wanted more than is known.
 */
export function missing(
  sats: bigint,
  wallet: { balance: bigint; toCome: bigint; fee: FeeRate; wantsMore: boolean },
): bigint {
  const short = sats + feeOn(sats, wallet.fee) - wallet.toCome - wallet.balance;
  const least = wallet.wantsMore && sats > 0n ? 1n : 0n;
  return short > least ? short : least;
}

export async function owed(db: Db): Promise<Owed> {
  const allocations = await db
    .selectFrom('allocations')
    .select(sumOf('net').as('sats'))
    // Literally as in the index of what waits.
    .where(sql<SqlBool>`payout_id is null and net > 0`)
    .executeTakeFirstOrThrow();
  const shares = await db
    .selectFrom('commission_shares')
    .select(sumOf('sats').as('sats'))
    .where('payout_id', 'is', null)
    .executeTakeFirstOrThrow();
  const payouts = await db
    .selectFrom('payouts')
    .select([sumOf('sats').as('sats'), (eb) => eb.fn.countAll<bigint>().as('count')])
    // Parts of open payouts that have arrived already.
    .select(sumOf(arrivedSats).as('arrived'))
    .where(notSettled)
    .executeTakeFirstOrThrow();
  const unformed = allocations.sats + shares.sats;
  return { payouts: payouts.count, sats: unformed + payouts.sats - payouts.arrived, unformed };
}

export async function wantsMore(db: Db): Promise<boolean> {
  const one = await db
    .selectFrom('payouts')
    .select('id')
    .where(notSettled)
    .where('state', '=', 'deferred')
    .where('lack', '=', 'fee')
    .limit(1)
    .executeTakeFirst();
  return one !== undefined;
}
