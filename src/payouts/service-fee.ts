import { formatSats, groupDigits, parseDecimal } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import { bookFee, type FeeRate, feeRate } from '../ledger/payouts/service-fee.ts';
import type { ServiceFee } from '../lnbits/admin.ts';
import type { WalletPayment } from '../lnbits/wallet-client.ts';
import { actOf, type PayContext, reportProblem } from './session.ts';

/**
 * LNbits' present service fee: its setting, if its superuser read it in this run; otherwise as its newest payments
 *  show.
 */
export async function feeNow({ ledger, toldFee }: Pick<PayContext, 'ledger' | 'toldFee'>): Promise<FeeRate> {
  return toldFee === undefined ? await feeRate(ledger.db) : toldFee;
}

/** LNbits' setting as a rate. No more is booked or credited than the whole payment. */
export function rateTold(fee: ServiceFee): FeeRate {
  if (fee === null) return null;
  const paidMsat = 10n ** 10n;
  const share = parseDecimal(fee.percent, 8);
  const capMsat = fee.maxSats === null ? null : fee.maxSats * 1000n;
  return { feeMsat: share < paidMsat ? share : paidMsat, paidMsat, capMsat };
}

/** Records LNbits' fee of payments that are booked with another fee: after a crash, or before the fee was known. */
export async function bookFees(
  ctx: Pick<PayContext, 'ledger' | 'clock' | 'run'>,
  shown: WalletPayment[],
): Promise<number> {
  const taken = new Map(
    shown
      .filter(({ status, amountMsat }) => status === 'success' && amountMsat < 0n)
      .map(({ hash, amountMsat, feeMsat }) => [hash, cappedFee(feeMsat, -amountMsat)]),
  );
  if (taken.size === 0) return 0;
  const booked = await ctx.ledger.db
    .selectFrom('payments')
    .select(['id', 'payout_id', 'payment_hash', 'fee_msat'])
    .where('payment_hash', 'in', [...taken.keys()])
    .execute();
  const differing = booked.filter(({ payment_hash, fee_msat }) => taken.get(payment_hash) !== fee_msat);
  if (differing.length === 0) return 0;
  await ctx.run.write(async (trx) => {
    for (const payment of differing)
      await bookFee(trx, actOf(ctx), payment, taken.get(payment.payment_hash) ?? 0n);
  });
  return differing.length;
}

/** The fee that LNbits took for a debit, from its figure, which may have either sign: at most the whole payment. */
export function cappedFee(feeMsat: bigint, paidMsat: bigint): bigint {
  const fee = feeMsat < 0n ? -feeMsat : feeMsat;
  return fee < paidMsat ? fee : paidMsat;
}

/** Reports once that LNbits began to take a fee. `before`: the fee when the run began. */
export async function reportNewFee(ctx: PayContext, before: FeeRate): Promise<void> {
  if (before !== null) return;
  const rate = await feeRate(ctx.ledger.db);
  if (rate === null) return;
  reportProblem(
    ctx,
    new BridgeError(
      'lnbits/service-fee',
      `LNbits took a service fee of ${groupDigits(rate.feeMsat)} msat from the source wallet on top of ${formatSats(rate.paidMsat / 1000n)}`,
      'Clients get what they are due; the fee is booked and comes on top. To avoid it, set lnbits_service_fee_ignore_internal in LNbits.',
    ),
  );
}
