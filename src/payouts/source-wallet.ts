import { BridgeError } from '../errors.ts';
import { isAccountedFor, isBound, takeSourceWallet } from '../ledger/credits/source-wallet.ts';
import { knownPayments } from '../ledger/payouts/payouts.ts';
import { openClaims } from '../ledger/runs/claims.ts';
import type { Ledger } from '../ledger/store/open.ts';
import { type PaidInto, type WalletKey, walletsPaidInto, wasPaidFrom } from '../ledger/wallets/wallets.ts';
import { call, message } from '../lib/message.ts';
import { paymentsIn, Unseen } from '../lnbits/one-wallet.ts';
import { proveRights } from '../lnbits/rights.ts';
import type { WalletPayment } from '../lnbits/wallet-client.ts';
import { notAlone, strangeClaim } from './claim.ts';
import { labelOf, madeByAnotherCopy, sealedElsewhere } from './label.ts';
import { actOf, type PayContext, type SourceWallet } from './session.ts';

/*
 * The wallet that the ledger pays from. A wallet that never paid for this ledger cannot show what an older copy of it
 * lacks. The former source wallet can, by its key, in a recovery. Otherwise the clients' wallets are read: all of
 * them before another source wallet is accepted, and each once more before its recipient's first payment from it. A
 * wallet that cannot be read never counts as one without payments.
 */

/**
 * Binds the ledger to the wallet of the configuration. Errors: those of `refuseUnknownAtClients`, and `lnbits/rights`.
 */
export async function bindSourceWallet(ctx: PayContext): Promise<void> {
  if (await isBound(ctx.ledger.db, ctx.sourceWallet.walletId)) return;
  await refuseUnknownAtClients(ctx);
  // A key without the right to see payments would hide every debit, and what an older ledger lacks.
  const { walletId } = await proveRights(ctx.lnbits, ctx.sourceWallet.key);
  await ctx.run.write((trx) => takeSourceWallet(trx, actOf(ctx), ctx.sourceWallet.walletId, walletId));
}

/**
 * Errors: `ledger/wallet-differs` if this wallet cannot be taken, `ledger/restored` if a client received what the
 * ledger does not know, and those that concern LNbits itself. A wallet that cannot be looked at stops nobody else: its
 * recipient is not paid (`checkBeforeFirst`).
 */
export async function refuseUnknownAtClients(ctx: PayContext): Promise<void> {
  const { ledger, lnbits, sourceWallet } = ctx;
  // Refused before reading while something is open: on LNbits before 1.4, reading would change it.
  await ledger.dryRun((trx) => takeSourceWallet(trx, actOf(ctx), sourceWallet.walletId));
  if (await isAccountedFor(ledger.db, sourceWallet.walletId)) return;
  for (const wallet of await walletsPaidInto(ledger.db, sourceWallet.walletId)) {
    const shown = await paymentsIn(lnbits, sourceWallet.key, wallet, { proven: true });
    if (shown instanceof Unseen) continue;
    const { certain, doubtful } = await unknownIn(ledger, sourceWallet.walletId, shown);
    const [lost] = [...certain, ...doubtful];
    if (lost) throw unknownAtClient(lost, certain.includes(lost));
  }
}

/**
 * Before the first payment from this source wallet to a recipient: it cannot show what another wallet paid to the
 * recipient since the ledger was copied, and each wallet that the recipient has or had can. Answers why one cannot be
 * looked at; null if all of them show that there is nothing. Errors: `ledger/restored`, and those that concern
 * LNbits itself.
 */
export async function checkBeforeFirst(ctx: PayContext, recipient: bigint): Promise<NotSeen | null> {
  const { ledger, lnbits, sourceWallet } = ctx;
  for (const wallet of await walletsPaidInto(ledger.db, sourceWallet.walletId)) {
    if (wallet.recipient.id !== recipient) continue;
    const its = { recipient, wallet: wallet.id };
    if (wallet.former && (await wasPaidFrom(ledger.db, sourceWallet.walletId, its))) continue;
    // The present one has to show the invoice that is made next: `checkFirst`.
    const shown = await paymentsIn(lnbits, sourceWallet.key, wallet, { proven: !wallet.former });
    const unseen = shown instanceof Unseen ? shown : await refuseUnknownIn(ctx, shown);
    if (unseen) return { wallet, unseen };
  }
  return null;
}

/**
 * The same for the present wallet alone, once it has an invoice by which its key can prove what it sees; null: it does
 *  not.
 */
export async function checkFirst(
  ctx: PayContext,
  wallet: WalletKey,
  invoice: string,
): Promise<Unseen | 'seen' | null> {
  const { lnbits, sourceWallet } = ctx;
  const shown = await paymentsIn(lnbits, sourceWallet.key, wallet, { proven: true });
  if (shown instanceof Unseen) return shown;
  if (!shown.some(({ hash }) => hash === invoice)) return null;
  return (await refuseUnknownIn(ctx, shown)) ?? 'seen';
}

/**
 * Whether nothing was paid to it from this source wallet yet, and the operator does not answer for what another one
 *  paid.
 */
export async function isFirst(
  { ledger, sourceWallet }: Pick<PayContext, 'ledger' | 'sourceWallet'>,
  recipient: bigint,
  wallet: string,
): Promise<boolean> {
  const paid = await wasPaidFrom(ledger.db, sourceWallet.walletId, { recipient, wallet });
  return !paid && !(await isAccountedFor(ledger.db, sourceWallet.walletId));
}

/** Throws `ledger/restored` for payments that another copy certainly made; answers those that it may have made. */
async function refuseUnknownIn(ctx: PayContext, shown: WalletPayment[]): Promise<Unseen | null> {
  const { ledger, sourceWallet, claim } = ctx;
  const { certain, doubtful } = await unknownIn(ledger, sourceWallet.walletId, shown, claim?.nonce);
  if (certain[0]) {
    // The copy that made it may pay from this source wallet, too.
    const strange = await strangeClaim(ctx);
    throw strange ? notAlone(strange) : unknownAtClient(certain[0], true);
  }
  const [one] = doubtful;
  if (!one) return null;
  return new Unseen(`another copy of this ledger, or the owner of the wallet, made payment ${one.hash}`);
}

/** What a client's wallet shows of payments that the ledger does not know. */
async function unknownIn(
  ledger: Ledger,
  sourceWallet: string,
  shown: WalletPayment[],
  own?: string,
): Promise<{ certain: WalletPayment[]; doubtful: WalletPayment[] }> {
  const received = shown.filter((one) => one.amountMsat > 0n && one.status === 'success');
  const known = await knownPayments(
    ledger.db,
    received.map(({ hash }) => hash),
  );
  const unknown = received.filter(({ hash }) => !known.has(hash));
  return {
    certain: await sealedElsewhere(ledger, unknown),
    doubtful: [
      ...(await madeByAnotherCopy(ledger, unknown, sourceWallet)),
      ...(await ofBrokenOffRuns(ledger, unknown, own)),
      ...(await inPlaceOf(ledger, unknown, shown)),
    ],
  };
}

/** Those that another copy of the ledger certainly made, in the wallets that can be looked at. */
export async function paidByAnotherCopy(
  ledger: Ledger,
  { lnbits, sourceWallet }: Pick<SourceWallet, 'lnbits' | 'sourceWallet'>,
): Promise<WalletPayment[]> {
  const certain: WalletPayment[] = [];
  for (const wallet of await walletsPaidInto(ledger.db, sourceWallet.walletId)) {
    const shown = await paymentsIn(lnbits, sourceWallet.key, wallet, { proven: true });
    if (!(shown instanceof Unseen))
      certain.push(...(await unknownIn(ledger, sourceWallet.walletId, shown)).certain);
  }
  return certain;
}

/**
 * Those that were sealed under a claim of a run that did not end: a copy that was made during the run went on with it.
 * `own`: of this run, whose copies the source wallet shows.
 */
async function ofBrokenOffRuns(
  { db, seals }: Ledger,
  unknown: WalletPayment[],
  own = '',
): Promise<WalletPayment[]> {
  const open = await openClaims(db);
  open.delete(own);
  return unknown.filter((one) => open.has(labelOf(seals, one)?.claim ?? ''));
}

/**
 * Those of `unknown` with the number of a payment that arrived in this wallet and that the wallet no longer shows: a
 * client who copies a label from a payment has both. An invoice that was made and not kept has the number of the
 * payment that was made instead, and its owner can pay it.
 */
async function inPlaceOf(
  { db, seals }: Ledger,
  unknown: WalletPayment[],
  shown: WalletPayment[],
): Promise<WalletPayment[]> {
  const there = new Set(shown.map(({ hash }) => hash));
  const instead: WalletPayment[] = [];
  for (const one of unknown) {
    const label = labelOf(seals, one);
    if (!label) continue;
    const own = await db
      .selectFrom('payments')
      .select('payment_hash')
      .where('id', '=', BigInt(label.seq))
      .where('payout_id', '=', BigInt(label.payout.slice(1)))
      .where('part', '=', BigInt(label.part))
      .where('client_wallet_id', '=', one.walletId)
      .where('state', '=', 'settled')
      .executeTakeFirst();
    if (own && !there.has(own.payment_hash)) instead.push(one);
  }
  return instead;
}

function unknownAtClient({ hash, walletId, extra }: WalletPayment, certain: boolean): BridgeError {
  const may = certain
    ? 'An older copy of the ledger was restored'
    : 'An older copy of the ledger may have been restored, or the owner of the wallet wrote that';
  return new BridgeError(
    'ledger/restored',
    `LNbits shows payment ${hash} of this ledger (${extra.payout} for ${extra.client}), and the ledger does not know it: it arrived in wallet ${walletId}`,
    message`${may}. Another source wallet is to pay, so look at the one that paid until now: enter again what was entered after that copy was made (clients, fundings, settlements); then ${call('ledger.recover', { former_wallet_key: null })}. It recovers what that wallet paid since, and the ledger pays from the new one. Nothing is distributed or paid before.`,
  );
}

/** A recipient's wallet, and why it could not be read. */
export interface NotSeen {
  wallet: PaidInto;
  unseen: Unseen;
}

/** The error for a recipient who waits because of it, with the way out. */
export function notRead({ wallet, unseen }: NotSeen): BridgeError {
  const { id, former, recipient } = wallet;
  const set = call(recipient.kind === 'client' ? 'clients.set' : 'commission.set', {
    name: recipient.name,
    wallet_key: null,
  });
  const key = former
    ? 'Give'
    : message`If the wallet still exists, give a key that shows it: ${set}. Otherwise give`;
  return new BridgeError(
    'payout/wallet-unseen',
    `nothing was paid to ${recipient.name} from this source wallet yet, and whether another one paid it since the ledger was copied cannot be seen in ${former ? 'its former' : 'its'} wallet ${id}: ${unseen.why}`,
    message`${key} the admin key of the source wallet that paid before: ${call('ledger.recover', { former_wallet_key: null })}. If that wallet is gone, too, and no older copy of the ledger was restored, declare that: ${call('ledger.recover', { without_former_wallet: true, reason: null })}.`,
  );
}
