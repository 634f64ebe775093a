import { BridgeError, type ErrorCode } from '../errors.ts';
import { WANTS_MORE } from '../ledger/payouts/lack.ts';
import { inParts, splitPart } from '../ledger/payouts/parts.ts';
import { isPaused } from '../ledger/payouts/pause.ts';
import {
  deferPayment,
  deferPayout,
  holdPayout,
  markDead,
  markUnknown,
  openPayouts,
  type Payment,
  type Payout,
  partsOf,
  sendPayment,
  settlePayment,
  standOf,
  unsendPayment,
  walletOf,
} from '../ledger/payouts/payouts.ts';
import { feeOn, feeRate } from '../ledger/payouts/service-fee.ts';
import type { Db } from '../ledger/store/open.ts';
import { callsTooLittle, FellOver, isOfLnbits, RateLimited, saidByLnbits } from '../lnbits/answer.ts';
import type { Instant } from '../time.ts';
import { lack, noteLack, noteShortage, noteUnknownFee, readBalance } from './balance.ts';
import { overCeiling } from './ceiling.ts';
import { checkedTooLongAgo } from './claim.ts';
import type { Decision } from './decide.ts';
import { afterSuccess, examineFormer, examinePayment, type Former } from './evidence.ts';
import { extraOf, makeInvoice } from './invoice.ts';
import { SOURCE } from './label.ts';
import { keepPace } from './pace.ts';
import { refuseIfNotAlone } from './preflight.ts';
import { cappedFee, feeNow, noteNewFee } from './service-fee.ts';
import { actOf, isQuiet, note, type PayContext, timeOfPost, untilQuiet, wasSuspended } from './session.ts';

/** Errors that every payout would meet. */
const SAME_FOR_ALL: readonly ErrorCode[] = [
  'lnbits/key',
  'lnbits/rights',
  'lnbits/rate-limited',
  'lnbits/tls',
  'lnbits/redirect',
  'lnbits/proxy',
];
/** The most POSTs of one bolt11, and invoices of one part, in one run; the next run goes on. */
const TRIES = 2;

export interface Paid {
  settled: number;
  satsSettled: bigint;
  /** Whether LNbits failed before every payout had its turn. */
  stopped: boolean;
}

/**
 * Works on every open payout, one payment at a time: the clients' first, oldest first. A payout that cannot be paid, or at which LNbits
 * refuses or crashes, does not stop the others; two requests in a row without an answer do. At the end, payments that only had to
 * wait for the quiet time are checked again.
 */
export async function payAll(ctx: PayContext): Promise<Paid> {
  const fee = await feeRate(ctx.ledger.db);
  const paid: Paid = { settled: 0, satsSettled: 0n, stopped: false };
  let waits = await round(ctx, paid, await openPayouts(ctx.ledger.db));
  const sent = waits.filter(({ sentAt }) => sentAt !== null);
  if (sent.length > 0 && !paid.stopped && !ctx.signal.aborted) {
    await untilQuiet(
      ctx,
      sent.map(({ sentAt }) => sentAt),
    );
    const again = new Set(sent.map(({ payout }) => payout.id));
    const open = (await openPayouts(ctx.ledger.db)).filter(({ id }) => again.has(id));
    waits = [...waits.filter(({ payout }) => !again.has(payout.id)), ...(await round(ctx, paid, open))];
  }
  // An outcome that was found out within the run is no longer a problem of the run.
  for (const { refusal, payout } of waits) if (refusal) noteAnswer(ctx, refusal, payout);
  await noteShortage(ctx);
  await noteNewFee(ctx, fee);
  return paid;
}

/** A refusal or a 500 concerns the payout that met it; anything else concerns LNbits, and is reported once. */
function noteAnswer(ctx: PayContext, error: BridgeError, payout: Payout): void {
  const its = error.code === 'lnbits/refused' || error instanceof FellOver;
  note(ctx, error, its ? payout : undefined);
}

/** Whether LNbits crashes only at this payout, and still answers for the source wallet. */
async function isOfOnePayout(ctx: PayContext, error: BridgeError | null | undefined): Promise<boolean> {
  if (!(error instanceof FellOver)) return false;
  try {
    await readBalance(ctx);
    return true;
  } catch (again) {
    if (isOfLnbits(again)) return false;
    throw again;
  }
}

/** A payment with an unknown outcome. */
interface Wait {
  /** The time of a POST that has to become older; null if something else is needed. */
  sentAt: string | null;
  /** The answer, or network error, of the last POST, if nothing contradicts it. */
  refusal: BridgeError | null;
  /** Set if LNbits did not answer that POST. */
  silence: BridgeError | null;
}

async function round(ctx: PayContext, paid: Paid, payouts: Payout[]): Promise<(Wait & { payout: Payout })[]> {
  const waits: (Wait & { payout: Payout })[] = [];
  let unanswered = 0;
  for (const payout of payouts) {
    if (ctx.signal.aborted || paid.stopped || (await isPaused(ctx.ledger.db))) break;
    try {
      const wait = await payAtPace(ctx, payout, paid);
      if (wait) waits.push({ ...wait, payout });
      unanswered = wait?.silence && !(await isOfOnePayout(ctx, wait.silence)) ? unanswered + 1 : 0;
      if (wait?.silence && unanswered === 2) {
        note(ctx, wait.silence);
        break;
      }
    } catch (error) {
      if (!isOfLnbits(error)) throw error;
      await deferOrMarkUnknown(ctx, payout, error);
      const its = error.code === 'lnbits/refused' || (await isOfOnePayout(ctx, error));
      note(ctx, error, its ? payout : undefined);
      unanswered = its ? 0 : unanswered + 1;
      // A wrong key of the source wallet, or a rate limit, is the same for every payout.
      paid.stopped = unanswered === 2 || SAME_FOR_ALL.includes(error.code);
    }
  }
  return waits;
}

/** The same, at the pace that LNbits allows. */
async function payAtPace(ctx: PayContext, payout: Payout, paid: Paid): Promise<Wait | null> {
  for (;;) {
    try {
      const wait = await payPayout(ctx, payout, paid);
      ctx.limited = 0;
      return wait;
    } catch (error) {
      if (!(error instanceof RateLimited) || !(await keepPace(ctx))) throw error;
    }
  }
}

/** Pays the rest of one payout. Returns the time of a POST that has to become older first, if there is one. */
async function payPayout(ctx: PayContext, payout: Payout, paid: Paid): Promise<Wait | null> {
  const parts = await partsToPay(ctx, payout.id);
  const tooMuch = await overCeiling(ctx, payout.id, parts);
  if (tooMuch !== null) {
    await ctx.run.write((trx) => holdPayout(trx, actOf(ctx), payout.id, tooMuch));
    return null;
  }
  for (const { part, sats, payment: live } of parts) {
    if (live?.state === 'settled') continue;
    if (ctx.signal.aborted) return null;
    const end = await payPart(ctx, payout, { part, sats }, live);
    if (end !== 'settled') return end;
    paid.satsSettled += sats;
  }
  paid.settled += 1;
  return null;
}

/**
 *  The parts of a payout. First splits parts that are now too large for one payment, unless a payment of them may still
 *  arrive.
 */
async function partsToPay(ctx: PayContext, payout: bigint): ReturnType<typeof partsOf> {
  const { ledger, run, maximumSats } = ctx;
  const parts = await partsOf(ledger.db, payout);
  const large = parts.filter(({ payment, sats }) => payment === undefined && sats > maximumSats);
  if (large.length === 0) return parts;
  await run.write(async (trx) => {
    for (const { part, sats } of large)
      await splitPart(trx, actOf(ctx), { payout, part, sats }, inParts(sats, maximumSats));
  });
  return await partsOf(ledger.db, payout);
}

/** Null if nothing is to be waited for, and the rest of the payout is left to another run or to the operator. */
async function payPart(
  ctx: PayContext,
  payout: Payout,
  { part, sats }: { part: bigint; sats: bigint },
  live: Payment | undefined,
): Promise<'settled' | Wait | null> {
  let refused: BridgeError | null = null;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const old = tries === 0 ? live : undefined;
    const payment = old ?? (await makeInvoice(ctx, payout, part, sats));
    if (!payment) return null;
    const decision = await attemptPayment(ctx, payout, payment, old === undefined);
    switch (decision.do) {
      case 'settle':
        payment.fee_msat = cappedFee(ctx.fees.get(payment.payment_hash) ?? 0n, sats * 1000n);
        await ctx.run.write((trx) => settlePayment(trx, actOf(ctx), payment));
        ctx.source.balanceMsat -= sats * 1000n + payment.fee_msat;
        return 'settled';
      case 'abandon':
        await ctx.run.write((trx) => markDead(trx, actOf(ctx), payment, decision.reason));
        refused = decision.refusal ?? null;
        break;
      case 'hold':
        await ctx.run.write(async (trx) => {
          await markUnknown(trx, payment, decision.reason);
          await holdPayout(trx, actOf(ctx), payout.id, decision.reason);
        });
        return null;
      case 'defer':
        if (decision.refusal && !SAME_FOR_ALL.includes(decision.refusal.code))
          decision.reason = await noteRefusal(ctx, payout, sats, decision.refusal);
        await ctx.run.write((trx) => deferPayment(trx, payment, decision.reason));
        if (decision.refusal && SAME_FOR_ALL.includes(decision.refusal.code)) throw decision.refusal;
        return null;
      case 'wait': {
        const { refusal = null, silence = null, refused = false } = decision;
        await ctx.run.write((trx) =>
          refused ? deferPayout(trx, payout.id, decision.reason) : markUnknown(trx, payment, decision.reason),
        );
        return { sentAt: decision.early ? payment.sent_at : null, refusal, silence };
      }
      case 'stop':
        return null;
    }
  }
  const said = refused && (await noteRefusal(ctx, payout, sats, refused));
  const why = `its invoices failed at LNbits${said ? `: ${said}` : ''}`;
  await ctx.run.write((trx) => deferPayout(trx, payout.id, why));
  return null;
}

/**
 * LNbits refused a payment: the balance is too small, e.g. because sats left the wallet meanwhile, or because of this payout.
 * Answers why the payout is deferred.
 */
async function noteRefusal(
  ctx: PayContext,
  payout: Payout,
  sats: bigint,
  refusal: BridgeError,
): Promise<string> {
  await readBalance(ctx);
  const why = await lack(ctx, payout, sats, feeOn(sats, await feeNow(ctx)));
  if (why !== null) noteLack(ctx, why);
  else if (callsTooLittle(refusal)) {
    noteUnknownFee(ctx, payout, sats);
    return `${WANTS_MORE}: ${refusal.message}`;
  } else note(ctx, refusal, payout);
  return refusal.message;
}

type Outcome = (
  | (Exclude<Former, { do: 'send' }> & Partial<Pick<Wait, 'refusal' | 'silence'>>)
  | { do: 'defer'; reason: string; refusal?: BridgeError }
  /** The program was asked to stop, or paying was paused: the payment stays as it is. */
  | { do: 'stop' }
) & {
  /** The wallets were read within the quiet time of the last POST: later they may show more. */
  early?: boolean;
};

/** Sends one payment as often as both sides allow, and returns its outcome. Updates `payment.sent_at`. */
async function attemptPayment(
  ctx: PayContext,
  payout: Payout,
  payment: Payment,
  fresh: boolean,
): Promise<Outcome> {
  let early = !isQuiet(ctx, payment.sent_at);
  let decision: Decision = fresh ? { do: 'send' } : await examineAgain(ctx, payment);
  if (!fresh && decision.do === 'send') {
    const short = await lack(ctx, payout, payment.sats);
    if (short !== null && (payment.state === 'invoiced' || payout.kind === 'commission')) {
      noteLack(ctx, short);
      return { do: payment.state === 'invoiced' ? 'defer' : 'wait', reason: short, early };
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
      early = !isQuiet(ctx, payment.sent_at);
      return { ...(await examineFormer(ctx, payment)), early } as Outcome;
    }
    // Nothing that was sent of it before is under way.
    const alone = isQuiet(ctx, payment.sent_at) || ctx.answered.has(payment.id);
    const late = tooLate(ctx, sentAt);
    if (late !== null) {
      await ctx.run.write((trx) => unsendPayment(trx, payment, before));
      stood += 1;
      posts -= 1;
      if (stood < TRIES) continue;
      return { do: alone ? 'defer' : 'wait', reason: late, early };
    }
    payment.sent_at = sentAt;
    const refusal = await post(ctx, payment, extra, alone);
    early = !isQuiet(ctx, sentAt);
    if (refusal === null) return { ...(await afterSuccess(ctx, payment)), early } as Outcome;
    if (refusal instanceof RateLimited) {
      // LNbits counts requests before it does anything with them, or this one was not sent: nothing has to be looked at.
      posts -= 1;
      if (alone) await ctx.run.write((trx) => deferPayment(trx, payment, refusal.message));
      if (await keepPace(ctx)) continue;
      if (ctx.signal.aborted) return { do: 'stop' };
      throw refusal;
    }
    decision = await examinePayment(ctx, payment);
    const silence = saidByLnbits(refusal) ? null : refusal;
    if (decision.do === 'wait') return { ...decision, silence, early };
    const answered = ctx.answered.has(payment.id);
    if (decision.do === 'abandon') return { ...decision, refusal };
    if (decision.do !== 'send' || (!answered && posts + 1 < TRIES)) continue;
    if (!answered) return { do: 'wait', reason: refusal.message, refusal, silence, early };
    return { do: 'defer', reason: refusal.message, refusal };
  }
  return { ...decision, early };
}

/** Why a POST is not made after all; null: it is. */
function tooLate(ctx: PayContext, sentAt: Instant): string | null {
  if (wasSuspended(ctx, sentAt)) return 'this run was suspended before it could send';
  return checkedTooLongAgo(ctx) ? 'LNbits took too long to show that no other copy of the ledger pays' : null;
}

/**
 *  For a payment that an earlier run left open: if it may have been sent, it stays with the wallet that its invoice was
 *  made in.
 */
async function examineAgain(ctx: PayContext, payment: Payment): Promise<Decision> {
  const former = payment.state === 'invoiced' && !(await isOwn(ctx.ledger.db, payment));
  return former ? examineFormer(ctx, payment) : examinePayment(ctx, payment);
}

/** Whether the invoice is in the wallet that its recipient is paid into now. */
async function isOwn(db: Db, payment: Payment): Promise<boolean> {
  return (await walletOf(db, payment.payout_id)).id === payment.client_wallet_id;
}

/** One POST. Null if LNbits says that it paid, else its answer or the network's error. Only the wallets show the outcome. */
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

/** LNbits did not answer during a payout: payments under way become unknown, the rest is tried later. */
async function deferOrMarkUnknown(ctx: PayContext, payout: Payout, error: BridgeError): Promise<void> {
  const parts = await partsOf(ctx.ledger.db, payout.id);
  await ctx.run.write(async (trx) => {
    const lost = parts.find(({ payment }) => payment?.state === 'sending' || payment?.state === 'unknown');
    if (lost?.payment) await markUnknown(trx, lost.payment, error.message);
    else await deferPayout(trx, payout.id, error.message);
  });
}
