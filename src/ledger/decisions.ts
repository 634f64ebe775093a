import { BridgeError } from '../errors.ts';
import type { Instant } from '../time.ts';
import { keepEvidence } from './contradictions.ts';
import { record, type Who } from './log.ts';
import type { Db, Trx } from './open.ts';
import { holdPayout, movePayment, movePayout, openPayouts, type Payment, partsOf } from './payouts.ts';
import type { PaymentState, PayoutState } from './schema.ts';
import { boundSourceWallet } from './wallets.ts';

/*
 * What a person decides about payouts. Each is written down with who and why, and is refused, as `usage/invalid`,
 * where the payout's state leaves nothing to decide. They run under the run's lease, so none races with a payment.
 */

const OPEN: PaymentState[] = ['invoiced', 'sending', 'unknown'];

/** A payout and its payments that are not dead. */
export interface Case {
  id: bigint;
  state: PayoutState;
  reason: string | null;
  live: Payment[];
}

/** Throws `usage/invalid` where there is no such payout. */
export async function findCase(db: Db, id: bigint): Promise<Case> {
  const payout = await db
    .selectFrom('payouts')
    .select(['id', 'state', 'reason'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (!payout) throw refuse(id, 'does not exist', '`aio-dca payouts list` shows them.');
  const parts = await partsOf(db, id);
  return { ...payout, live: parts.flatMap(({ payment }) => payment ?? []) };
}

/**
 * Nothing of it is paid until it is released. What had settled of a settled one is in doubt from then on: after the
 * release the next run looks at it again.
 */
export async function holdByHand(
  trx: Trx,
  who: Who,
  id: bigint,
  reason: string,
  at: Instant,
): Promise<PayoutState> {
  const { state, reason: held, live } = await findCase(trx, id);
  if (state === 'held') {
    throw refuse(id, `is held already: ${held}`, `Let it go on: aio-dca payouts release p${id}`);
  }
  if (state === 'settled') await doubt(trx, id, live, reason);
  await holdPayout(trx, who, id, reason, at);
  return 'held';
}

async function doubt(trx: Trx, id: bigint, live: Payment[], reason: string): Promise<void> {
  const source = await boundSourceWallet(trx);
  // From another wallet nobody can look any more, and a payment that was never sent cannot be in doubt.
  const seen = live.filter((one) => one.source_wallet_id === source && one.sent_at !== null);
  if (seen.length === 0) {
    throw refuse(id, 'is settled, and cannot be looked at any more', 'There is nothing left to hold back.');
  }
  for (const { id: payment } of seen)
    await movePayment(trx, payment, ['settled'], { state: 'unknown', reason });
}

/** Holds every payout that is open. Answers which. */
export async function holdAllByHand(trx: Trx, who: Who, reason: string, at: Instant): Promise<bigint[]> {
  const open = await openPayouts(trx);
  for (const { id } of open) await holdPayout(trx, who, id, reason, at);
  return open.map(({ id }) => id);
}

/** The next run looks at what was sent of it, and goes on from there; the daily ceiling holds it no more. */
export async function releasePayout(trx: Trx, who: Who, id: bigint, at: Instant): Promise<PayoutState> {
  const { state, reason, live } = await findCase(trx, id);
  if (state === 'settled') throw refuse(id, 'is settled, not held', 'There is nothing left to pay.');
  if (state !== 'held') throw refuse(id, `is ${state}, not held`, 'The next run goes on with it anyway.');
  for (const payment of live.filter((one) => one.state === 'sending'))
    await movePayment(trx, payment.id, ['sending'], { state: 'unknown', reason });
  const after = await goOn(trx, id, ['held'], at);
  await trx.updateTable('payouts').set({ released_at: at }).where('id', '=', id).execute();
  await record(trx, who, {
    at,
    action: 'payout release',
    subject: `p${id}`,
    before: { state, reason },
    after: { state: after },
  });
  return after;
}

/** What `release --all` would let go on, by number. */
export async function heldPayouts(
  db: Db,
): Promise<{ id: bigint; recipient: string; sats: bigint; reason: string | null }[]> {
  return db
    .selectFrom('payouts')
    .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
    .select(['payouts.id', 'recipients.name as recipient', 'payouts.sats', 'payouts.reason'])
    .where('payouts.state', '=', 'held')
    .orderBy('payouts.id')
    .execute();
}

/** Releases those of `shown` that are still held for the same reason. Answers which. */
export async function releaseEach(
  trx: Trx,
  who: Who,
  shown: readonly { id: bigint; reason: string | null }[],
  at: Instant,
): Promise<bigint[]> {
  const still = new Map((await heldPayouts(trx)).map(({ id, reason }) => [id, reason]));
  const ids = shown.filter(({ id, reason }) => still.get(id) === reason).map(({ id }) => id);
  for (const id of ids) await releasePayout(trx, who, id, at);
  return ids;
}

/** Takes back the putting off: the payout stands as if it had just been formed. */
export async function retryPayout(trx: Trx, who: Who, id: bigint, at: Instant): Promise<PayoutState> {
  const { state, reason } = await findCase(trx, id);
  if (state === 'held')
    throw refuse(id, `is held: ${reason}`, `Release it when that is cleared: aio-dca payouts release p${id}`);
  if (state === 'settled') throw refuse(id, 'is settled', 'There is nothing left to pay.');
  if (state !== 'deferred') return state;
  const after = await goOn(trx, id, ['deferred'], at);
  await record(trx, who, {
    at,
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
  /** It arrived at the client; else it did not, and never will. */
  paid: boolean;
  reason: string;
  /** Whether the wallets could be looked at: else the next run that pays does. */
  seen: boolean;
  /** What they showed of one that was debited and did not arrive: it is no news later. */
  shown?: string | undefined;
}

/** A person's word on a payment that is open. A payment that did not arrive is followed by a new one. */
export async function resolvePayment(
  trx: Trx,
  who: Who,
  { payout: id, payment, paid, reason, seen, shown }: Resolution,
  at: Instant,
): Promise<PayoutState> {
  const { state } = await findCase(trx, id);
  const word = `${who.actor}: ${reason}`;
  await movePayment(
    trx,
    payment.id,
    OPEN,
    // What was seen is not looked at again: LNbits may never show what the person knows.
    paid
      ? { state: 'settled', settled_at: at, checked_at: seen ? at : null, reason: word }
      : { state: 'dead', reason: word },
  );
  if (!paid && shown !== undefined) {
    const known = { payment, hash: payment.payment_hash, shown };
    await keepEvidence(trx, who, known, reason, at);
  }
  const after = await goOn(trx, id, ['planned', 'paying', 'deferred', 'unknown', 'held'], at);
  await record(trx, who, {
    at,
    action: 'payout resolve',
    subject: `p${id}`,
    before: { state, payment_hash: payment.payment_hash, payment: payment.state },
    after: { state: after, payment_hash: payment.payment_hash, payment: paid ? 'settled' : 'dead' },
    reason,
  });
  return after;
}

/** The payment that a person decides about: the open one, or the one named by its hash. */
export function openPayment({ id, state, live }: Case, hash: string | undefined): Payment {
  if (state === 'settled') throw refuse(id, 'is settled', 'There is nothing left to resolve.');
  const open = live.filter((one) => OPEN.includes(one.state));
  if (hash !== undefined) {
    const named = open.find((one) => one.payment_hash === hash);
    if (named) return named;
    throw refuse(id, `has no open payment ${hash}`, `\`aio-dca payouts show p${id}\` shows its payments.`);
  }
  const [payment, another] = open;
  if (!payment) {
    throw refuse(
      id,
      `is ${state} and has no payment under way`,
      state === 'held' ? `Let it go on: aio-dca payouts release p${id}` : 'The next run makes one.',
    );
  }
  if (another) {
    const hashes = open.map((one) => `--payment ${one.payment_hash}`).join(', or ');
    throw refuse(id, `has ${open.length} open payments`, `Say which one is meant: ${hashes}.`);
  }
  return payment;
}

/** Whether the brake is on; read before each payment and credit. */
export async function isPaused(db: Db): Promise<boolean> {
  const { paused_at } = await db.selectFrom('ledger').select('paused_at').executeTakeFirstOrThrow();
  return paused_at !== null;
}

/** The brake: nothing is sent any more. False where it was on already, and stays as it was. */
export async function pausePaying(trx: Trx, who: Who, reason: string, at: Instant): Promise<boolean> {
  if (await isPaused(trx)) return false;
  const after = { paused_at: at, paused_by: who.actor, paused_reason: reason };
  await trx.updateTable('ledger').set(after).execute();
  await record(trx, who, { at, action: 'payouts pause', subject: 'payouts', after, reason });
  return true;
}

/** False where paying was not paused. */
export async function resumePaying(trx: Trx, who: Who, at: Instant): Promise<boolean> {
  const before = await trx
    .selectFrom('ledger')
    .select(['paused_at', 'paused_by', 'paused_reason'])
    .executeTakeFirstOrThrow();
  if (before.paused_at === null) return false;
  await trx.updateTable('ledger').set({ paused_at: null, paused_by: null, paused_reason: null }).execute();
  await record(trx, who, { at, action: 'payouts resume', subject: 'payouts', before });
  return true;
}

/** Moves a payout to the state that its payments say. */
async function goOn(trx: Trx, id: bigint, from: PayoutState[], at: Instant): Promise<PayoutState> {
  const parts = await partsOf(trx, id);
  const live = parts.flatMap(({ payment }) => payment ?? []);
  const sent = live.some((one) => one.state !== 'settled' && one.sent_at !== null);
  const settled = parts.every(({ payment }) => payment?.state === 'settled');
  const to = settled ? 'settled' : sent ? 'unknown' : live.length > 0 ? 'paying' : 'planned';
  await movePayout(trx, id, from, to, null, settled ? at : null);
  return to;
}

function refuse(id: bigint, what: string, hint: string): BridgeError {
  return new BridgeError('usage/invalid', `ID: payout p${id} ${what}.`, hint);
}
