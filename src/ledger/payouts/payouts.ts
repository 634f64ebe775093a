import { type Selectable, sql } from 'kysely';
import { Secret } from '../../config/secret.ts';
import { type Instant, plus } from '../../time.ts';
import { type Act, type ReasonedAct, record } from '../log/log.ts';
import type { Db, Trx } from '../store/open.ts';
import type { Lack, PaymentState, PayoutState, Schema } from '../store/schema.ts';

/*
 * Payouts and their payments: the states stand above their types in schema.ts, the steps between them here. Every step
 * names the states it may start from; in any other state it throws, and the run ends.
 */

/** A payout as paying needs it. */
export interface Payout {
  id: bigint;
  kind: 'client' | 'commission';
  /** Without the wallet, which may change at any moment: see `walletOf`. */
  recipient: { id: bigint; name: string };
  sats: bigint;
  fiat: bigint;
  currency: string;
  digits: number;
  state: PayoutState;
}

export type Payment = Selectable<Schema['payments']>;

/** The wallet into which a payout is paid now, with its invoice key. */
export async function walletOf(db: Db, payout: bigint): Promise<{ id: string; key: Secret }> {
  const { id, invoice_key } = await db
    .selectFrom('payouts')
    .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
    .innerJoin('wallets', 'wallets.id', 'recipients.wallet_id')
    .select(['wallets.id', 'wallets.invoice_key'])
    .where('payouts.id', '=', payout)
    .executeTakeFirstOrThrow();
  return { id, key: new Secret(invoice_key) };
}

/**
 * The parts of a payout in order, without those that were split, each with the payment that is not dead, if it has one.
 */
export async function partsOf(
  db: Db,
  payout: bigint,
): Promise<{ part: bigint; sats: bigint; payment: Payment | undefined }[]> {
  const parts = await db
    .selectFrom('payout_parts')
    .select(['part', 'sats'])
    .where('payout_id', '=', payout)
    .where('split', '=', 0n)
    .orderBy('part')
    .execute();
  const live = await db
    .selectFrom('payments')
    .selectAll()
    .where('payout_id', '=', payout)
    .where('state', '<>', 'dead')
    .execute();
  return parts.map(({ part, sats }) => ({ part, sats, payment: live.find((one) => one.part === part) }));
}

const HASHES = 500;

/** The client wallets of those payments that the ledger knows, by hash. */
export async function knownPayments(db: Db, hashes: string[]): Promise<Map<string, string>> {
  const known = new Map<string, string>();
  for (let from = 0; from < hashes.length; from += HASHES) {
    const rows = await db
      .selectFrom('payments')
      .select(['payment_hash', 'client_wallet_id'])
      .where('payment_hash', 'in', hashes.slice(from, from + HASHES))
      .execute();
    for (const row of rows) known.set(row.payment_hash, row.client_wallet_id);
  }
  return known;
}

/** The ids of a payout's cash-outs in the order of their confirmation: the first 50, and how many there are. */
export async function cashOutsOf(db: Db, payout: bigint): Promise<{ ids: string[]; count: number }> {
  const members = db
    .selectFrom('allocations')
    .select('cash_out_id')
    .where('payout_id', '=', payout)
    .union(db.selectFrom('commission_shares').select('cash_out_id').where('payout_id', '=', payout));
  const { count } = await db
    .selectFrom(members.as('members'))
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  const rows = await db
    .selectFrom(members.as('members'))
    .innerJoin('cash_outs', 'cash_outs.id', 'members.cash_out_id')
    .select('cash_outs.id')
    .orderBy('cash_outs.confirmed_at')
    .orderBy('cash_outs.id')
    .limit(50)
    .execute();
  return { ids: rows.map((row) => row.id), count: Number(count) };
}

/** The number of the next payment; numbers are unique in the ledger. */
export async function nextPayment(db: Db): Promise<bigint> {
  const { last } = await db
    .selectFrom('payments')
    .select((eb) => eb.fn.coalesce(eb.fn.max('id'), sql<bigint>`0`).as('last'))
    .executeTakeFirstOrThrow();
  return last + 1n;
}

/** The number of the next payment of a part: 1 for the first. */
export async function nextAttempt(db: Db, payout: bigint, part: bigint): Promise<bigint> {
  const { before } = await db
    .selectFrom('payments')
    .select((eb) => eb.fn.countAll<bigint>().as('before'))
    .where('payout_id', '=', payout)
    .where('part', '=', part)
    .executeTakeFirstOrThrow();
  return before + 1n;
}

export interface NewPayment {
  id: bigint;
  payout: bigint;
  part: bigint;
  sats: bigint;
  hash: string;
  bolt11: string;
  clientWallet: string;
  sourceWallet: string;
  run: bigint;
}

/** `invoiced`: records a new invoice of the recipient's own wallet, before anything is sent. */
export async function addPayment(trx: Trx, payment: NewPayment, at: Instant): Promise<Payment> {
  const { id: wallet } = await walletOf(trx, payment.payout);
  if (wallet !== payment.clientWallet)
    throw new Error(`p${payment.payout} is paid into wallet ${wallet}, not ${payment.clientWallet}`);
  const row = await trx
    .insertInto('payments')
    .values({
      id: payment.id,
      payout_id: payment.payout,
      part: payment.part,
      sats: payment.sats,
      attempt: await nextAttempt(trx, payment.payout, payment.part),
      payment_hash: payment.hash,
      bolt11: payment.bolt11,
      client_wallet_id: payment.clientWallet,
      source_wallet_id: payment.sourceWallet,
      state: 'invoiced',
      run_id: payment.run,
      created_at: at,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await movePayout(trx, payment.payout, ['planned', 'paying', 'deferred', 'unknown'], { state: 'paying' });
  return row;
}

/** The state of a payment. */
export type Stand = Pick<Payment, 'state' | 'sent_at'>;

export function standOf(db: Db, payment: Pick<Payment, 'id'>): Promise<Stand> {
  return db
    .selectFrom('payments')
    .select(['state', 'sent_at'])
    .where('id', '=', payment.id)
    .executeTakeFirstOrThrow();
}

/** `sending`, committed right before each POST of the bolt11. */
export async function sendPayment(trx: Trx, act: Act, payment: Payment): Promise<void> {
  await recordClockSetBack(trx, act, payment);
  await movePayment(trx, payment.id, ['invoiced', 'sending', 'unknown'], {
    state: 'sending',
    sent_at: act.at,
    reason: null,
  });
  await movePayout(trx, payment.payout_id, ['paying', 'deferred', 'unknown'], { state: 'paying' });
}

/** Back to the state before `sending`: the POST was not made. */
export async function unsendPayment(trx: Trx, payment: Payment, before: Stand): Promise<void> {
  await movePayment(trx, payment.id, ['sending'], { state: before.state, sent_at: before.sent_at });
}

/** Back to `invoiced`: LNbits answered no, and both sides show that nothing happened. The payout waits. */
export async function deferPayment(
  trx: Trx,
  payment: Payment,
  because: string,
  lack: Lack | null = null,
): Promise<void> {
  await movePayment(trx, payment.id, ['invoiced', 'sending', 'unknown'], {
    state: 'invoiced',
    reason: because,
  });
  await deferPayout(trx, payment.payout_id, because, lack);
}

/** `unknown`: the outcome is not known yet. A payment that was not sent stays `invoiced`. */
export async function markUnknown(
  trx: Trx,
  payment: Payment,
  because: string,
  lack: Lack | null = null,
): Promise<void> {
  await trx
    .updateTable('payments')
    .set({ state: 'unknown', reason: because })
    .where('id', '=', payment.id)
    .where('state', 'in', ['sending', 'unknown'])
    .execute();
  await movePayout(trx, payment.payout_id, ['paying', 'deferred', 'unknown'], {
    state: 'unknown',
    reason: because,
    lack,
  });
}

/** `dead`: it can never be paid any more, so the part may get a new payment. */
export async function markDead(trx: Trx, act: Act, payment: Payment, because: string): Promise<void> {
  await movePayment(trx, payment.id, ['invoiced', 'sending', 'unknown'], { state: 'dead', reason: because });
  await record(trx, act, {
    action: 'payment dead',
    subject: `p${payment.payout_id}`,
    before: { payment_hash: payment.payment_hash, state: payment.state },
    after: { payment_hash: payment.payment_hash, state: 'dead' },
    reason: because,
  });
}

/** `settled`: it arrived; the payout is settled with its last part. */
export async function settlePayment(
  trx: Trx,
  act: Act,
  payment: Payment,
  from: PayoutState[] = ['paying', 'deferred', 'unknown'],
): Promise<void> {
  const { at } = act;
  await recordClockSetBack(trx, act, payment);
  await movePayment(trx, payment.id, ['invoiced', 'sending', 'unknown'], {
    state: 'settled',
    settled_at: at,
    reason: null,
    fee_msat: payment.fee_msat,
  });
  const parts = await partsOf(trx, payment.payout_id);
  const settled = parts.every((one) => one.payment?.state === 'settled');
  await movePayout(trx, payment.payout_id, from, settled ? { state: 'settled', at } : { state: 'paying' });
}

/**
 * `settled` after `dead`: it arrived although it had been given up. `next`: the unsent payment of the same part, which
 * becomes `dead` instead.
 */
export async function revivePayment(
  trx: Trx,
  act: Act,
  payment: Payment,
  next: Payment | undefined,
): Promise<void> {
  const { at } = act;
  if (next) await markDead(trx, act, next, 'an earlier payment of this part arrived after all');
  await movePayment(trx, payment.id, ['dead'], { state: 'settled', settled_at: at, reason: null });
  const parts = await partsOf(trx, payment.payout_id);
  const settled = parts.every((one) => one.payment?.state === 'settled');
  const open: PayoutState[] = ['planned', 'paying', 'deferred', 'unknown'];
  await movePayout(trx, payment.payout_id, open, settled ? { state: 'settled', at } : { state: 'paying' });
  await record(trx, act, {
    ...{ action: 'payment arrived', subject: `p${payment.payout_id}` },
    before: { payment_hash: payment.payment_hash, state: 'dead' },
    after: { payment_hash: payment.payment_hash, state: 'settled' },
  });
}

/** Records that settled payments were checked once more, and are still there. */
export async function markChecked(trx: Trx, payments: bigint[], at: Instant): Promise<void> {
  await trx.updateTable('payments').set({ checked_at: at }).where('id', 'in', payments).execute();
}

/** The log's action for payments whose times are not in order. */
export const CLOCK_SET_BACK = 'clock set back';
/** Tolerate small backward clock steps (NTP). */
export const CLOCK_MS = 300_000;

/** Records why times are out of order: `verify` reads it later. */
async function recordClockSetBack(trx: Trx, act: Act, payment: Payment): Promise<void> {
  const { at } = act;
  const before = payment.sent_at ?? payment.created_at;
  if (plus(at, CLOCK_MS) >= before) return;
  const subject = `p${payment.payout_id}`;
  await record(trx, act, { action: CLOCK_SET_BACK, subject, before: { at: before }, after: { at } });
}

/** `deferred`: nothing is under way; a later run tries again. `lack`: what the source wallet lacks for it. */
export async function deferPayout(
  trx: Trx,
  payout: bigint,
  because: string,
  lack: Lack | null = null,
): Promise<void> {
  const from: PayoutState[] = ['planned', 'paying', 'deferred', 'unknown'];
  await movePayout(trx, payout, from, { state: 'deferred', reason: because, lack });
}

/**
 * `held`: only the operator can decide how to go on. `because`: why; the act's own reason where the operator holds it.
 */
export async function holdPayout(trx: Trx, act: ReasonedAct, payout: bigint): Promise<void>;
export async function holdPayout(trx: Trx, act: Act, payout: bigint, because: string): Promise<void>;
export async function holdPayout(trx: Trx, act: Act, payout: bigint, because = act.reason): Promise<void> {
  const { state } = await trx
    .selectFrom('payouts')
    .select('state')
    .where('id', '=', payout)
    .executeTakeFirstOrThrow();
  await movePayout(trx, payout, ['planned', 'paying', 'deferred', 'unknown', 'settled'], {
    state: 'held',
    reason: because ?? null,
  });
  await record(trx, act, {
    action: 'payout held',
    subject: `p${payout}`,
    before: { state },
    after: { state: 'held' },
    reason: because,
  });
}

/** A state of a payout, with what belongs to it. */
export type PayoutStep =
  | { state: 'settled'; at: Instant }
  | { state: 'deferred' | 'unknown'; reason: string | null; lack?: Lack | null }
  | { state: 'planned' | 'paying' | 'held'; reason?: string | null };

/** One step of a payout; throws if it is in none of the states `from`. What the state before left behind is cleared. */
export async function movePayout(trx: Trx, id: bigint, from: PayoutState[], to: PayoutStep): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('payouts')
    .set({
      state: to.state,
      reason: ('reason' in to && to.reason) || null,
      lack: ('lack' in to && to.lack) || null,
      settled_at: to.state === 'settled' ? to.at : null,
    })
    .where('id', '=', id)
    .where('state', 'in', from)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n)
    throw new Error(
      `payout p${id} is in none of the states ${from.join(', ')}, so it cannot become ${to.state}`,
    );
}

/** One step of a payment; throws if it is in none of the states `from`. */
export async function movePayment(
  trx: Trx,
  id: bigint,
  from: PaymentState[],
  to: Partial<Pick<Payment, 'state' | 'reason' | 'sent_at' | 'settled_at' | 'checked_at' | 'fee_msat'>>,
): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('payments')
    .set(to)
    .where('id', '=', id)
    .where('state', 'in', from)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n)
    throw new Error(
      `payment ${id} is in none of the states ${from.join(', ')}, so it cannot become ${to.state}`,
    );
}
