import { BridgeError } from '../errors.ts';
import { isPaused } from '../ledger/payouts/pause.ts';
import {
  deferPayment,
  type Payment,
  type Payout,
  sendPayment,
  standOf,
  unsendPayment,
  walletOf,
} from '../ledger/payouts/payouts.ts';
import type { Db } from '../ledger/store/open.ts';
import type { Lack } from '../ledger/store/schema.ts';
import { RateLimited, saidByLnbits, TooLittle } from '../lnbits/answer.ts';
import type { Instant } from '../time.ts';
import { lack, reportLack } from './balance.ts';
import { checkedTooLongAgo } from './claim.ts';
import type { Decision } from './decide.ts';
import { afterSuccess, examineFormer, examinePayment } from './evidence.ts';
import { extraOf, SOURCE } from './label.ts';
import { keepPace } from './pace.ts';
import { refuseIfNotAlone } from './preflight.ts';
import { actOf, isQuiet, type PayContext, timeOfPost, wasSuspended } from './session.ts';

/** The most POSTs of one bolt11 in one run, and suspensions right before one; the next run goes on. */
const POSTS = 2;

/** One payment, for as long as a run works on it. */
export interface Attempt {
  payout: Payout;
  /** Its `sent_at` is that of the last POST. */
  payment: Payment;
  /** Whether its invoice was just made: then there is nothing to examine yet. */
  fresh: boolean;
  /** The wallets were read within the quiet time of the last POST: later they may show more. */
  early: boolean;
}

/** What became of a payment in an attempt. */
type AttemptOutcome =
  | { do: 'settle' }
  | { do: 'hold'; reason: string }
  | { do: 'abandon' | 'defer'; reason: string; refusal?: BridgeError; lack?: Lack | null }
  | {
      do: 'wait';
      reason: string;
      /** The answer, or network error, of the last POST, if nothing contradicts it. */
      refusal?: BridgeError;
      /** Set if LNbits did not answer that POST. */
      silence?: BridgeError | null;
      /** Every POST of it was refused, so its outcome is not in doubt while it waits. */
      refused?: true;
      lack?: Lack | null;
    }
  /** The program was asked to stop, or paying was paused: the payment stays as it is. */
  | { do: 'stop' };

/** Sends one payment as often as both sides allow, and answers its outcome. */
export async function attemptPayment(ctx: PayContext, attempt: Attempt): Promise<AttemptOutcome> {
  const { payout, payment, fresh } = attempt;
  let decision: Decision = fresh ? { do: 'send' } : await examineAgain(ctx, attempt);
  if (!fresh && decision.do === 'send') {
    const short = await lack(ctx, payout, payment.sats);
    if (short !== null && (payment.state === 'invoiced' || payout.kind === 'commission')) {
      reportLack(ctx, short);
      return { do: payment.state === 'invoiced' ? 'defer' : 'wait', reason: short, lack: 'sats' };
    }
  }
  let stood = 0;
  for (let posts = 0; decision.do === 'send'; posts += 1) {
    if (ctx.signal.aborted) return { do: 'stop' };
    const extra = await extraOf(ctx, payout, payment, SOURCE);
    await refuseIfNotAlone(ctx);
    const sentAt = timeOfPost(ctx);
    const before = await ctx.run.write(async (trx) => {
      if (await isPaused(trx)) return 'paused';
      const stand = await standOf(trx, payment);
      if (stand.state === 'invoiced' && !(await isOwn(trx, payment))) return 'former';
      await sendPayment(trx, actOf(ctx, sentAt), payment);
      return stand;
    });
    if (before === 'paused') return { do: 'stop' };
    if (before === 'former') {
      attempt.early = !isQuiet(ctx, payment.sent_at);
      return (await examineFormer(ctx, payment)) as AttemptOutcome;
    }
    // Nothing that was sent of it before is under way.
    const alone = isQuiet(ctx, payment.sent_at) || ctx.answered.has(payment.id);
    const late = tooLate(ctx, sentAt);
    if (late !== null) {
      await ctx.run.write((trx) => unsendPayment(trx, payment, before));
      stood += 1;
      posts -= 1;
      if (stood < POSTS) continue;
      return { do: alone ? 'defer' : 'wait', reason: late };
    }
    payment.sent_at = sentAt;
    const refusal = await post(ctx, payment, extra, alone);
    attempt.early = !isQuiet(ctx, sentAt);
    if (refusal === null) return (await afterSuccess(ctx, payment)) as AttemptOutcome;
    if (refusal instanceof RateLimited) {
      // LNbits counts requests before it does anything with them, or this one was not sent: nothing has to be looked
      // at.
      posts -= 1;
      if (alone) await ctx.run.write((trx) => deferPayment(trx, payment, refusal.message));
      if (await keepPace(ctx)) continue;
      if (ctx.signal.aborted) return { do: 'stop' };
      throw refusal;
    }
    decision = await examinePayment(ctx, payment);
    const silence = saidByLnbits(refusal) ? null : refusal;
    if (decision.do === 'wait') return { ...decision, silence };
    const answered = ctx.answered.has(payment.id);
    if (decision.do === 'abandon') return { ...decision, refusal };
    if (decision.do !== 'send' || (!answered && posts + 1 < POSTS)) continue;
    if (!answered) {
      const lacks = refusal instanceof TooLittle ? 'sats' : null;
      return { do: 'wait', reason: refusal.message, refusal, silence, lack: lacks };
    }
    return { do: 'defer', reason: refusal.message, refusal };
  }
  return decision;
}

/** Why a POST is not made after all; null: it is. */
function tooLate(ctx: PayContext, sentAt: Instant): string | null {
  if (wasSuspended(ctx, sentAt)) return 'this run was suspended before it could send';
  return checkedTooLongAgo(ctx) ? 'LNbits took too long to show that no other copy of the ledger pays' : null;
}

/**
 * For a payment that an earlier run left open: if it may have been sent, it stays with the wallet that its invoice was
 * made in.
 */
async function examineAgain(ctx: PayContext, attempt: Attempt): Promise<Decision> {
  const { payment } = attempt;
  attempt.early = !isQuiet(ctx, payment.sent_at);
  const former = payment.state === 'invoiced' && !(await isOwn(ctx.ledger.db, payment));
  return former ? examineFormer(ctx, payment) : examinePayment(ctx, payment);
}

/** Whether the invoice is in the wallet that its recipient is paid into now. */
async function isOwn(db: Db, payment: Payment): Promise<boolean> {
  return (await walletOf(db, payment.payout_id)).id === payment.client_wallet_id;
}

/**
 * One POST. Null if LNbits says that it paid, else its answer or the network's error. Only the wallets show the
 * outcome.
 */
async function post(
  ctx: PayContext,
  payment: Payment,
  extra: Record<string, unknown>,
  alone: boolean,
): Promise<BridgeError | null> {
  // Answered by LNbits itself, and no other POST of it may be running: whatever it did is over.
  const answered = () => alone && ctx.answered.add(payment.id);
  try {
    const { status, feeMsat } = await ctx.destination.pay({ bolt11: payment.bolt11, extra });
    ctx.fees.set(payment.payment_hash, feeMsat);
    answered();
    return status === 'success'
      ? null
      : new BridgeError('lnbits/refused', `LNbits answered that the payment is ${status}`);
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    if (saidByLnbits(error)) answered();
    else ctx.answered.delete(payment.id);
    return error;
  }
}
