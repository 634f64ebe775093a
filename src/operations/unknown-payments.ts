import * as z from 'zod';
import type { Config } from '../config/config.ts';
import { Secret } from '../config/secret.ts';
import { formatSats, groupDigits } from '../dca/money.ts';
import { knownPayments } from '../ledger/payouts/payouts.ts';
import type { Lost, Misfit } from '../ledger/recover/recover.ts';
import type { Ledger } from '../ledger/store/open.ts';
import { orUnseen, Unseen } from '../lnbits/one-wallet.ts';
import { proveRights } from '../lnbits/rights.ts';
import { taggedPayments } from '../lnbits/tagged-payments.ts';
import type { WalletPayment } from '../lnbits/wallet-client.ts';
import { readClaims, type StrangeClaim } from '../payouts/claim.ts';
import { decide } from '../payouts/decide.ts';
import { clientSide } from '../payouts/evidence.ts';
import { isLabelled, isSentByLedger } from '../payouts/label.ts';
import type { SourceWallet } from '../payouts/session.ts';
import type { Instant } from '../time.ts';

/** What was found in the source wallets. */
export interface FoundPayments {
  lost: Lost[];
  /** Payment hashes that a source wallet shows as paid. */
  paid: Set<string>;
  misfits: Misfit[];
  /** Runs that the ledger does not know: those of another copy, or of the lost ledger. */
  claims: StrangeClaim[];
  /** Payments with this ledger's id that it did not send. */
  foreign: number;
}

/**
 * The payments of this ledger that the source wallet shows and the ledger does not know. `look`: reads the clients'
 * sides, too. Throws `lnbits/rights` if the key may not see payments, and the errors of the LNbits client.
 */
export async function findLost(
  { ledger, config }: { ledger: Ledger; config: Pick<Config, 'payouts'> },
  wallet: SourceWallet,
  found: FoundPayments,
  look: boolean,
): Promise<void> {
  const { lost, paid, misfits, claims } = found;
  claims.push(...(await readClaims({ ledger, ...wallet })).strange);
  const all = await taggedPayments(wallet.lnbits, wallet.sourceWallet.key);
  if (all.length === 0) await proveRights(wallet.lnbits, wallet.sourceWallet.key);
  const labelled = all.filter((one) => one.amountMsat < 0n && isLabelled(ledger.seals, one));
  const known = await knownPayments(
    ledger.db,
    labelled.map(({ hash }) => hash),
  );
  const shown = labelled.filter((one) => known.has(one.hash) || isSentByLedger(ledger.seals, one));
  found.foreign += labelled.length - shown.length;
  for (const one of shown) if (one.status === 'success') paid.add(one.hash);
  const unknown = shown.filter((one) => !known.has(one.hash));
  // A payment that was just sent may still be under way, whatever a clock says. Before LNbits 1.4 reading it could
  // fail it.
  if (look && unknown.length > 0) await ledger.clock.sleep(config.payouts.quietMs);
  const former = look && unknown.length > 0 ? await formerWallets(ledger) : null;
  for (const payment of unknown) {
    const told = toldBy(payment, ledger.clock.now());
    if ('code' in told) misfits.push(told);
    else lost.push({ ...told, ...(await outcomeOf(ledger, wallet, payment, told, former)) });
  }
}

/** Former wallets, each with its key. */
async function formerWallets({ db }: Ledger): Promise<Map<string, Secret>> {
  const rows = await db
    .selectFrom('wallets')
    .select(['id', 'invoice_key'])
    .where('id', 'not in', db.selectFrom('recipients').select('wallet_id'))
    .execute();
  return new Map(rows.map(({ id, invoice_key }) => [id, new Secret(invoice_key)]));
}

/** The wallet among these that has the invoice of a payment. A wallet that cannot be read is left out from then on. */
async function formerWalletOf(
  { lnbits, sourceWallet }: SourceWallet,
  hash: string,
  former: Map<string, Secret>,
): Promise<string | null> {
  for (const [id, key] of former) {
    const shown = await orUnseen(lnbits, sourceWallet.key, () => lnbits.find(key, hash));
    if (shown instanceof Unseen) former.delete(id);
    else if (shown?.walletId === id) return id;
  }
  return null;
}

async function outcomeOf(
  ledger: Ledger,
  paidFrom: SourceWallet,
  { hash, status }: WalletPayment,
  { recipient, sats }: Pick<Lost, 'recipient' | 'sats'>,
  former: Map<string, Secret> | null,
): Promise<Pick<Lost, 'outcome' | 'clientWallet'>> {
  const outcome = ({ success: 'settled', failed: 'failed', pending: 'unknown' } as const)[status];
  // LNbits may still work on a pending payment.
  if (former === null || status === 'pending') return { outcome, clientWallet: null };
  const doubt = status === 'failed' ? outcome : 'unknown';
  const wallet = await ledger.db
    .selectFrom('recipients')
    .select('wallet_id')
    .where('name', '=', recipient)
    .executeTakeFirst();
  if (!wallet) return { outcome: doubt, clientWallet: null };
  const { lnbits, destination } = paidFrom;
  // One wallet does not stop the others: the next run checks it again.
  const sideIn = (id: string) =>
    orUnseen(lnbits, paidFrom.sourceWallet.key, () =>
      clientSide({ ledger, destination }, { payment_hash: hash, sats, client_wallet_id: id }),
    );
  let clientWallet = wallet.wallet_id;
  let client = await sideIn(clientWallet);
  if (client instanceof Unseen || client === 'none' || client === 'unseen' || client === 'gone') {
    const other = await formerWalletOf(paidFrom, hash, former);
    if (other !== null) [clientWallet, client] = [other, await sideIn(other)];
  }
  if (status === 'failed' || client instanceof Unseen) return { outcome: doubt, clientWallet };
  return { outcome: decide(client, status, true).do === 'settle' ? 'settled' : 'unknown', clientWallet };
}

const extraShape = z.object({
  payout: z.string().regex(/^p[1-9]\d{0,17}$/),
  part: z.int().positive(),
  sats: z.int().positive(),
  client: z.string().min(1),
  fiat: z.string().regex(/^\d+(\.\d+)?$/),
  currency: z.string().min(1),
  cash_outs: z.array(z.string()).min(1),
  cash_outs_count: z.int().positive(),
});

function toldBy(payment: WalletPayment, now: Instant): Omit<Lost, 'outcome' | 'clientWallet'> | Misfit {
  const { hash, bolt11, walletId, time, amountMsat, extra } = payment;
  const parsed = extraShape.safeParse(extra);
  const misfit = { what: `payment ${hash}`, hash, ledger: 'nothing' };
  if (!parsed.success) {
    return {
      ...misfit,
      code: 'recover/unreadable',
      other: `its extra does not tell ${parsed.error.issues.map(({ path }) => path.join('.')).join(', ')}`,
      hint: 'Somebody changed it in LNbits, or another program wrote it. Report it.',
    };
  }
  const { payout, part, sats, client, fiat, currency, cash_outs, cash_outs_count } = parsed.data;
  if (-amountMsat !== BigInt(sats) * 1000n) {
    return {
      ...misfit,
      code: 'recover/amount',
      other: `${groupDigits(-amountMsat)} msat were paid, but its extra says ${formatSats(BigInt(sats))}`,
      hint: 'Somebody changed it in LNbits. Report it.',
    };
  }
  return {
    hash,
    bolt11,
    at: time ?? now,
    sourceWallet: walletId,
    payout: BigInt(payout.slice(1)),
    part: BigInt(part),
    sats: BigInt(sats),
    recipient: client,
    fiat,
    currency,
    cashOuts: cash_outs,
    cashOutsCount: cash_outs_count,
  };
}
