import { contradict, contradictionsOf, showsArrival } from '../ledger/payouts/contradictions.ts';
import { holdPayout, type Payment, partsOf, revivePayment } from '../ledger/payouts/payouts.ts';
import { FellOver } from '../lnbits/answer.ts';
import { plus } from '../time.ts';
import { clientSide, sourceWalletSide } from './evidence.ts';
import { sidesInWords } from './resolve.ts';
import { actOf, type PayContext } from './session.ts';

/** How long after the decision, and how many of the newest; `reconcile` checks all. */
const LOOKED_AT_MS = 7 * 86_400_000;
const MOST = 20;

/**
 * Checks payments again that were sent and recently given up. If one arrived, it settles its part, unless something
 * else was sent of that part: then the part may be paid twice, and the operator is told. The same for a debit that was
 * not known when the payment was given up.
 */
export async function recheckDead(ctx: PayContext): Promise<void> {
  for (const payment of await givenUp(ctx)) {
    const sourceWallet = await sourceWalletSide(ctx, payment.payment_hash);
    if (sourceWallet === 'pending') continue;
    const client = await clientSide(ctx, payment).catch((error: unknown) => {
      // One wallet does not stop the others; a later run checks again.
      if (error instanceof FellOver) return null;
      throw error;
    });
    if (client === null) continue;
    const arrived = client === 'arrived' || client === 'wrong-amount';
    if (!arrived && sourceWallet !== 'success') continue;
    const shown = sidesInWords({ sourceWallet, client });
    const known = (await contradictionsOf(ctx.ledger.db, 'payment_id', [payment.id])).filter(
      (one) => one.closed_at !== null && (!arrived || showsArrival(one)),
    );
    if (known.length > 0) continue;
    await ctx.run.write(async (trx) => {
      const { state } = await trx
        .selectFrom('payouts')
        .select('state')
        .where('id', '=', payment.payout_id)
        .executeTakeFirstOrThrow();
      const part = (await partsOf(trx, payment.payout_id)).find((one) => one.part === payment.part);
      const next = part?.payment;
      const open = state !== 'settled' && state !== 'held';
      if (client === 'arrived' && sourceWallet === 'success' && open && (!next || next.sent_at === null)) {
        await revivePayment(trx, actOf(ctx), payment, next);
        return;
      }
      const told = await contradict(trx, actOf(ctx), { payment, hash: payment.payment_hash, shown });
      if (told && open) {
        const why = `payment ${payment.payment_hash}, which was given up, is shown ${shown}`;
        await holdPayout(trx, actOf(ctx), payment.payout_id, why);
      }
    });
  }
}

/**
 * Newest first, by the log, which says when it was decided. A wrong clock only makes this look back longer or shorter.
 */
async function givenUp({ ledger, clock, sourceWallet }: PayContext): Promise<Payment[]> {
  const since = plus(clock.now(), -LOOKED_AT_MS);
  const dead = await ledger.db
    .selectFrom('payments')
    .selectAll()
    .where('state', '=', 'dead')
    .where('sent_at', 'is not', null)
    .where('source_wallet_id', '=', sourceWallet.walletId)
    .orderBy('id', 'desc')
    .limit(MOST)
    .execute();
  if (dead.length === 0) return [];
  const rows = await ledger.db
    .selectFrom('log')
    .select('subject')
    .distinct()
    .where(
      'subject',
      'in',
      dead.map(({ payout_id }) => `p${payout_id}`),
    )
    .where('action', 'in', ['payment dead', 'payout resolve'])
    .where('at', '>=', since)
    .execute();
  const recent = new Set(rows.map(({ subject }) => subject));
  return dead.filter(({ payout_id }) => recent.has(`p${payout_id}`));
}
