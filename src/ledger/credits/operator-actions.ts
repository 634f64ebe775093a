import { BridgeError } from '../../errors.ts';
import { type Instant, plus } from '../../time.ts';
import { record, type Who } from '../log/log.ts';
import { closeContradictions, contradict, contradictionsOf } from '../payouts/contradictions.ts';
import type { Db, Trx } from '../store/open.ts';
import type { CreditState } from '../store/schema.ts';
import {
  type Credit,
  creditArrived,
  dropCredit,
  ownedHashes,
  reinstateCredit,
  seenHashes,
} from './credits.ts';

/** A credit as it is shown. */
export interface CreditView extends Credit {
  cashOuts: { id: string; sats: bigint }[];
}

/** The newest first, and how many there are. */
export async function listCredits(
  db: Db,
  { state, limit }: { state: CreditState | undefined; limit: number },
): Promise<{ rows: CreditView[]; total: number }> {
  const of = db
    .selectFrom('credits')
    .$if(state !== undefined, (query) => query.where('state', '=', state ?? 'held'));
  const { total } = await of.select((eb) => eb.fn.countAll<bigint>().as('total')).executeTakeFirstOrThrow();
  const rows = await of.selectAll().orderBy('id', 'desc').limit(limit).execute();
  return { rows: await withCashOuts(db, rows), total: Number(total) };
}

/** Throws `usage/invalid` where there is no such credit. */
export async function findCredit(db: Db, id: bigint): Promise<CreditView> {
  const rows = await db.selectFrom('credits').selectAll().where('id', '=', id).execute();
  const [credit] = await withCashOuts(db, rows);
  if (credit) return credit;
  throw refuse(id, 'does not exist', '`aio-dca credits list` shows them.');
}

async function withCashOuts(db: Db, credits: Credit[]): Promise<CreditView[]> {
  const members = await db
    .selectFrom('credit_members as m')
    .innerJoin('cash_outs as c', 'c.id', 'm.cash_out_id')
    .select(['m.credit_id', 'c.id', 'm.sats'])
    .where('m.credit_id', 'in', [0n, ...credits.map(({ id }) => id)])
    .orderBy('c.confirmed_at')
    .orderBy('c.id')
    .execute();
  const of = Map.groupBy(members, (row) => row.credit_id);
  return credits.map((credit) => ({
    ...credit,
    cashOuts: (of.get(credit.id) ?? []).map(({ id, sats }) => ({ id, sats })),
  }));
}

/**
 * What a person can say of a credit. Throws `usage/invalid` where nothing is left to say, and `payout/under-way` within
 * the quiet time after it was sent.
 */
export function refuseResolving(
  { id, state, sent_at }: Credit,
  { credited, quietMs, now }: { credited: boolean; quietMs: number; now: Instant },
): void {
  if (state === 'credited' || (state === 'dropped' && sent_at === null)) {
    throw refuse(id, `is ${state}`, 'There is nothing left to resolve.');
  }
  if (state === 'intended' && credited) {
    throw refuse(
      id,
      'was never sent, so LNbits cannot have credited it',
      'The next run sends it. With --not-credited it is dropped.',
    );
  }
  const until = sent_at === null ? now : plus(sent_at, quietMs);
  if ((state === 'sending' || state === 'unknown') && until > now) {
    throw new BridgeError(
      'payout/under-way',
      `credit c${id} was sent at ${sent_at}, and may still be under way at LNbits`,
      `What became of it can be said after ${until}. The next run finds out by itself.`,
    );
  }
}

/**
 * A person's word on a credit: `payment` is the one that LNbits shows of it, where the person named it. One that did
 * not happen frees its cash-outs for another one. Throws `usage/invalid`.
 */
export async function resolveCredit(
  trx: Trx,
  who: Who,
  resolution: {
    credit: Credit;
    credited: boolean;
    payment: string | null;
    reason: string;
    /** The like credits that LNbits showed to the person; null where nobody looked. */
    seen: string[] | null;
  },
  at: Instant,
): Promise<void> {
  const { credit, credited, payment, reason, seen } = resolution;
  if (!credited) {
    const known =
      seen === null ? credit.seen : JSON.stringify([...new Set([...seenHashes(credit), ...seen])]);
    await dropCredit(trx, who, { ...credit, seen: known }, `${who.actor}: ${reason}`, at);
    return;
  }
  if (payment !== null && (await ownedHashes(trx, [payment])).size > 0) {
    throw new BridgeError(
      'usage/invalid',
      `--payment: ${payment} is that of another credit.`,
      '`aio-dca credits list --json` shows which one has it.',
    );
  }
  await creditArrived(trx, who, credit, payment, at, reason);
}

/**
 * A person's word on an “Admin credit” that came after its credit was dropped: `credited` where nothing else covers its
 * cash-outs; else its sats are kept, and LNbits owes them. Or it is none of ours, or was taken back.
 */
export async function resolveLate(
  trx: Trx,
  who: Who,
  late: { credit: Credit; hash: string; shown: string; credited: boolean; reason: string },
  at: Instant,
): Promise<void> {
  const { credit, hash, shown, credited, reason } = late;
  const reinstated =
    credited && (await reinstateCredit(trx, who, credit, hash, at, `${who.actor}: ${reason}`));
  const booked = credited && !reinstated;
  const written = await contradictionsOf(trx, 'credit_id', [credit.id]);
  if (!written.some(({ payment_hash }) => payment_hash === hash))
    await contradict(trx, who, { credit, hash, shown }, at);
  await closeContradictions(trx, who, { credit: credit.id, hash }, { reason, booked }, at);
  await record(trx, who, {
    ...{ at, action: 'credit resolve', subject: `c${credit.id}`, reason },
    after: { payment_hash: hash, credited, kept_sats: booked ? credit.sats : 0n },
  });
}

function refuse(id: bigint, what: string, hint: string): BridgeError {
  return new BridgeError('usage/invalid', `ID: credit c${id} ${what}.`, hint);
}
