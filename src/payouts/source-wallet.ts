import { BridgeError } from '../errors.ts';
import { openClaims } from '../ledger/claims.ts';
import { creditsIn } from '../ledger/credits.ts';
import { record, type Who } from '../ledger/log.ts';
import type { Db, Ledger, Trx } from '../ledger/open.ts';
import { anyOpenPayment } from '../ledger/open-payouts.ts';
import { knownPayments } from '../ledger/payouts.ts';
import {
  BOUND,
  boundSourceWallet,
  type PaidInto,
  type WalletKey,
  walletsPaidInto,
  wasPaidFrom,
} from '../ledger/wallets.ts';
import type { Payment as Shown } from '../lnbits/client.ts';
import { paymentsIn, Unseen } from '../lnbits/one-wallet.ts';
import { proveRights } from '../lnbits/rights.ts';
import { now } from '../time.ts';
import { notAlone, strangeClaim } from './claim.ts';
import type { Context, SourceWallet } from './context.ts';
import { labelOf, madeByAnotherCopy, sealedElsewhere } from './label.ts';

/*
 * Which wallet the ledger pays from. A wallet that never paid for it cannot show what an older copy of the ledger lacks.
 * The one that paid can, by its key (`ledger recover`); else the clients' wallets are asked, all of them before another
 * source wallet is taken, and each once more before its recipient's first payment from it. One that cannot be asked is
 * never taken for one into which nothing was paid.
 */

/** Takes the wallet of the configuration. Errors: those of `refuseUnknownAtClients`, and `lnbits/rights`. */
export async function bindSourceWallet(ctx: Context): Promise<void> {
  if (await isBound(ctx)) return;
  await refuseUnknownAtClients(ctx);
  // A key that is shown nothing would hide what an older ledger lost, and each debit.
  const { walletId } = await proveRights(ctx.lnbits, ctx.source.key);
  await ctx.run.write((trx) => takeSourceWallet(trx, ctx.run.who, ctx.source.walletId, walletId));
}

export async function isBound({ ledger, source }: Pick<Context, 'ledger' | 'source'>): Promise<boolean> {
  return (await boundSourceWallet(ledger.db)) === source.walletId;
}

/**
 * Errors: `ledger/wallet-differs` where this wallet cannot be taken, `ledger/restored` where a client received what the
 * ledger does not know, and those that concern LNbits itself. A wallet that cannot be looked at stops nobody else: its
 * recipient is not paid (`lookBeforeFirst`).
 */
export async function refuseUnknownAtClients(ctx: Context): Promise<void> {
  const { ledger, lnbits, source, run } = ctx;
  // Refused here already while something is open: on LNbits before 1.4 the look would change what is open.
  await ledger.rehearse((trx) => takeSourceWallet(trx, run.who, source.walletId));
  if (await isAccountedFor(ledger.db, source.walletId)) return;
  for (const wallet of await walletsPaidInto(ledger.db, source.walletId)) {
    const shown = await paymentsIn(lnbits, source.key, wallet, { proven: true });
    if (shown instanceof Unseen) continue;
    const { certain, doubtful } = await unknownIn(ledger, source.walletId, shown);
    const [lost] = [...certain, ...doubtful];
    if (lost) throw unknownAtClient(lost, certain.includes(lost));
  }
}

/**
 * Before the first payment from this source wallet to a recipient: it cannot show what another wallet paid to him since
 * the ledger was copied, and each wallet that he has or had can. Answers why one cannot be looked at; null where all of
 * them show that there is nothing. Errors: `ledger/restored`, and those that concern LNbits itself.
 */
export async function lookBeforeFirst(ctx: Context, recipient: bigint): Promise<NotSeen | null> {
  const { ledger, lnbits, source } = ctx;
  for (const wallet of await walletsPaidInto(ledger.db, source.walletId)) {
    if (wallet.recipient.id !== recipient) continue;
    const its = { recipient, wallet: wallet.id };
    if (wallet.former && (await wasPaidFrom(ledger.db, source.walletId, its))) continue;
    // The present one has to show the invoice that is made next: `lookAtFirst`.
    const shown = await paymentsIn(lnbits, source.key, wallet, { proven: !wallet.former });
    const unseen = shown instanceof Unseen ? shown : await refuseUnknownIn(ctx, shown);
    if (unseen) return { wallet, unseen };
  }
  return null;
}

/** The same of the present wallet alone, once it has an invoice by which its key can show what it sees; null: it does not. */
export async function lookAtFirst(
  ctx: Context,
  wallet: WalletKey,
  invoice: string,
): Promise<Unseen | 'seen' | null> {
  const { lnbits, source } = ctx;
  const shown = await paymentsIn(lnbits, source.key, wallet, { proven: true });
  if (shown instanceof Unseen) return shown;
  if (!shown.some(({ hash }) => hash === invoice)) return null;
  return (await refuseUnknownIn(ctx, shown)) ?? 'seen';
}

/** Whether nothing was paid to it from this source wallet, nor does a person answer for what another one paid. */
export async function isFirst(
  { ledger, source }: Pick<Context, 'ledger' | 'source'>,
  recipient: bigint,
  wallet: string,
): Promise<boolean> {
  const paid = await wasPaidFrom(ledger.db, source.walletId, { recipient, wallet });
  return !paid && !(await isAccountedFor(ledger.db, source.walletId));
}

/** Throws `ledger/restored` for what another copy certainly made; what it may have made is answered. */
async function refuseUnknownIn(ctx: Context, shown: Shown[]): Promise<Unseen | null> {
  const { ledger, source, claim } = ctx;
  const { certain, doubtful } = await unknownIn(ledger, source.walletId, shown, claim?.nonce);
  if (certain[0]) {
    // The copy that made it may pay from this source wallet, too.
    const strange = await strangeClaim(ctx);
    throw strange ? notAlone(strange) : unknownAtClient(certain[0], true);
  }
  const [one] = doubtful;
  if (!one) return null;
  return new Unseen(`another copy of this ledger, or whose wallet it is, made payment ${one.hash}`);
}

/** What a client's wallet shows of payments that the ledger does not know. */
async function unknownIn(
  ledger: Ledger,
  source: string,
  shown: Shown[],
  own?: string,
): Promise<{ certain: Shown[]; doubtful: Shown[] }> {
  const received = shown.filter((one) => one.amountMsat > 0n && one.status === 'success');
  const known = await knownPayments(
    ledger.db,
    received.map(({ hash }) => hash),
  );
  const unknown = received.filter(({ hash }) => !known.has(hash));
  return {
    certain: await sealedElsewhere(ledger, unknown),
    doubtful: [
      ...(await madeByAnotherCopy(ledger, unknown, source)),
      ...(await ofBrokenOffRuns(ledger, unknown, own)),
      ...(await inPlaceOf(ledger, unknown, shown)),
    ],
  };
}

/** Those that another copy of the ledger certainly made, in the wallets that can be looked at. */
export async function paidByAnotherCopy(
  ledger: Ledger,
  { lnbits, source }: Pick<SourceWallet, 'lnbits' | 'source'>,
): Promise<Shown[]> {
  const certain: Shown[] = [];
  for (const wallet of await walletsPaidInto(ledger.db, source.walletId)) {
    const shown = await paymentsIn(lnbits, source.key, wallet, { proven: true });
    if (!(shown instanceof Unseen))
      certain.push(...(await unknownIn(ledger, source.walletId, shown)).certain);
  }
  return certain;
}

const ACCOUNTED = 'former payments accounted for';

/**
 * Writes down that the source wallets that paid before were looked at, or that a person answers for them: the clients'
 * wallets are not asked any more before `wallet` pays.
 */
export async function accountFor(trx: Trx, who: Who, wallet: string, reason?: string): Promise<void> {
  await record(trx, who, { at: now(), action: ACCOUNTED, subject: wallet, reason });
}

/** Since another wallet was the source wallet. */
async function isAccountedFor(db: Db, wallet: string): Promise<boolean> {
  const newest = await db
    .selectFrom('log')
    .select(['subject', 'action'])
    .where((eb) =>
      eb.or([eb('action', '=', ACCOUNTED), eb.and([eb('action', '=', BOUND), eb('subject', '<>', wallet)])]),
    )
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return newest?.action === ACCOUNTED && newest.subject === wallet;
}

/**
 * Those that were sealed under a claim of a run that did not end: of a copy that was made in the middle of it, and went on
 * with it. `own`: of this run, whose copies the source wallet shows.
 */
async function ofBrokenOffRuns({ db, seals }: Ledger, unknown: Shown[], own = ''): Promise<Shown[]> {
  const open = await openClaims(db);
  open.delete(own);
  return unknown.filter((one) => open.has(labelOf(seals, one)?.claim ?? ''));
}

/**
 * Those of `unknown` that stand in the place of a payment that arrived in this wallet, and that it does not show any more:
 * who copies a label out of a payment of his own has both. An invoice that was made and not kept has the number of the
 * payment that was made instead, and its owner can pay it himself.
 */
async function inPlaceOf({ db, seals }: Ledger, unknown: Shown[], shown: Shown[]): Promise<Shown[]> {
  const there = new Set(shown.map(({ hash }) => hash));
  const instead: Shown[] = [];
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

/**
 * Binds the ledger to a wallet. `paysFrom`: the one that its key pays from, where that is a shared one. Throws
 * `ledger/wallet-differs`, before it writes, where that one may not be taken.
 */
async function takeSourceWallet(
  trx: Trx,
  who: Who,
  wallet: string,
  paysFrom: string = wallet,
): Promise<void> {
  const bound = await boundSourceWallet(trx);
  if (bound === wallet) return;
  const client = await trx
    .selectFrom('recipients')
    .select('name')
    .where('wallet_id', 'in', [wallet, paysFrom])
    .executeTakeFirst();
  if (client) {
    throw new BridgeError(
      'ledger/wallet-differs',
      `the source wallet of the configuration is the wallet of ${client.name}`,
      'Set [lnbits] source_wallet_key to the admin key of the wallet that pays.',
    );
  }
  if (bound !== null) {
    const [credit] = await creditsIn(trx, ['sending', 'unknown']);
    if (credit) {
      throw new BridgeError(
        'ledger/wallet-differs',
        `what became of credit c${credit.id} of the source wallet ${bound} is not known yet, and the configuration names ${wallet}`,
        'Set the key of the former wallet again until `aio-dca credits list` shows nothing unknown.',
      );
    }
    if (await anyOpenPayment(trx)) {
      throw new BridgeError(
        'ledger/wallet-differs',
        `payments from the source wallet ${bound} are open, and the configuration names ${wallet}`,
        'Set the key of the former wallet again until `aio-dca payouts list` shows nothing open.',
      );
    }
  }
  await trx.updateTable('ledger').set({ source_wallet_id: wallet }).execute();
  await record(trx, who, {
    at: now(),
    action: BOUND,
    subject: wallet,
    before: { source_wallet_id: bound },
    after: { source_wallet_id: wallet },
  });
}

function unknownAtClient({ hash, walletId, extra }: Shown, certain: boolean): BridgeError {
  const may = certain
    ? 'An older copy of the ledger was put back'
    : 'An older copy of the ledger may have been put back, or whose wallet it is wrote that himself';
  return new BridgeError(
    'ledger/restored',
    `LNbits shows payment ${hash} of this ledger (${extra.payout} for ${extra.client}), and the ledger does not know it: it arrived in wallet ${walletId}`,
    `${may}. Another source wallet is to pay, so look at the one that paid until now: enter again what was entered after that copy was made (clients, fundings, settlements); then \`aio-dca ledger recover --former-wallet-key-file FILE\`. It puts back what that wallet paid since, and the ledger pays from the new one. Nothing is distributed or paid before.`,
  );
}

/** A wallet of a recipient, and why it could not be looked at. */
export interface NotSeen {
  wallet: PaidInto;
  unseen: Unseen;
}

/** What is told where a recipient waits because of it, and what helps. */
export function notLookedAt({ wallet, unseen }: NotSeen): BridgeError {
  const { id, former, recipient } = wallet;
  const set = `aio-dca ${recipient.kind === 'client' ? 'clients' : 'commission'} set ${recipient.name} --wallet-key-file FILE`;
  const key = former ? 'Let' : `If the wallet lives, give a key that shows it: \`${set}\`. Else let`;
  return new BridgeError(
    'payout/wallet-unseen',
    `nothing was paid to ${recipient.name} from this source wallet yet, and whether another one paid it since the ledger was copied cannot be seen in ${former ? 'its former' : 'its'} wallet ${id}: ${unseen.why}`,
    `${key} the source wallet that paid before tell it: \`aio-dca ledger recover --former-wallet-key-file FILE\`. If that is gone, too, and no older copy of the ledger was put back, say so: \`aio-dca ledger recover --without-former-wallet --reason "…"\`.`,
  );
}
