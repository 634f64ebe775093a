import { formatSats } from '../dca/money.ts';
import {
  type Credit,
  droppedCredits,
  ownedHashes,
  reinstateCredit,
  seenHashes,
} from '../ledger/credits/credits.ts';
import { contradict, contradictionsOf } from '../ledger/payouts/contradictions.ts';
import type { Db } from '../ledger/store/open.ts';
import type { LnbitsClient, WalletPayment } from '../lnbits/wallet-client.ts';
import { plus } from '../time.ts';
import { actOf, type PayContext } from './session.ts';

/** LNbits may carry out a request long after the bridge stopped waiting; runs check this long, `reconcile` always. */
const LOOKED_FOR_MS = 7 * 86_400_000;

/** An “Admin credit” of the source wallet that belongs to no known credit, and the dropped credit that it can be. */
export interface Late {
  credit: Credit;
  hash: string;
}

/**
 * Before another credit is made: finds dropped credits that LNbits made later. Such a credit becomes `credited` if
 * nothing else covers its cash-outs by now. Otherwise the sats are in the source wallet twice, and the operator
 * decides. Answers the sats of those that are credited.
 */
export async function creditWhatCameLate(ctx: PayContext, justLookedAt: bigint[]): Promise<bigint> {
  const since = plus(ctx.clock.now(), -LOOKED_FOR_MS);
  const dropped = (await droppedCredits(ctx.ledger.db, ctx.sourceWallet.walletId)).filter(
    ({ id, sent_at }) => (sent_at ?? '') >= since && !justLookedAt.includes(id),
  );
  let arrived = 0n;
  for (const { credit, hash } of await lateCredits(
    ctx.ledger.db,
    ctx.lnbits,
    ctx.sourceWallet.key,
    dropped,
  )) {
    const credited = await ctx.run.write(async (trx) => {
      if (await reinstateCredit(trx, actOf(ctx), credit, hash)) return true;
      await contradict(trx, actOf(ctx), { credit, hash, shown: cameLate(credit) });
      return false;
    });
    if (credited) arrived += credit.sats;
  }
  return arrived;
}

/** The message for a late credit. */
export function cameLate({ sats }: Credit): string {
  return `an “Admin credit” of ${formatSats(sats)} that came after it was dropped`;
}

/**
 * What LNbits shows of these dropped credits. It did not show them before each was sent, so no clock is needed. Several
 * of one amount cannot be told apart, so the first to come is taken for the oldest.
 */
export async function lateCredits(
  db: Db,
  lnbits: Pick<LnbitsClient, 'credits'>,
  key: PayContext['sourceWallet']['key'],
  dropped: Credit[],
): Promise<Late[]> {
  const late: Late[] = [];
  for (const [sats, credits] of Map.groupBy(dropped, (one) => one.sats)) {
    const shown = (await lnbits.credits(key, sats)).filter(({ status }) => status === 'success');
    late.push(...(await attribute(db, credits, shown)));
  }
  return late;
}

async function attribute(db: Db, credits: Credit[], shown: WalletPayment[]): Promise<Late[]> {
  const hashes = shown.map(({ hash }) => hash);
  const known = await ownedHashes(db, hashes);
  const free = new Set(credits);
  const ids = credits.map(({ id }) => id);
  for (const { payment_hash, credit_id } of await contradictionsOf(db, 'credit_id', ids)) {
    known.add(payment_hash);
    for (const one of credits) if (one.id === credit_id) free.delete(one);
  }
  return shown
    .filter(({ hash }) => !known.has(hash))
    .reverse()
    .flatMap(({ hash }) => {
      const can = credits.filter((one) => !seenHashes(one).has(hash));
      const credit = can.find((one) => free.has(one)) ?? can.at(-1);
      if (!credit) return [];
      free.delete(credit);
      return { credit, hash };
    });
}
