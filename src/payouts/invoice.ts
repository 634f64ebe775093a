import { formatCash, groupDigits } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import { cashInMachines } from '../ledger/fundings/view.ts';
import {
  addPayment,
  deferPayout,
  holdPayout,
  nextPayment,
  type Payment,
  type Payout,
  walletOf,
} from '../ledger/payouts/payouts.ts';
import type { Ledger } from '../ledger/store/open.ts';
import type { Lack } from '../ledger/store/schema.ts';
import { keepSight, type WalletKey, wasSeen } from '../ledger/wallets/wallets.ts';
import { call, message } from '../lib/message.ts';
import { Unseen } from '../lnbits/one-wallet.ts';
import { lack, reportLack } from './balance.ts';
import { UNSEEN } from './decide.ts';
import { isGone } from './destination.ts';
import { extraOf } from './label.ts';
import { actOf, claimOf, type PayContext, reportProblem } from './session.ts';
import { checkBeforeFirst, checkFirst, isFirst, type NotSeen, notRead } from './source-wallet.ts';

/** LNbits pays an internal invoice even after its expiry. */
const INVOICE_EXPIRY_SECONDS = 86_400;
/** The most invoices of one part, if its recipient gets another wallet or key again and again meanwhile. */
const TRIES = 3;

/**
 * Makes and records a new invoice in the recipient's present wallet; undefined if the payout was deferred or held
 * instead. If the wallet changed before the invoice was recorded, that invoice is dropped: nothing was sent on it.
 */
export async function makeInvoice(
  ctx: PayContext,
  payout: Payout,
  part: bigint,
  sats: bigint,
): Promise<Payment | undefined> {
  const put = async (problem: string, lacks: Lack | null = null) => {
    await ctx.run.write((trx) => deferPayout(trx, payout.id, problem, lacks));
    return undefined;
  };
  const hold = async (reason: string) => {
    await ctx.run.write((trx) => holdPayout(trx, actOf(ctx), payout.id, reason));
    return undefined;
  };
  const short = await lack(ctx, payout, sats);
  if (short !== null) {
    reportLack(ctx, short);
    return put(short, 'sats');
  }
  const wait = async (notSeen: NotSeen) => {
    const error = notRead(notSeen);
    reportProblem(ctx, error, payout);
    return await put(error.message);
  };
  const { recipient } = payout;
  const present = await walletOf(ctx.ledger.db, payout.id);
  const first = await isFirst(ctx, recipient.id, present.id);
  const notSeen = first ? await checkBeforeFirst(ctx, recipient.id) : null;
  if (notSeen && !notSeen.unseen.gone) return await wait(notSeen);
  const id = await nextPayment(ctx.ledger.db);
  const request = {
    sats,
    memo: await memoOf(ctx.ledger, payout, sats),
    expirySeconds: INVOICE_EXPIRY_SECONDS,
  };
  for (let tries = 0; tries < TRIES; tries += 1) {
    const wallet = tries === 0 ? present : await walletOf(ctx.ledger.db, payout.id);
    try {
      const extra = await extraOf(ctx, payout, { id, part, sats }, wallet.id);
      const invoice = await ctx.destination.invoice(wallet.key, { ...request, extra });
      if (invoice.walletId !== wallet.id)
        return await hold('the key of the client now belongs to another wallet');
      if ([ctx.sourceWallet.walletId, claimOf(ctx).walletId].includes(invoice.walletId))
        return await hold("the client's wallet is the source wallet");
      if (notSeen) return await wait(notSeen);
      const isFirstHere = wallet.id === present.id ? first : await isFirst(ctx, recipient.id, wallet.id);
      const shown = await showsItself(ctx, wallet, invoice.hash, isFirstHere);
      if (shown === 'unseen') return await hold(`nothing was paid: ${UNSEEN}`);
      if (shown instanceof Unseen) {
        const paidInto = { ...wallet, recipient: { ...recipient, kind: payout.kind }, former: false };
        return await wait({ wallet: paidInto, unseen: shown });
      }
      const kept = await ctx.run.write(async (trx) => {
        if ((await walletOf(trx, payout.id)).id !== wallet.id) return undefined;
        if (shown === 'now') await keepSight(trx, wallet.id, wallet.key, ctx.clock.now());
        const { hash, bolt11 } = invoice;
        const of = { id, payout: payout.id, part, sats, hash, bolt11, clientWallet: wallet.id };
        return addPayment(
          trx,
          { ...of, sourceWallet: ctx.sourceWallet.walletId, run: ctx.run.id },
          ctx.clock.now(),
        );
      });
      if (kept) return kept;
    } catch (error) {
      if (isGone(error)) {
        const { key } = await walletOf(ctx.ledger.db, payout.id);
        if (key.reveal() !== wallet.key.reveal()) continue;
        return hold("the client's wallet does not answer to its key any more");
      }
      if (!(error instanceof BridgeError) || error.code !== 'lnbits/refused') throw error;
      reportProblem(ctx, refusedInvoice(error, payout), payout);
      return put(error.message);
    }
  }
  return put('its wallet was changed while an invoice was made');
}

/** The way out if the recipient's wallet accepts no invoice: a limit of its owner or of the server. */
function refusedInvoice({ code, text }: BridgeError, { kind, recipient: { name } }: Payout): BridgeError {
  const set = kind === 'client' ? 'clients.set' : 'commission.set';
  const elsewhere = call(set, { name, wallet_key: null, new_wallet: true });
  return new BridgeError(
    code,
    text,
    message`Each run tries again. ${elsewhere} has it paid elsewhere; where it is the most that LNbits takes at once, set [payouts] maximum_sats to that.`,
  );
}

/**
 * Whether the key that made an invoice shows it. This is checked before the first payment by a key, and before the
 * first from a source wallet. Before LNbits 1.4 every key has that right, and the check would make the invoice fail.
 */
async function showsItself(
  ctx: PayContext,
  { id, key }: WalletKey,
  hash: string,
  isFirstPayment: boolean,
): Promise<'known' | 'now' | 'unseen' | Unseen> {
  if (!ctx.looksArePure) return 'known';
  if (isFirstPayment) {
    const seen = await checkFirst(ctx, { id, key }, hash);
    return seen === null ? 'unseen' : seen === 'seen' ? 'now' : seen;
  }
  if (await wasSeen(ctx.ledger.db, id)) return 'known';
  return (await ctx.destination.shows(key, hash)) ? 'now' : 'unseen';
}

/**
 * The text that the owner of the wallet reads, with the cash that is left in machines as the invoice is made. Far below
 * the 639 bytes that a memo may have.
 */
async function memoOf({ db }: Ledger, payout: Payout, sats: bigint): Promise<string> {
  const { id, kind, digits, currency, recipient } = payout;
  // A part of a payout is for a part of its cash.
  const paid = `${groupDigits(sats)}${sats === payout.sats ? '' : ` of ${groupDigits(payout.sats)}`} sat`;
  if (kind === 'commission') return `${paid} for commission (payout p${id})`;
  const cash = (minor: bigint) => formatCash(minor, digits, currency);
  const left = await cashInMachines(db, recipient.id, currency);
  return `${paid} for ${cash(payout.fiat)} of your cash (payout p${id}), ${cash(left)} left`;
}
