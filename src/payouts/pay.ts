import type { BridgeError, ErrorCode } from '../errors.ts';
import { openPayouts } from '../ledger/payouts/open-payouts.ts';
import { inParts, splitPart } from '../ledger/payouts/parts.ts';
import { isPaused } from '../ledger/payouts/pause.ts';
import {
  deferPayment,
  deferPayout,
  holdPayout,
  markDead,
  markUnknown,
  type Payment,
  type Payout,
  partsOf,
  settlePayment,
} from '../ledger/payouts/payouts.ts';
import { feeOn, feeRate } from '../ledger/payouts/service-fee.ts';
import type { Lack } from '../ledger/store/schema.ts';
import { FellOver, isOfLnbits, RateLimited, TooLittle } from '../lnbits/answer.ts';
import { type Attempt, attemptPayment } from './attempt.ts';
import { lack, readBalance, reportLack, reportShortage, reportUnknownFee } from './balance.ts';
import { overCeiling } from './ceiling.ts';
import { makeInvoice } from './invoice.ts';
import { keepPace } from './pace.ts';
import { cappedFee, feeNow, reportNewFee } from './service-fee.ts';
import { actOf, type PayContext, reportProblem, untilQuiet } from './session.ts';

/** Errors that every payout would meet. */
const SAME_FOR_ALL: readonly ErrorCode[] = [
  'lnbits/key',
  'lnbits/rights',
  'lnbits/rate-limited',
  'lnbits/tls',
  'lnbits/redirect',
  'lnbits/proxy',
];
/** The most invoices of one part in one run; the next run goes on. */
const INVOICES = 2;

/** As far as is known, the sats are there, but no payment has shown LNbits' service fee yet. */
const WANTS_MORE =
  'the source wallet holds what is due by what is known, and LNbits wants more, as for a service fee';

export interface Paid {
  settled: number;
  satsSettled: bigint;
  /** Whether LNbits failed before every payout had its turn. */
  stopped: boolean;
}

/**
 * Works on every open payout, one payment at a time: the clients' first, oldest first. A payout that cannot be paid, or
 * at which LNbits refuses or crashes, does not stop the others; two requests in a row without an answer do. At the end,
 * payments that only had to wait for the quiet time are checked again.
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
  for (const { refusal, payout } of waits) if (refusal) reportAnswer(ctx, refusal, payout);
  await reportShortage(ctx);
  await reportNewFee(ctx, fee);
  return paid;
}

/** A refusal or a 500 concerns the payout that met it; anything else concerns LNbits, and is reported once. */
function reportAnswer(ctx: PayContext, error: BridgeError, payout: Payout): void {
  const its = error.code === 'lnbits/refused' || error instanceof FellOver;
  reportProblem(ctx, error, its ? payout : undefined);
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
interface UnknownOutcome {
  /** The time of a POST that has to become older; null if something else is needed. */
  sentAt: string | null;
  /** As of the outcome. */
  refusal: BridgeError | null;
  silence: BridgeError | null;
}

async function round(
  ctx: PayContext,
  paid: Paid,
  payouts: Payout[],
): Promise<(UnknownOutcome & { payout: Payout })[]> {
  const waits: (UnknownOutcome & { payout: Payout })[] = [];
  let unanswered = 0;
  for (const payout of payouts) {
    if (ctx.signal.aborted || paid.stopped || (await isPaused(ctx.ledger.db))) break;
    try {
      const wait = await payAtPace(ctx, payout, paid);
      if (wait) waits.push({ ...wait, payout });
      unanswered = wait?.silence && !(await isOfOnePayout(ctx, wait.silence)) ? unanswered + 1 : 0;
      if (wait?.silence && unanswered === 2) {
        reportProblem(ctx, wait.silence);
        break;
      }
    } catch (error) {
      if (!isOfLnbits(error)) throw error;
      await deferOrMarkUnknown(ctx, payout, error);
      const its = error.code === 'lnbits/refused' || (await isOfOnePayout(ctx, error));
      reportProblem(ctx, error, its ? payout : undefined);
      unanswered = its ? 0 : unanswered + 1;
      // A wrong key of the source wallet, or a rate limit, is the same for every payout.
      paid.stopped = unanswered === 2 || SAME_FOR_ALL.includes(error.code);
    }
  }
  return waits;
}

/** The same, at the pace that LNbits allows. */
async function payAtPace(ctx: PayContext, payout: Payout, paid: Paid): Promise<UnknownOutcome | null> {
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
async function payPayout(ctx: PayContext, payout: Payout, paid: Paid): Promise<UnknownOutcome | null> {
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
  ctx.onPaid?.(payout);
  return null;
}

/**
 * The parts of a payout. First splits parts that are now too large for one payment, unless a payment of them may still
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
): Promise<'settled' | UnknownOutcome | null> {
  let refused: BridgeError | null = null;
  for (let tries = 0; tries < INVOICES; tries += 1) {
    const old = tries === 0 ? live : undefined;
    const payment = old ?? (await makeInvoice(ctx, payout, part, sats));
    if (!payment) return null;
    const attempt: Attempt = { payout, payment, fresh: old === undefined, early: false };
    const outcome = await attemptPayment(ctx, attempt);
    switch (outcome.do) {
      case 'settle':
        payment.fee_msat = cappedFee(ctx.fees.get(payment.payment_hash) ?? 0n, sats * 1000n);
        await ctx.run.write((trx) => settlePayment(trx, actOf(ctx), payment));
        ctx.sourceWallet.balanceMsat -= sats * 1000n + payment.fee_msat;
        return 'settled';
      case 'abandon':
        await ctx.run.write((trx) => markDead(trx, actOf(ctx), payment, outcome.reason));
        refused = outcome.refusal ?? null;
        break;
      case 'hold':
        await ctx.run.write(async (trx) => {
          await markUnknown(trx, payment, outcome.reason);
          await holdPayout(trx, actOf(ctx), payout.id, outcome.reason);
        });
        return null;
      case 'defer':
        if (outcome.refusal && !SAME_FOR_ALL.includes(outcome.refusal.code))
          Object.assign(outcome, await reportRefusal(ctx, payout, sats, outcome.refusal));
        await ctx.run.write((trx) => deferPayment(trx, payment, outcome.reason, outcome.lack));
        if (outcome.refusal && SAME_FOR_ALL.includes(outcome.refusal.code)) throw outcome.refusal;
        return null;
      case 'wait': {
        const { reason, lack, refusal = null, silence = null, refused = false } = outcome;
        await ctx.run.write((trx) =>
          refused ? deferPayout(trx, payout.id, reason) : markUnknown(trx, payment, reason, lack),
        );
        return { sentAt: attempt.early ? payment.sent_at : null, refusal, silence };
      }
      case 'stop':
        return null;
    }
  }
  const said = refused && (await reportRefusal(ctx, payout, sats, refused));
  const why = `its invoices failed at LNbits${said ? `: ${said.reason}` : ''}`;
  await ctx.run.write((trx) => deferPayout(trx, payout.id, why, said?.lack));
  return null;
}

/**
 * LNbits refused a payment: the balance is too small, e.g. because sats left the wallet meanwhile, or because of this
 * payout. Answers why the payout is deferred, and what the source wallet lacks for it.
 */
async function reportRefusal(
  ctx: PayContext,
  payout: Payout,
  sats: bigint,
  refusal: BridgeError,
): Promise<{ reason: string; lack: Lack | null }> {
  await readBalance(ctx);
  const { message } = refusal;
  const why = await lack(ctx, payout, sats, feeOn(sats, await feeNow(ctx)));
  const isTooLittle = refusal instanceof TooLittle;
  if (why !== null) reportLack(ctx, why);
  else if (isTooLittle) {
    reportUnknownFee(ctx, payout, sats);
    return { reason: `${WANTS_MORE}: ${message}`, lack: 'fee' };
  } else reportProblem(ctx, refusal, payout);
  return { reason: message, lack: isTooLittle ? 'sats' : null };
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
