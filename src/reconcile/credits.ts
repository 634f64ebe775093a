import { type Credit, droppedCredits } from '../ledger/credits/credits.ts';
import { openContradictions } from '../ledger/payouts/contradictions.ts';
import type { Db } from '../ledger/store/open.ts';
import { lateCredits } from '../payouts/late-credits.ts';
import type { SourceWallet } from '../payouts/session.ts';
import { type ComparedRange, type Findings, isIn } from './findings.ts';

/**
 * Compares every credit of the range with the source wallet: it shows a credit that arrived, and does not show one that
 * was dropped. Credits that the operator has decided about are left out.
 */
export async function reconcileCredits(
  db: Db,
  { lnbits, sourceWallet }: SourceWallet,
  range: ComparedRange,
  findings: Findings,
): Promise<void> {
  const credited = (
    await db.selectFrom('credits').selectAll().where('state', '=', 'credited').orderBy('id').execute()
  ).filter(({ wallet_id, created_at }) => wallet_id === sourceWallet.walletId && isIn(range, created_at));
  findings.count('credits', credited.length);
  for (const { id, sats, payment_hash } of credited) {
    if (payment_hash === null) continue;
    const side = await lnbits.find(sourceWallet.key, payment_hash);
    if (side?.status === 'success' && side.amountMsat === sats * 1000n) continue;
    const shown = side === null ? 'nothing' : `${side.amountMsat} msat ${side.status}`;
    findings.addCredit('credit/missing', { id, hash: payment_hash }, `credited, ${sats} sat`, shown);
  }
  const dropped = (await droppedCredits(db, sourceWallet.walletId)).filter(({ created_at }) =>
    isIn(range, created_at),
  );
  const late = await lateCredits(db, lnbits, sourceWallet.key, dropped);
  const tell = ({ id, sats }: Pick<Credit, 'id' | 'sats'>, hash: string) =>
    findings.addCredit(
      'credit/late',
      { id, hash },
      `dropped, ${sats} sat`,
      `${sats} sat came later: ${hash}`,
    );
  for (const { credit, hash } of late) tell(credit, hash);
  for (const { credit_id, payment_hash } of await openContradictions(db)) {
    const credit = dropped.find(({ id }) => id === credit_id);
    if (credit) tell(credit, payment_hash);
  }
}
