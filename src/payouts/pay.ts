import { setTimeout as sleep } from 'node:timers/promises';
import { Secret } from '../config/secret.ts';
import { formatDecimal, groupDigits } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import {
  addPayment,
  buryPayment,
  cashOutsOf,
  deferPayment,
  deferPayout,
  holdPayout,
  loseSight,
  nextPayment,
  openPayouts,
  type Payment,
  type Payout,
  partsOf,
  sendPayment,
  settlePayment,
} from '../ledger/payouts.ts';
import { now, toMs } from '../time.ts';
import { type Context, clientSide, isGone, isQuiet, sourceSide, walletKey } from './context.ts';
import { type Decision, decide } from './decide.ts';

/** A POST follows its committed `sending` at once; a process that stood still in between does not send. */
const STALE_MS = 5_000;
const INVOICE_EXPIRY_SECONDS = 86_400;
/** POSTs of one bolt11 and invoices of one part in one run; the next run goes on. */
const TRIES = 2;

export interface Paid {
  settled: number;
  satsSettled: bigint;
  /** Whether LNbits put an end to it before every payout had its turn. */
  stopped: boolean;
}

/**
 * Works on every open payout, oldest first, one payment at a time. A payout that cannot be paid does not stop the
 * others; LNbits not answering twice in a row does. At the end, payments that only need the quiet time to pass are
 * looked at once more.
 */
export async function payAll(ctx: Context): Promise<Paid> {
  const paid: Paid = { settled: 0, satsSettled: 0n, stopped: false };
  const waiting = await round(ctx, paid, await openPayouts(ctx.ledger.db));
  if (waiting.length > 0 && !paid.stopped && !ctx.signal.aborted) {
    const until = Math.max(...waiting.map(({ sentAt }) => toMs(sentAt) + ctx.quietMs));
    await sleep(Math.max(0, until - Date.now()), undefined, { signal: ctx.signal }).catch(() => {});
    const again = new Set(waiting.map(({ payout }) => payout));
    await round(
      ctx,
      paid,
      (await openPayouts(ctx.ledger.db)).filter(({ id }) => again.has(id)),
    );
  }
  return paid;
}

type Waiting = { payout: bigint; sentAt: string };

async function round(ctx: Context, paid: Paid, payouts: Payout[]): Promise<Waiting[]> {
  const waiting: Waiting[] = [];
  let unanswered = 0;
  for (const payout of payouts) {
    if (ctx.signal.aborted || paid.stopped || (await isPaused(ctx))) break;
    try {
      const end = await payPayout(ctx, payout, paid);
      if (end) waiting.push({ payout: payout.id, sentAt: end });
      unanswered = 0;
    } catch (error) {
      if (!(error instanceof BridgeError) || !error.code.startsWith('lnbits/')) throw error;
      await giveUpForNow(ctx, payout, error);
      ctx.problems.set(error.code, error);
      unanswered += 1;
      // A wrong key of the source wallet, or a rate limit, is the same for every payout.
      paid.stopped = unanswered === 2 || error.code === 'lnbits/key' || error.code === 'lnbits/rate-limited';
    }
  }
  return waiting;
}

/** Pays what is left of one payout. Answers the time of the POST that must become older first, if that is all. */
async function payPayout(ctx: Context, payout: Payout, paid: Paid): Promise<string | null> {
  for (const { part, sats, payment: live } of await partsOf(ctx.ledger.db, payout.id)) {
    if (live?.state === 'settled') continue;
    const end = await payPart(ctx, payout, { part, sats }, live);
    if (end.do === 'wait') return end.sentAt;
    if (end.do !== 'settle') return null;
    paid.satsSettled += sats;
    if (ctx.signal.aborted) return null;
  }
  paid.settled += 1;
  return null;
}

type End = { do: 'settle' } | { do: 'stop' } | { do: 'wait'; sentAt: string | null };

async function payPart(
  ctx: Context,
  payout: Payout,
  { part, sats }: { part: bigint; sats: bigint },
  live: Payment | undefined,
): Promise<End> {
  let payment = live;
  for (let invoices = 0; invoices < TRIES; invoices += 1) {
    const fresh = !payment;
    payment ??= await makeInvoice(ctx, payout, part, sats);
    if (!payment) return { do: 'stop' };
    const decision = await bringToAnEnd(ctx, payout, payment, fresh);
    switch (decision.do) {
      case 'settle': {
        const arrived = payment;
        await ctx.run.write((trx) => settlePayment(trx, arrived, now()));
        ctx.source.balanceMsat -= sats * 1000n;
        return { do: 'settle' };
      }
      case 'bury': {
        const dead = payment;
        await ctx.run.write((trx) => buryPayment(trx, ctx.run.who, dead, decision.reason, now()));
        payment = undefined;
        break;
      }
      case 'hold':
        await ctx.run.write(async (trx) => {
          if (payment) await loseSight(trx, payment, decision.reason);
          await holdPayout(trx, ctx.run.who, payout.id, decision.reason, now());
        });
        return { do: 'stop' };
      case 'defer':
        await ctx.run.write((trx) => deferPayment(trx, payment as Payment, decision.reason));
        return { do: 'stop' };
      case 'wait':
        await ctx.run.write((trx) => loseSight(trx, payment as Payment, decision.reason));
        return { do: 'wait', sentAt: isQuiet(ctx, payment.sent_at) ? null : payment.sent_at };
      case 'stop':
        return { do: 'stop' };
    }
  }
  await ctx.run.write((trx) => deferPayout(trx, payout.id, 'its invoices failed at LNbits'));
  return { do: 'stop' };
}

type Outcome =
  | Exclude<Decision, { do: 'send' }>
  | { do: 'defer'; reason: string }
  /** The program was asked to stop, or paying was paused: the payment stays as it is. */
  | { do: 'stop' };

/** Sends one payment as often as both sides allow, and says what became of it. Updates `payment.sent_at`. */
async function bringToAnEnd(
  ctx: Context,
  payout: Payout,
  payment: Payment,
  fresh: boolean,
): Promise<Outcome> {
  let decision: Decision = fresh ? { do: 'send' } : await look(ctx, payment);
  for (let posts = 0; decision.do === 'send'; posts += 1) {
    if (ctx.signal.aborted) return { do: 'stop' };
    const sentAt = now();
    const sent = await ctx.run.write(async (trx) => {
      const { paused_at } = await trx.selectFrom('ledger').select('paused_at').executeTakeFirstOrThrow();
      if (paused_at !== null) return false;
      await sendPayment(trx, payment, sentAt);
      return true;
    });
    if (!sent) return { do: 'stop' };
    const alone = isQuiet(ctx, payment.sent_at) || ctx.answered.has(payment.id);
    payment.sent_at = sentAt;
    if (Date.now() - toMs(sentAt) > STALE_MS)
      return { do: 'wait', reason: 'this run stood still before it could send' };
    const refusal = await post(ctx, payout, payment, alone);
    if (refusal === null) return (await afterSuccess(ctx, payment)) as Outcome;
    decision = await look(ctx, payment);
    if (decision.do === 'send' && ctx.answered.has(payment.id)) return { do: 'defer', reason: refusal };
    if (decision.do === 'send' && posts + 1 >= TRIES) return { do: 'wait', reason: refusal };
  }
  return decision;
}

/** One POST. Null where LNbits says that it paid; else what it, or the network, said. Either way only a look tells. */
async function post(ctx: Context, payout: Payout, payment: Payment, alone: boolean): Promise<string | null> {
  // Answered by LNbits itself, and no other POST of it may be running: whatever it did is over.
  const answered = () => alone && ctx.answered.add(payment.id);
  const extra = await extraOf(ctx, payout, payment);
  try {
    const { status } = await ctx.lnbits.pay(ctx.source.key, { bolt11: payment.bolt11, extra });
    answered();
    return status === 'success' ? null : `LNbits answered that the payment is ${status}`;
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    if (error.code === 'lnbits/unreachable') {
      ctx.answered.delete(payment.id);
      ctx.problems.set(error.code, error);
    } else {
      answered();
    }
    return error.message;
  }
}

/** After a POST that LNbits answered with a success, which is the source's side: did it arrive? */
async function afterSuccess(ctx: Context, payment: Payment): Promise<Decision> {
  return decide(await clientSide(ctx, payment), 'success', {
    sent: true,
    quiet: isQuiet(ctx, payment.sent_at),
  });
}

/**
 * Looks at both sides of a payment. The source comes first; the client's side is left alone while a POST may still
 * be running, where a look could change it; and the source is read again after the client.
 */
async function look(ctx: Context, payment: Payment): Promise<Decision> {
  const { sent_at } = payment;
  const quiet = isQuiet(ctx, sent_at);
  const mayRun = !quiet && !ctx.answered.has(payment.id);
  let source = await sourceSide(ctx, payment.payment_hash);
  if (source === 'success' && mayRun && !ctx.looksArePure) {
    return {
      do: 'wait',
      reason: 'paid from the source wallet; the client is looked at after the quiet time',
    };
  }
  if ((source === 'none' || source === 'failed') && mayRun) {
    if (await walletAnswers(ctx, payment)) return { do: 'send' };
    return decide('gone', source, { sent: true, quiet });
  }
  const client = await clientSide(ctx, payment);
  if (source !== 'success') source = await sourceSide(ctx, payment.payment_hash);
  return decide(client, source, { sent: sent_at !== null, quiet });
}

async function walletAnswers(ctx: Context, payment: Payment): Promise<boolean> {
  try {
    await ctx.lnbits.wallet(await walletKey(ctx, payment.client_wallet_id));
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Makes and keeps a new invoice; undefined where the payout was deferred or held instead. */
async function makeInvoice(
  ctx: Context,
  payout: Payout,
  part: bigint,
  sats: bigint,
): Promise<Payment | undefined> {
  const { recipient } = payout;
  const defer = async (reason: string) => {
    await ctx.run.write((trx) => deferPayout(trx, payout.id, reason));
    return undefined;
  };
  const hold = async (reason: string) => {
    await ctx.run.write((trx) => holdPayout(trx, ctx.run.who, payout.id, reason, now()));
    return undefined;
  };
  if (ctx.source.balanceMsat < sats * 1000n) {
    return defer(
      `the source wallet holds ${groupDigits(ctx.source.balanceMsat / 1000n)} sat, less than the ${groupDigits(sats)} sat due`,
    );
  }
  const id = await nextPayment(ctx.ledger.db);
  const extra = await extraOf(ctx, payout, { id, part, sats });
  const memo = memoOf(payout, sats);
  try {
    const invoice = await ctx.lnbits.createInvoice(new Secret(recipient.invoiceKey), {
      sats,
      memo,
      expirySeconds: INVOICE_EXPIRY_SECONDS,
      extra,
    });
    if (invoice.walletId !== recipient.walletId)
      return await hold('the key of the client now belongs to another wallet');
    if (invoice.walletId === ctx.source.walletId)
      return await hold("the client's wallet is the source wallet");
    return await ctx.run.write((trx) =>
      addPayment(
        trx,
        {
          id,
          payout: payout.id,
          part,
          sats,
          hash: invoice.hash,
          bolt11: invoice.bolt11,
          clientWallet: invoice.walletId,
          sourceWallet: ctx.source.walletId,
          run: ctx.run.id,
        },
        now(),
      ),
    );
  } catch (error) {
    if (isGone(error)) return hold("the client's wallet does not answer to its key any more");
    if (error instanceof BridgeError && error.code === 'lnbits/refused') return defer(error.message);
    throw error;
  }
}

/** LNbits did not answer in the middle of a payout: what is under way is unknown, the rest is tried later. */
async function giveUpForNow(ctx: Context, payout: Payout, error: BridgeError): Promise<void> {
  const parts = await partsOf(ctx.ledger.db, payout.id);
  await ctx.run.write(async (trx) => {
    const lost = parts.find(({ payment }) => payment?.state === 'sending' || payment?.state === 'unknown');
    if (lost?.payment) await loseSight(trx, lost.payment, error.message);
    else await deferPayout(trx, payout.id, error.message);
  });
}

async function isPaused(ctx: Context): Promise<boolean> {
  const { paused_at } = await ctx.ledger.db
    .selectFrom('ledger')
    .select('paused_at')
    .executeTakeFirstOrThrow();
  return paused_at !== null;
}

/** A sentence that a person understands who finds it in a wallet. */
function memoOf({ id, kind, fiat, digits, currency }: Payout, sats: bigint): string {
  const what = kind === 'client' ? `${formatDecimal(fiat, digits)} ${currency} of your cash` : 'commission';
  return `${groupDigits(sats)} sat for ${what} (payout p${id})`;
}

/** What both sides of a payment carry, so that it can be told whose it was and for which cash-outs. */
async function extraOf(
  ctx: Context,
  payout: Payout,
  { id, part, sats }: { id: bigint; part: bigint; sats: bigint },
): Promise<Record<string, unknown>> {
  const { ids, count } = await cashOutsOf(ctx.ledger.db, payout.id);
  return {
    tag: 'aio-dca',
    ledger: ctx.ledger.id,
    seq: Number(id),
    payout: `p${payout.id}`,
    part: Number(part),
    client: payout.recipient.name,
    sats: Number(sats),
    fiat: formatDecimal(payout.fiat, payout.digits),
    currency: payout.currency,
    cash_outs: ids,
    cash_outs_count: count,
  };
}
