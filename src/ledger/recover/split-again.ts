import { inParts, splitPart } from '../payouts/parts.ts';
import { markDead, partsOf } from '../payouts/payouts.ts';
import type { Trx } from '../store/open.ts';
import type { Lost, RecoverOptions } from './unknown-payments.ts';

/**
 * Splits parts of a payout as the lost ledger did, if LNbits shows payments of parts that this ledger does not have.
 * The first of these shows the maximum of one payment at that time; every larger, unpaid part was split. If that does
 * not give the paid parts, nothing is split, and the payments do not fit.
 */
export async function splitAgain(
  trx: Trx,
  payout: bigint,
  group: Lost[],
  { act, paid }: RecoverOptions,
): Promise<void> {
  const { last } = await trx
    .selectFrom('payout_parts')
    .select((eb) => eb.fn.max('part').as('last'))
    .where('payout_id', '=', payout)
    .executeTakeFirstOrThrow();
  const most = group.find(({ part }) => part === last + 1n)?.sats;
  if (most === undefined) return;
  const seen = new Set(group.map(({ part }) => part));
  const large = (await partsOf(trx, payout)).filter(
    ({ part, sats, payment }) =>
      sats > most &&
      !seen.has(part) &&
      !(payment && (payment.state === 'settled' || paid.has(payment.payment_hash))),
  );
  const pieces = large.flatMap(({ sats }) => inParts(sats, most));
  const fits = group.every(({ part, sats }) => part <= last || pieces[Number(part - last) - 1] === sats);
  if (!fits) return;
  for (const { part, sats, payment } of large) {
    if (payment) await markDead(trx, act, payment, 'LNbits shows that its part was split');
    await splitPart(trx, act, { payout, part, sats }, inParts(sats, most));
  }
}
