import { formatSats } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import {
  type Credit,
  creditArrived,
  creditsIn,
  delayCredits,
  dropCredit,
  holdCredit,
  knownHashes,
  loseCredit,
  newestMember,
  ownedHashes,
  seenHashes,
  sendCredit,
  takeBackCredit,
} from '../ledger/credits/credits.ts';
import { intendCredits, neededSats, waitsForSats } from '../ledger/credits/plan.ts';
import { isPaused } from '../ledger/payouts/pause.ts';
import type { LnbitsAdmin, Superuser } from '../lnbits/admin.ts';
import { isOfLnbits, keepsFromLnbits, saidByLnbits } from '../lnbits/answer.ts';
import type { LnbitsPlace, WalletPayment } from '../lnbits/wallet-client.ts';
import { checkedTooLongAgo } from './claim.ts';
import { creditWhatCameLate } from './late-credits.ts';
import { refuseIfNotAlone } from './preflight.ts';
import { rateTold } from './service-fee.ts';
import {
  actOf,
  isQuiet,
  type PayContext,
  reportProblem,
  timeOfPost,
  untilQuiet,
  wasSuspended,
} from './session.ts';

/** LNbits' limit for one credit, in satoshi. */
export const LARGEST_CREDIT = 10_000_000n;

export interface Crediting {
  lnbits: LnbitsPlace;
  /** The superuser's log-in, read when there is something to credit. */
  superuser(): Superuser;
  /** The most of one payment, which is LNbits' limit where it is lower than usual. */
  maximumSats: bigint;
}

/**
 * Credits the source wallet, once, with what has to be paid out of cash-outs that no credit covers yet. The order:
 *
 * 1. Find out what became of the credits that an earlier run sent, and which of those that were given up arrived late.
 * 2. Record the new credits.
 * 3. Ask LNbits for each of them, one after the other.
 *
 * `how` is null if crediting is off: then only the first step is done. Answers how many sats arrived. A failure of
 * LNbits ends the crediting, not the run: it is in `ctx.problems`, and it is the reason of each credit that is not
 * sent. Clients are paid from what the wallet holds.
 */
export async function creditSource(ctx: PayContext, how: Crediting | null): Promise<bigint> {
  let arrived = 0n;
  try {
    const sent = await creditsIn(ctx.ledger.db, ['sending', 'unknown']);
    for (const credit of sent) if (await conclude(ctx, credit, null)) arrived += credit.sats;
    const late = await creditWhatCameLate(
      ctx,
      sent.map(({ id }) => id),
    );
    arrived += late;
    const more = how && !ctx.signal.aborted ? await creditMore(ctx, how) : null;
    arrived += more ?? 0n;
    // A held credit may have arrived too, so the balance is refreshed.
    if (sent.length > 0 || late > 0n || more !== null)
      ctx.sourceWallet.balanceMsat = (await ctx.lnbits.wallet(ctx.sourceWallet.key)).balanceMsat;
  } catch (error) {
    if (!keepsFromLnbits(error)) throw error;
    reportProblem(ctx, error);
    if (how) await ctx.run.write((trx) => delayCredits(trx, error.message));
  }
  return arrived;
}

/** Records what is not covered, and sends it with what was recorded before; null if there is nothing. */
async function creditMore(ctx: PayContext, how: Crediting): Promise<bigint | null> {
  const wallet = ctx.sourceWallet.walletId;
  const largest = how.maximumSats < LARGEST_CREDIT ? how.maximumSats : LARGEST_CREDIT;
  const { db } = ctx.ledger;
  const intend = () =>
    ctx.run.write((trx) => intendCredits(trx, actOf(ctx), { wallet, largest, fee: ctx.toldFee }));
  const some =
    (await neededSats(db)) > 0n || (await creditsIn(db, ['intended'])).length > 0 || (await waitsForSats(db));
  if (!some) return null;
  // Imported here: most runs have nothing to credit.
  const { LnbitsAdmin } = await import('../lnbits/admin.ts');
  const admin = await logIn(LnbitsAdmin, ctx, how).catch(async (error: unknown) => {
    // The missing sats are recorded anyway, so that they are reported.
    await intend();
    throw error;
  });
  let arrived = 0n;
  try {
    ctx.toldFee = await admin.serviceFee().then(rateTold, orByPayments);
    await intend();
    const credits = await creditsIn(db, ['intended']);
    if (credits.length === 0) return null;
    for (const credit of credits) {
      // An error of one concerns the others, too.
      if (ctx.signal.aborted || !(await send(ctx, admin, credit))) break;
      arrived += credit.sats;
    }
  } finally {
    await admin.close();
  }
  return arrived;
}

async function logIn(Admin: typeof LnbitsAdmin, { clock }: PayContext, how: Crediting): Promise<LnbitsAdmin> {
  return await Admin.logIn(how.lnbits, how.superuser(), clock);
}

/** LNbits' settings, or, if a proxy hides them, the fee that its payments show. */
function orByPayments(error: unknown): undefined {
  if (!isOfLnbits(error)) throw error;
}

/** Whether it arrived. */
async function send(ctx: PayContext, admin: LnbitsAdmin, intended: Credit): Promise<boolean> {
  const shown = await ctx.lnbits.credits(ctx.sourceWallet.key, intended.sats);
  const doubt = await strangeCredit(ctx, intended, shown);
  if (doubt !== null) {
    const seen = JSON.stringify(shown.map(({ hash }) => hash));
    await ctx.run.write((trx) => holdCredit(trx, actOf(ctx), { ...intended, seen }, doubt));
    return false;
  }
  await refuseIfNotAlone(ctx);
  const sentAt = timeOfPost(ctx);
  const credit = await ctx.run.write(async (trx) => {
    if (await isPaused(trx)) return null;
    return sendCredit(
      trx,
      intended,
      shown.map(({ hash }) => hash),
      sentAt,
    );
  });
  if (credit === null) return false;
  if (wasSuspended(ctx, sentAt) || checkedTooLongAgo(ctx)) {
    await ctx.run.write((trx) => takeBackCredit(trx, credit, 'the run was suspended before it could send'));
    return false;
  }
  return conclude(ctx, credit, await ask(ctx, admin, credit));
}

/** The one request. Its answer proves nothing; only the source wallet shows the outcome. */
async function ask(ctx: PayContext, admin: LnbitsAdmin, { wallet_id, sats }: Credit): Promise<Answer> {
  try {
    await admin.credit(wallet_id, sats);
    return 'done';
  } catch (error) {
    if (!isOfLnbits(error)) throw error;
    reportProblem(ctx, error);
    return saidByLnbits(error) ? { refused: error.message } : null;
  }
}

/**
 * A credit of just this amount that LNbits shows, that was made since the cash-outs were confirmed, and that the ledger
 * does not know: an older copy of the ledger was restored, LNbits carried out an abandoned call, or somebody credited
 * it by hand. Answers a sentence about it; null if there is none.
 */
async function strangeCredit(
  ctx: PayContext,
  credit: Credit,
  shown: WalletPayment[],
): Promise<string | null> {
  const known = await knownHashes(ctx.ledger.db, credit.sats);
  const since = await newestMember(ctx.ledger.db, credit);
  const strange = shown.find(
    ({ hash, status, time }) => status !== 'failed' && !known.has(hash) && (time === null || time >= since),
  );
  if (!strange) return null;
  return `the source wallet shows a credit of ${formatSats(credit.sats)} since these cash-outs, which may be theirs: ${strange.hash}`;
}

/** LNbits' answer to the request of a credit, if there was one: then the request is over. */
type Answer = 'done' | { refused: string } | null;

/** Finds out what became of a credit that was sent, and records it: whether it arrived. */
async function conclude(ctx: PayContext, credit: Credit, answer: Answer): Promise<boolean> {
  const { run } = ctx;
  for (let looks = 1; ; looks += 1) {
    const verdict = await examineCredit(ctx, credit, answer).catch(async (error: unknown) => {
      if (error instanceof BridgeError) await run.write((trx) => loseCredit(trx, credit, error.message));
      throw error;
    });
    switch (verdict.do) {
      case 'arrive':
        await run.write((trx) => creditArrived(trx, actOf(ctx), credit, verdict.hash));
        return true;
      case 'take-back':
        await run.write((trx) => takeBackCredit(trx, credit, verdict.reason));
        return false;
      case 'drop':
        await run.write((trx) => dropCredit(trx, actOf(ctx), credit, verdict.reason));
        return false;
      case 'hold':
        await run.write((trx) => holdCredit(trx, actOf(ctx), credit, verdict.reason));
        return false;
      case 'wait': {
        if (looks > 1 || ctx.signal.aborted) {
          await run.write((trx) => loseCredit(trx, credit, verdict.reason));
          return false;
        }
        await untilQuiet(ctx, [credit.sent_at]);
      }
    }
  }
}

async function examineCredit(ctx: PayContext, credit: Credit, answer: Answer): Promise<CreditVerdict> {
  const quiet = isQuiet(ctx, credit.sent_at);
  // Up to LNbits 1.3, reading marks a pending credit as failed, and the call may still be running.
  if (!quiet && answer === null && !ctx.looksArePure)
    return { do: 'wait', reason: 'LNbits is asked after the quiet time' };
  const shown = await ctx.lnbits.credits(ctx.sourceWallet.key, credit.sats);
  const known = await ownedHashes(
    ctx.ledger.db,
    shown.map(({ hash }) => hash),
  );
  for (const hash of seenHashes(credit)) known.add(hash);
  const fresh = shown.filter(({ hash }) => !known.has(hash));
  return judgeCredit(fresh, { sats: credit.sats, answer, quiet });
}

/**
 * `arrive`: it happened. `take-back`: LNbits said no, so the same credit is sent again by a later run. `drop`: it did
 * not happen, and another one may follow. `hold`: the operator decides. `wait`: read the wallet again after the quiet
 * time.
 */
export type CreditVerdict =
  | { do: 'arrive'; hash: string }
  | { do: 'take-back' | 'drop' | 'hold' | 'wait'; reason: string };

/**
 * What became of a credit that was sent. `fresh`: the credits of its amount that LNbits shows, and did not show before
 * it was sent, and that prove no other credit. LNbits writes a credit in two commits, pending and success; a failed one
 * is none.
 */
export function judgeCredit(
  fresh: Pick<WalletPayment, 'hash' | 'status'>[],
  { sats, answer, quiet }: { sats: bigint; answer: Answer; quiet: boolean },
): CreditVerdict {
  const live = fresh.filter(({ status }) => status !== 'failed');
  const [one, another] = live;
  const amount = formatSats(sats);
  if (!one) {
    if (typeof answer === 'object' && answer !== null) return { do: 'take-back', reason: answer.refused };
    if (!quiet) return { do: 'wait', reason: `LNbits shows no new credit of ${amount} yet` };
    if (answer === null)
      return { do: 'drop', reason: `LNbits gave no answer, and shows no new credit of ${amount}` };
    return {
      do: 'hold',
      reason: `LNbits answered that it credited ${amount}, and the source wallet shows no such payment`,
    };
  }
  if (!another && one.status === 'success') return { do: 'arrive', hash: one.hash };
  const shown = live.map(({ hash, status }) => `${hash} (${status})`).join(', ');
  return {
    do: quiet ? 'hold' : 'wait',
    reason: another
      ? `the source wallet shows ${live.length} new credits of ${amount}, which may or may not be this one: ${shown}`
      : `LNbits began a credit of ${amount} and did not finish it: ${shown}`,
  };
}
