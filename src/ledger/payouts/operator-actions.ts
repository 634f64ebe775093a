import { type BridgeError, notFound, wrongState } from '../../errors.ts';
import { call, field, type Message, message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import { type Act, type ReasonedAct, record, wordOf } from '../log/log.ts';
import type { Db, Trx } from '../store/open.ts';
import type { PaymentState, PayoutState } from '../store/schema.ts';
import { boundSourceWallet } from '../wallets/wallets.ts';
import { keepEvidence } from './contradictions.ts';
import { openPayouts } from './open-payouts.ts';
import { holdPayout, movePayment, movePayout, type Payment, partsOf } from './payouts.ts';

/*
 * What the operator decides about payouts. Each decision is recorded with its actor and reason. It is refused with
 * `usage/invalid` if the payout's state leaves nothing to decide. It needs the lease, so it never races with a payment.
 */

const OPEN: PaymentState[] = ['invoiced', 'sending', 'unknown'];

/** A payout and its payments that are not dead. */
export interface Case {
  id: bigint;
  state: PayoutState;
  reason: string | null;
  live: Payment[];
}

/** Throws `usage/invalid` of the kind `not-found`. */
export async function findCase(db: Db, id: bigint): Promise<Case> {
  const payout = await db
    .selectFrom('payouts')
    .select(['id', 'state', 'reason'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (!payout)
    throw notFound('id', `payout p${id} does not exist`, message`${call('payouts.list')} shows them.`);
  const parts = await partsOf(db, id);
  return { ...payout, live: parts.flatMap(({ payment }) => payment ?? []) };
}

/**
 * Nothing more of it is paid until it is released. The settled payments of a settled payout are in doubt from then on:
 * after the release, the next run looks at them again.
 */
export async function holdByHand(trx: Trx, act: ReasonedAct, id: bigint): Promise<void> {
  const { state, reason: held, live } = await findCase(trx, id);
  if (state === 'held') throw refuse(id, `is held already: ${held}`, message`To continue it: ${release(id)}`);
  if (state === 'settled') await doubt(trx, id, live, act.reason);
  await holdPayout(trx, act, id);
}

async function doubt(trx: Trx, id: bigint, live: Payment[], because: string): Promise<void> {
  const sourceWallet = await boundSourceWallet(trx);
  // A payment from another wallet can no longer be looked at, and one that was never sent cannot be in doubt.
  const seen = live.filter((one) => one.source_wallet_id === sourceWallet && one.sent_at !== null);
  if (seen.length === 0) {
    throw refuse(id, 'is settled, and can no longer be looked at', 'There is nothing left to hold back.');
  }
  for (const { id: payment } of seen)
    await movePayment(trx, payment, ['settled'], { state: 'unknown', reason: because });
}

/** Holds every open payout, and answers which. */
export async function holdAllByHand(trx: Trx, act: ReasonedAct): Promise<bigint[]> {
  const open = await openPayouts(trx);
  for (const { id } of open) await holdPayout(trx, act, id);
  return open.map(({ id }) => id);
}

/** The next run looks at what was sent of it, and goes on from there; the daily ceiling no longer holds it. */
export async function releasePayout(trx: Trx, act: Act, id: bigint): Promise<void> {
  const { at } = act;
  const { state, reason, live } = await findCase(trx, id);
  if (state === 'settled') throw refuse(id, 'is settled, not held', 'There is nothing left to pay.');
  if (state !== 'held') throw refuse(id, `is ${state}, not held`, 'The next run goes on with it anyway.');
  for (const payment of live.filter((one) => one.state === 'sending'))
    await movePayment(trx, payment.id, ['sending'], { state: 'unknown', reason });
  const after = await goOn(trx, id, ['held'], at);
  await trx.updateTable('payouts').set({ released_at: at }).where('id', '=', id).execute();
  await record(trx, act, {
    action: 'payout release',
    subject: `p${id}`,
    before: { state, reason },
    after: { state: after },
  });
}

export interface HeldPayout {
  id: bigint;
  recipient: string;
  sats: bigint;
  reason: string | null;
}

/** All held payouts, in the order of their numbers. */
export async function heldPayouts(db: Db): Promise<HeldPayout[]> {
  return db
    .selectFrom('payouts')
    .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
    .select(['payouts.id', 'recipients.name as recipient', 'payouts.sats', 'payouts.reason'])
    .where('payouts.state', '=', 'held')
    .orderBy('payouts.id')
    .execute();
}

/** Ends the deferral: the payout stands as if it had just been formed. Answers its state. */
export async function retryPayout(trx: Trx, act: Act, id: bigint): Promise<PayoutState> {
  const { state, reason } = await findCase(trx, id);
  if (state === 'held')
    throw refuse(id, `is held: ${reason}`, message`When that is resolved, release it: ${release(id)}`);
  if (state === 'settled') throw refuse(id, 'is settled', 'There is nothing left to pay.');
  if (state !== 'deferred') return state;
  const after = await goOn(trx, id, ['deferred'], act.at);
  await record(trx, act, {
    action: 'payout retry',
    subject: `p${id}`,
    before: { state, reason },
    after: { state: after },
  });
  return after;
}

export interface Resolution {
  payout: bigint;
  payment: Payment;
  /** True: it arrived at the client. False: it did not, and never will. */
  paid: boolean;
  /** Whether the wallets could be looked at; otherwise the next run that pays looks. */
  seen: boolean;
  /** What the wallets showed of a payment that was debited but did not arrive: it is not reported again later. */
  shown?: string | undefined;
}

/**
 * Records what the operator says became of an open payment. A payment that did not arrive is followed by a new
 * one. Answers the payout's state.
 */
export async function resolvePayment(
  trx: Trx,
  act: ReasonedAct,
  { payout: id, payment, paid, seen, shown }: Resolution,
): Promise<PayoutState> {
  const { at } = act;
  const { state } = await findCase(trx, id);
  const word = wordOf(act);
  await movePayment(
    trx,
    payment.id,
    OPEN,
    // What was seen is not looked at again: LNbits may never show what the operator knows.
    paid
      ? { state: 'settled', settled_at: at, checked_at: seen ? at : null, reason: word }
      : { state: 'dead', reason: word },
  );
  if (!paid && shown !== undefined) {
    const known = { payment, hash: payment.payment_hash, shown };
    await keepEvidence(trx, act, known);
  }
  const after = await goOn(trx, id, ['planned', 'paying', 'deferred', 'unknown', 'held'], at);
  await record(trx, act, {
    action: 'payout resolve',
    subject: `p${id}`,
    before: { state, payment_hash: payment.payment_hash, payment: payment.state },
    after: { state: after, payment_hash: payment.payment_hash, payment: paid ? 'settled' : 'dead' },
  });
  return after;
}

/** The payment that the operator decides about: the open one, or the one named by its hash. */
export function openPayment({ id, state, live }: Case, hash: string | undefined): Payment {
  if (state === 'settled') throw refuse(id, 'is settled', 'There is nothing left to resolve.');
  const open = live.filter((one) => OPEN.includes(one.state));
  if (hash !== undefined) {
    const named = open.find((one) => one.payment_hash === hash);
    if (named) return named;
    const shows = message`${call('payouts.show', { id: `p${id}` })} shows its payments.`;
    throw refuse(id, `has no open payment ${hash}`, shows);
  }
  const [payment, another] = open;
  if (!payment) {
    throw refuse(
      id,
      `is ${state} and has no payment under way`,
      state === 'held' ? message`To continue it: ${release(id)}` : 'The next run makes one.',
    );
  }
  if (another) {
    const [first, ...others] = open.map((one) => message`${field('payment')} ${one.payment_hash}`);
    const hashes = others.reduce((all, one) => message`${all}, or ${one}`, first ?? message``);
    throw refuse(id, `has ${open.length} open payments`, message`Give one of them: ${hashes}.`);
  }
  return payment;
}

/** Moves a payout to the state that its payments say. */
async function goOn(trx: Trx, id: bigint, from: PayoutState[], at: Instant): Promise<PayoutState> {
  const parts = await partsOf(trx, id);
  const live = parts.flatMap(({ payment }) => payment ?? []);
  const sent = live.some((one) => one.state !== 'settled' && one.sent_at !== null);
  const settled = parts.every(({ payment }) => payment?.state === 'settled');
  if (settled) {
    await movePayout(trx, id, from, { state: 'settled', at });
    return 'settled';
  }
  const state = sent ? 'unknown' : live.length > 0 ? 'paying' : 'planned';
  await movePayout(trx, id, from, { state, reason: null });
  return state;
}

function release(id: bigint) {
  return call('payouts.release', { id: `p${id}` });
}

function refuse(id: bigint, what: string, hint: string | Message): BridgeError {
  return wrongState('id', `payout p${id} ${what}`, hint);
}
