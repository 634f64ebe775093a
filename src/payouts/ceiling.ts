import { sql } from 'kysely';
import { localDate, startOfDay } from '../dca/local-time.ts';
import { formatSats } from '../dca/money.ts';
import type { Payment } from '../ledger/payouts/payouts.ts';
import { feeOn } from '../ledger/payouts/service-fee.ts';
import { MAY_DIFFER_MS, plus } from '../time.ts';
import { feeNow } from './service-fee.ts';
import type { PayContext } from './session.ts';

/**
 * Why a payout waits for the operator: together with what was sent today, it would exceed the ceiling. Null if it would
 * not, if the operator released the payout before, or if a payment of it is under way, whose outcome has to be found
 * out.
 */
export async function overCeiling(
  ctx: PayContext,
  payout: bigint,
  parts: { sats: bigint; payment: Payment | undefined }[],
): Promise<string | null> {
  const { ceiling, ledger } = ctx;
  if (ceiling === null) return null;
  if (parts.some(({ payment }) => payment?.state === 'sending' || payment?.state === 'unknown')) return null;
  const { released_at } = await ledger.db
    .selectFrom('payouts')
    .select('released_at')
    .where('id', '=', payout)
    .executeTakeFirstOrThrow();
  if (released_at !== null) return null;
  const at = ctx.clock.now();
  const today = localDate(at, ceiling.timezone);
  const start = startOfDay(today, ceiling.timezone);
  // Payments dated in the future count as sent today, unless a run began on an earlier day since.
  const yesterday = await ledger.db
    .selectFrom('runs')
    .select('id')
    .where('started_at', '<', start)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const { sent } = await ledger.db
    .selectFrom('payments')
    .select(sql<bigint>`cast((coalesce(sum(sats * 1000 + fee_msat), 0) + 999) / 1000 as bigint)`.as('sent'))
    .where('state', 'in', ['sending', 'unknown', 'settled'])
    .where('sent_at', '>=', start)
    .where((eb) =>
      eb.or([eb('sent_at', '<=', plus(at, MAY_DIFFER_MS)), eb('run_id', '>', yesterday?.id ?? 0n)]),
    )
    .executeTakeFirstOrThrow();
  const unpaid = parts.reduce((all, part) => all + (part.payment?.state === 'settled' ? 0n : part.sats), 0n);
  const left = unpaid + feeOn(unpaid, await feeNow(ctx));
  if (sent + left <= ceiling.sats) return null;
  return `${formatSats(left)} on top of ${formatSats(sent)} that were sent on ${today} exceed daily_ceiling_sats, ${formatSats(ceiling.sats)}`;
}
