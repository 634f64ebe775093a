import { formatDecimal } from '../dca/money.ts';
import { cashOutsOf, type Payout } from '../ledger/payouts/payouts.ts';
import { everClaimed } from '../ledger/runs/claims.ts';
import type { Db, Ledger } from '../ledger/store/open.ts';
import { isSealed, type Seals, sealOf } from '../ledger/store/seals.ts';
import type { WalletPayment } from '../lnbits/wallet-client.ts';
import { claimOf, type PayContext } from './session.ts';

/*
 * The bridge writes a label into `extra` of both sides of a payment, which tells whose payment it is. Clients can read
 * it in their wallets and write the same into invoices of their own. So a label in a client's wallet proves nothing
 * without a seal. A copied seal proves nothing either: it names the claim (claim.ts) under which it was made, and the
 * ledger records each claim before anything is sealed under it. A label with the ledger's id that proves nothing is a
 * foreign label: it is only counted.
 */

/** What is sealed, besides the wallet of that side of the payment. */
export interface Label {
  /** The nonce of the claim under which it was made. */
  claim: string;
  /** Like `p118`. */
  payout: string;
  part: number;
  /** The payment's number, which is unique in the ledger. */
  seq: number;
  sats: number;
}

/** The side of the payment in the source wallet, whatever key and id reach that wallet. */
export const SOURCE = 'source';

const parts = (wallet: string, { claim, payout, part, seq, sats }: Label) => [
  ...(['payment', wallet, claim, payout] as const),
  ...[part, seq, sats],
];

/**
 * The labels of both sides of a payment, each sealed for its own `wallet`: the id of the client's, or `SOURCE`. They
 * tell whose payment it was and for which cash-outs.
 */
export async function extraOf(
  ctx: PayContext,
  payout: Payout,
  { id, part, sats }: { id: bigint; part: bigint; sats: bigint },
  wallet: string,
): Promise<Record<string, unknown>> {
  const { ids, count } = await cashOutsOf(ctx.ledger.db, payout.id);
  const label = {
    ...{ claim: claimOf(ctx).nonce, payout: `p${payout.id}` },
    ...{ part: Number(part), seq: Number(id), sats: Number(sats) },
  };
  return {
    tag: 'aio-dca',
    ledger: ctx.ledger.id,
    ...label,
    client: payout.recipient.name,
    fiat: formatDecimal(payout.fiat, payout.digits),
    currency: payout.currency,
    cash_outs: ids,
    cash_outs_count: count,
    seal: sealOf(ctx.ledger.seals, parts(wallet, label)),
  };
}

/** The label of a payment that this ledger sealed; null for any other. */
export function labelOf(seals: Seals, { walletId, amountMsat, extra }: WalletPayment): Label | null {
  const { claim, payout, part, seq, sats, seal } = extra;
  if (typeof claim !== 'string' || typeof payout !== 'string') return null;
  if (typeof part !== 'number' || typeof seq !== 'number' || typeof sats !== 'number') return null;
  const label = { claim, payout, part, seq, sats };
  return isSealed(seals, parts(amountMsat < 0n ? SOURCE : walletId, label), seal) ? label : null;
}

/** It has the ledger's id, whoever wrote it. */
export function isLabelled(seals: Seals, { extra }: WalletPayment): boolean {
  return extra.ledger === seals.ledger;
}

/**
 * Whether this ledger, or a copy of it, sent a payment that its source wallet shows. Only the owner of the wallet's key
 * can write there, so a ledger that is older than its seals believes the label alone.
 */
export function isSentByLedger(seals: Seals, payment: WalletPayment): boolean {
  return (
    payment.amountMsat < 0n && isLabelled(seals, payment) && (!seals.all || labelOf(seals, payment) !== null)
  );
}

/**
 * The payments in a client's wallet that another copy of this ledger made: this ledger does not know them, and they
 * were sealed under a claim that is not its own. A ledger that is older than its seals and has never made a claim may
 * be an old backup, so it believes the label alone. `except`: claims at that source wallet do not tell what others
 * paid.
 */
export async function madeByAnotherCopy(
  { db, seals }: Pick<Ledger, 'db' | 'seals'>,
  unknown: WalletPayment[],
  except: string | null = null,
): Promise<WalletPayment[]> {
  const labelled = unknown.filter((one) => isLabelled(seals, one));
  if (labelled.length === 0) return [];
  if (!seals.all && !(await everClaimed(db, except))) return labelled;
  return sealedElsewhere({ db, seals }, labelled);
}

/** Those of them that were sealed under a claim that is not this ledger's: no client can have written that. */
export async function sealedElsewhere(
  { db, seals }: Pick<Ledger, 'db' | 'seals'>,
  unknown: WalletPayment[],
): Promise<WalletPayment[]> {
  const sealed = unknown.flatMap((payment) => {
    const label = labelOf(seals, payment);
    return label ? [{ payment, claim: label.claim }] : [];
  });
  const own = await knownClaims(db, [...new Set(sealed.map(({ claim }) => claim))]);
  return sealed.filter(({ claim }) => !own.has(claim)).map(({ payment }) => payment);
}

async function knownClaims(db: Db, nonces: string[]): Promise<Set<string>> {
  if (nonces.length === 0) return new Set();
  const rows = await db.selectFrom('claims').select('nonce').where('nonce', 'in', nonces).execute();
  return new Set(rows.map(({ nonce }) => nonce));
}
