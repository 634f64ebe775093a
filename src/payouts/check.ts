import { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import { creditsIn } from '../ledger/credits.ts';
import { record } from '../ledger/log.ts';
import type { Ledger, Trx } from '../ledger/open.ts';
import { holdPayout, movePayment } from '../ledger/payouts.ts';
import type { Payment as Shown } from '../lnbits/client.ts';
import { taggedPayments } from '../lnbits/history.ts';
import { proveRights } from '../lnbits/rights.ts';
import { now } from '../time.ts';
import { type Context, isGone } from './context.ts';

const PAGE = 100;

/**
 * What must hold before the first payment of a run, at the source wallet: it is the one that the ledger is bound
 * to; it shows no payment of this ledger that the ledger does not know (else an older ledger was restored); it still
 * shows the newest one that settled (else LNbits was restored). Then the settled payments of earlier runs are looked
 * at once more: one that is not there any more makes its payout held.
 *
 * Errors: `ledger/wallet-differs`, `ledger/restored`, `lnbits/restored`, `lnbits/rights` where the key does not show what
 * it should, and those of the LNbits client.
 */
export async function checkSourceWallet(ctx: Context): Promise<void> {
  await bindSourceWallet(ctx);
  const pages = sentPages(ctx);
  const newest = await refuseUnknown(ctx, pages);
  await refuseForgotten(ctx);
  await lookAgain(ctx, newest, pages);
}

/**
 * What of it concerns the recording, too: an older copy of the ledger lacks clients and fundings whose cash went out,
 * so nothing may be divided by it. Writes nothing. Errors: `ledger/restored`, and those of `checkSourceWallet`.
 */
export async function refuseOlderLedger(ctx: Context): Promise<void> {
  if (!(await isBound(ctx))) await refuseUnknownAtClients(ctx);
  await refuseUnknown(ctx, sentPages(ctx));
}

async function bindSourceWallet(ctx: Context): Promise<void> {
  if (await isBound(ctx)) return;
  await refuseUnknownAtClients(ctx);
  // A key that is shown nothing would hide what an older ledger lost, and each debit.
  await proveRights(ctx.lnbits, ctx.source.key);
  await ctx.run.write((trx) => takeSourceWallet(trx, ctx));
}

async function isBound(ctx: Context): Promise<boolean> {
  const { source_wallet_id: bound } = await ctx.ledger.db
    .selectFrom('ledger')
    .select('source_wallet_id')
    .executeTakeFirstOrThrow();
  return bound === ctx.source.walletId;
}

/**
 * A wallet that never paid for this ledger cannot show what a restored ledger lost, but the wallets that were paid
 * into can: they are asked before another source wallet is taken.
 */
async function refuseUnknownAtClients(ctx: Context): Promise<void> {
  // Refused here already while something is open: on LNbits before 1.4 the look would change what is open.
  await ctx.ledger.rehearse((trx) => takeSourceWallet(trx, ctx));
  const wallets = await ctx.ledger.db.selectFrom('wallets').select(['id', 'invoice_key']).execute();
  for (const wallet of wallets) await refuseUnknownAt(ctx, new Secret(wallet.invoice_key));
}

async function refuseUnknownAt(ctx: Context, key: Secret): Promise<void> {
  try {
    const shown = await taggedPayments(ctx.lnbits, key);
    const received = shown.filter((one) => one.amountMsat > 0n && one.status === 'success');
    await refuseStrange(ctx, ofThisLedger(ctx, received));
  } catch (error) {
    // A wallet that is gone is paid into no more, so nothing can be paid into it twice.
    if (!isGone(error)) throw error;
  }
}

async function takeSourceWallet(trx: Trx, ctx: Context): Promise<void> {
  const { source_wallet_id: bound } = await trx
    .selectFrom('ledger')
    .select('source_wallet_id')
    .executeTakeFirstOrThrow();
  const wallet = ctx.source.walletId;
  if (bound === wallet) return;
  const client = await trx
    .selectFrom('recipients')
    .select('name')
    .where('wallet_id', '=', wallet)
    .executeTakeFirst();
  if (client) {
    throw new BridgeError(
      'ledger/wallet-differs',
      `the source wallet of the configuration is the wallet of ${client.name}`,
      'Set [lnbits] source_wallet_key to the admin key of the wallet that pays.',
    );
  }
  if (bound !== null) {
    const open = await trx
      .selectFrom('payments')
      .select('id')
      .where('state', 'in', ['invoiced', 'sending', 'unknown'])
      .executeTakeFirst();
    const [credit] = await creditsIn(trx, ['sending', 'unknown']);
    if (credit) {
      throw new BridgeError(
        'ledger/wallet-differs',
        `what became of credit c${credit.id} of the source wallet ${bound} is not known yet, and the configuration names ${wallet}`,
        'Set the key of the former wallet again until `aio-dca credits list` shows nothing unknown.',
      );
    }
    if (open) {
      throw new BridgeError(
        'ledger/wallet-differs',
        `payments from the source wallet ${bound} are open, and the configuration names ${wallet}`,
        'Set the key of the former wallet again until `aio-dca payouts list` shows nothing open.',
      );
    }
  }
  await trx.updateTable('ledger').set({ source_wallet_id: wallet }).execute();
  await record(trx, ctx.run.who, {
    at: now(),
    action: 'source wallet bound',
    subject: wallet,
    before: { source_wallet_id: bound },
    after: { source_wallet_id: wallet },
  });
}

/** What this ledger sent of the source wallet's tagged payments, page by page, newest first. */
async function* sentPages(ctx: Context): AsyncGenerator<Shown[]> {
  for await (const payments of ctx.lnbits.tagged(ctx.source.key, 'aio-dca'))
    yield ofThisLedger(
      ctx,
      payments.filter((one) => one.amountMsat < 0n),
    );
}

function ofThisLedger(ctx: Context, shown: Shown[]): Shown[] {
  return shown.filter((one) => one.extra.ledger === ctx.ledger.id);
}

/**
 * What a restored ledger lost is newer than what it knows: the pages are read back to the first payment of this
 * ledger, past those of others that pay from the same wallet. Answers this ledger's payments of that page.
 */
async function refuseUnknown(ctx: Context, pages: AsyncGenerator<Shown[]>): Promise<Shown[]> {
  for (;;) {
    const { done, value: sent } = await pages.next();
    if (done) return [];
    await refuseStrange(ctx, sent);
    if (sent.length > 0) return sent;
  }
}

async function refuseStrange(ctx: Context, shown: Shown[]): Promise<void> {
  if (shown.length === 0) return;
  const hashes = shown.map((one) => one.hash);
  const known = await ctx.ledger.db
    .selectFrom('payments')
    .select('payment_hash')
    .where('payment_hash', 'in', hashes)
    .execute();
  const knows = new Set(known.map((row) => row.payment_hash));
  const unknown = shown.find((one) => !knows.has(one.hash));
  if (!unknown) return;
  throw new BridgeError(
    'ledger/restored',
    `LNbits shows payment ${unknown.hash} of this ledger (${unknown.extra.payout} for ${unknown.extra.client}), and the ledger does not know it`,
    'An older copy of the ledger was put back. Enter again what was entered after that copy was made (clients, fundings, settlements); then `aio-dca ledger recover --dry-run` and `aio-dca ledger recover`. Nothing is distributed or paid before.',
  );
}

async function refuseForgotten(ctx: Context): Promise<void> {
  const newest = await ctx.ledger.db
    .selectFrom('payments')
    .select(['payment_hash', 'payout_id'])
    .where('state', '=', 'settled')
    // One with a reason was settled by a person's word: what LNbits shows of it was known then.
    .where('reason', 'is', null)
    .where('source_wallet_id', '=', ctx.source.walletId)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!newest) return;
  const side = await ctx.lnbits.find(ctx.source.key, newest.payment_hash);
  if (side?.status === 'success') return;
  if (!side) await proveRights(ctx.lnbits, ctx.source.key);
  throw new BridgeError(
    'lnbits/restored',
    `the newest settled payment (p${newest.payout_id}, ${newest.payment_hash}) is ${side?.status ?? 'not there'} in the source wallet`,
    'An older copy of LNbits was put back. Compare its wallets with `aio-dca payouts list` before anything is paid.',
  );
}

/** `first` and then the rest of `pages`. */
async function lookAgain(ctx: Context, first: Shown[], pages: AsyncGenerator<Shown[]>): Promise<void> {
  const unchecked = new Map(
    (await uncheckedPayments(ctx.ledger, ctx.source.walletId)).map((one) => [one.payment_hash, one] as const),
  );
  // Newest first: so many pages hold them all, unless somebody else paid a lot from this wallet meanwhile.
  let left = Math.ceil(unchecked.size / PAGE) + 1;
  for (let sent: Shown[] = first; unchecked.size > 0; ) {
    const found = sent.filter((one) => one.status === 'success');
    await markChecked(
      ctx,
      found.flatMap((one) => unchecked.get(one.hash) ?? []),
    );
    for (const one of found) unchecked.delete(one.hash);
    left -= 1;
    const next = unchecked.size > 0 && left > 0 ? await pages.next() : null;
    if (!next || next.done) break;
    sent = next.value;
  }
  for (const payment of unchecked.values()) {
    const side = await ctx.lnbits.find(ctx.source.key, payment.payment_hash);
    if (side?.status === 'success') {
      await markChecked(ctx, [payment]);
      continue;
    }
    const reason = `LNbits shows the settled payment ${payment.payment_hash} as ${side?.status ?? 'not there'} now`;
    await ctx.run.write(async (trx) => {
      await movePayment(trx, payment.id, ['settled'], { state: 'unknown', reason });
      await holdPayout(trx, ctx.run.who, payment.payout_id, reason, now());
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

async function markChecked(ctx: Context, payments: { id: bigint }[]): Promise<void> {
  if (payments.length === 0) return;
  await ctx.run.write((trx) =>
    trx
      .updateTable('payments')
      .set({ checked_at: now() })
      .where(
        'id',
        'in',
        payments.map((one) => one.id),
      )
      .execute(),
  );
}
