import { BridgeError } from '../errors.ts';
import { isBound } from '../ledger/credits/source-wallet.ts';
import { holdPayout, knownPayments, markChecked, movePayment } from '../ledger/payouts/payouts.ts';
import type { Ledger } from '../ledger/store/open.ts';
import { call, message } from '../lib/message.ts';
import { proveRights } from '../lnbits/rights.ts';
import type { WalletPayment } from '../lnbits/wallet-client.ts';
import { claimToPay, notAlone, stayAlone, strangeClaim, unknownPayment } from './claim.ts';
import { isSentByLedger } from './label.ts';
import { bookFees } from './service-fee.ts';
import { actOf, type PayContext } from './session.ts';
import { bindSourceWallet, refuseUnknownAtClients } from './source-wallet.ts';

const PAGE = 100;

/**
 * What must hold before the first payment of a run, at the source wallet: it is the one that the ledger is bound to; no
 * other copy of the ledger is in use, and this is not an older copy that was restored; the wallet still shows the
 * newest payment that settled (else LNbits was restored). Then the settled payments of earlier runs are looked at once
 * more: if one is no longer there, its payout becomes held. Last, the run claims the right to pay.
 *
 * Errors: `ledger/wallet-differs`, `ledger/in-use-elsewhere`, `ledger/restored`, `lnbits/restored`, `lnbits/rights`
 * where the key does not show what it should, and those of the LNbits client. Where the run was asked to stop
 * meanwhile, `ctx.claim` is not set.
 */
export async function refuseUnsafeSourceWallet(ctx: PayContext): Promise<void> {
  const pages = sentPages(ctx);
  const newest = await refuseOtherCopies(ctx, pages, () => bindSourceWallet(ctx));
  await refuseForgotten(ctx);
  await bookFees(ctx, newest);
  await recheckSettled(ctx, newest, pages);
  await claimToPay(ctx, async () => void (await refuseOtherCopies(ctx)));
}

/**
 * Right before each call that moves money: another copy of the ledger may have come into use since the last check, or
 * this run may have been suspended. Errors: `ledger/in-use-elsewhere`, `ledger/restored`, and those of the LNbits
 * client.
 */
export async function refuseIfNotAlone(ctx: PayContext): Promise<void> {
  await stayAlone(ctx, async () => void (await refuseOtherCopies(ctx)));
}

/**
 * The part of it that also concerns recording: an older copy of the ledger lacks clients and fundings whose cash went
 * out, so it must not divide anything. Writes nothing. Errors: those of `refuseUnsafeSourceWallet`.
 */
export async function refuseOtherLedger(ctx: PayContext): Promise<void> {
  await refuseOtherCopies(ctx, sentPages(ctx), async () => {
    if (!(await isBound(ctx.ledger.db, ctx.sourceWallet.walletId))) await refuseUnknownAtClients(ctx);
  });
}

/** `binding`: what to check besides the source wallet. Answers this ledger's payments of its newest page. */
async function refuseOtherCopies(
  ctx: PayContext,
  pages = sentPages(ctx),
  binding: () => Promise<void> = async () => {},
): Promise<WalletPayment[]> {
  const claim = await strangeClaim(ctx);
  if (claim && !claim.here) throw notAlone(claim);
  await binding();
  const newest = await refuseUnknown(ctx, pages);
  if (claim) throw notAlone(claim);
  return newest;
}

/** What this ledger sent of the source wallet's tagged payments, page by page, newest first. */
async function* sentPages(ctx: PayContext): AsyncGenerator<WalletPayment[]> {
  for await (const payments of ctx.lnbits.tagged(ctx.sourceWallet.key, 'aio-dca'))
    yield payments.filter((one) => isSentByLedger(ctx.ledger.seals, one));
}

/**
 * A restored ledger lacks payments that are newer than those it knows: so the pages are read back to the first payment
 * of this ledger, past those of others that pay from the same wallet. Answers this ledger's payments of that page.
 */
async function refuseUnknown(
  ctx: PayContext,
  pages: AsyncGenerator<WalletPayment[]>,
): Promise<WalletPayment[]> {
  for (;;) {
    const { done, value: sent } = await pages.next();
    if (done) return [];
    const known = await knownPayments(
      ctx.ledger.db,
      sent.map(({ hash }) => hash),
    );
    const unknown = sent.find(({ hash }) => !known.has(hash));
    if (unknown) throw await unknownPayment(ctx, unknown);
    if (sent.length > 0) return sent;
  }
}

async function refuseForgotten(ctx: PayContext): Promise<void> {
  const newest = await ctx.ledger.db
    .selectFrom('payments')
    .select(['payment_hash', 'payout_id'])
    .where('state', '=', 'settled')
    // One with a reason was settled by the operator's decision: what LNbits shows of it was known then.
    .where('reason', 'is', null)
    .where('source_wallet_id', '=', ctx.sourceWallet.walletId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!newest) return;
  const side = await ctx.destination.sourceWalletSide(newest.payment_hash);
  if (side?.status === 'success') return;
  if (!side) await proveRights(ctx.lnbits, ctx.sourceWallet.key);
  throw new BridgeError(
    'lnbits/restored',
    `the newest settled payment (p${newest.payout_id}, ${newest.payment_hash}) is ${side?.status ?? 'not there'} in the source wallet`,
    message`An older copy of LNbits was restored. Compare its wallets with ${call('payouts.list')} before anything is paid.`,
  );
}

/** `first` and then the rest of `pages`. */
async function recheckSettled(
  ctx: PayContext,
  first: WalletPayment[],
  pages: AsyncGenerator<WalletPayment[]>,
): Promise<void> {
  const unchecked = new Map(
    (await uncheckedPayments(ctx.ledger, ctx.sourceWallet.walletId)).map(
      (one) => [one.payment_hash, one] as const,
    ),
  );
  // Newest first: so many pages hold them all, unless somebody else paid a lot from this wallet meanwhile.
  let left = Math.ceil(unchecked.size / PAGE) + 1;
  for (let sent: WalletPayment[] = first; unchecked.size > 0; ) {
    const found = sent.filter((one) => one.status === 'success');
    if (sent !== first) await bookFees(ctx, sent);
    const checked = found.flatMap((one) => unchecked.get(one.hash)?.id ?? []);
    if (checked.length > 0) await ctx.run.write((trx) => markChecked(trx, checked, ctx.clock.now()));
    for (const one of found) unchecked.delete(one.hash);
    left -= 1;
    const next = unchecked.size > 0 && left > 0 ? await pages.next() : null;
    if (!next || next.done) break;
    sent = next.value;
  }
  for (const payment of unchecked.values()) {
    const side = await ctx.destination.sourceWalletSide(payment.payment_hash);
    if (side?.status === 'success') {
      await ctx.run.write((trx) => markChecked(trx, [payment.id], ctx.clock.now()));
      continue;
    }
    const reason = `LNbits shows the settled payment ${payment.payment_hash} as ${side?.status ?? 'not there'} now`;
    await ctx.run.write(async (trx) => {
      await movePayment(trx, payment.id, ['settled'], { state: 'unknown', reason });
      await holdPayout(trx, actOf(ctx), payment.payout_id, reason);
    });
  }
}

async function uncheckedPayments(ledger: Ledger, wallet: string) {
  return ledger.db
    .selectFrom('payments')
    .select(['id', 'payment_hash', 'payout_id'])
    .where('state', '=', 'settled')
    .where('checked_at', 'is', null)
    .where('source_wallet_id', '=', wallet)
    .execute();
}
