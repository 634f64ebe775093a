import { BridgeError, conflict, notFound, wrongState } from '../../errors.ts';
import { call, field, message } from '../../lib/message.ts';
import { type Instant, plus } from '../../time.ts';
import { type ReasonedAct, record } from '../log/log.ts';
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

/** A credit as the views show it. */
export interface CreditRow extends Credit {
  cashOuts: { id: string; sats: bigint }[];
}

/** The newest credits, and how many there are in all. */
export async function readCreditList(
  db: Db,
  { state, limit, after }: { state: CreditState | undefined; limit: number; after?: bigint | undefined },
): Promise<{ rows: CreditRow[]; total: number }> {
  const of = db
    .selectFrom('credits')
    .$if(state !== undefined, (query) => query.where('state', '=', state ?? 'held'));
  const { total } = await of.select((eb) => eb.fn.countAll<bigint>().as('total')).executeTakeFirstOrThrow();
  const rows = await of
    .$if(after !== undefined, (some) => some.where('id', '<', after ?? 0n))
    .selectAll()
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  return { rows: await withCashOuts(db, rows), total: Number(total) };
}

/** The credit of that id. Throws `usage/invalid` (`not-found`). */
export async function findCredit(db: Db, id: bigint): Promise<CreditRow> {
  const rows = await db.selectFrom('credits').selectAll().where('id', '=', id).execute();
  const [credit] = await withCashOuts(db, rows);
  if (credit) return credit;
  throw notFound('id', `credit c${id} does not exist`, message`${call('credits.list')} shows them.`);
}

async function withCashOuts(db: Db, credits: Credit[]): Promise<CreditRow[]> {
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
 * What the operator can decide about a credit. Throws `usage/invalid` if nothing is left to decide, and
 * `payout/under-way` during the quiet time after it was sent.
 */
export function refuseResolving(
  { id, state, sent_at }: Credit,
  { credited, quietMs, now }: { credited: boolean; quietMs: number; now: Instant },
): void {
  if (state === 'credited' || (state === 'dropped' && sent_at === null)) {
    throw wrongState('id', `credit c${id} is ${state}`, 'There is nothing left to resolve.');
  }
  if (state === 'intended' && credited) {
    throw wrongState(
      'id',
      `credit c${id} was never sent, so LNbits cannot have credited it`,
      message`The next run sends it. ${field('not_credited')} drops it.`,
    );
  }
  const until = sent_at === null ? now : plus(sent_at, quietMs);
  if ((state === 'sending' || state === 'unknown') && until > now) {
    throw new BridgeError(
      'payout/under-way',
      `credit c${id} was sent at ${sent_at}, and may still be under way at LNbits`,
      `It can be resolved after ${until}. The next run finds out what became of it.`,
    );
  }
}

/**
 * Records what the operator says became of a credit; `payment` is LNbits' payment of it, if the operator named one. If
 * it did not happen, another credit may cover its cash-outs. Throws `usage/invalid`.
 */
export async function recordResolution(
  trx: Trx,
  act: ReasonedAct,
  resolution: {
    credit: Credit;
    credited: boolean;
    payment: string | null;
    /** The credits of the same amount that LNbits showed; null: they could not be read. */
    seen: string[] | null;
  },
): Promise<void> {
  const { credit, credited, payment, seen } = resolution;
  if (!credited) {
    const known =
      seen === null ? credit.seen : JSON.stringify([...new Set([...seenHashes(credit), ...seen])]);
    await dropCredit(trx, act, { ...credit, seen: known });
    return;
  }
  if (payment !== null && (await ownedHashes(trx, [payment])).size > 0) {
    throw conflict(
      'payment',
      `${payment} is that of another credit`,
      message`${call('credits.list')} shows the credits, and ${call('credits.show', { id: null })} the payment of each.`,
    );
  }
  await creditArrived(trx, act, credit, payment, 'operator');
}

/**
 * Records what the operator says of an “Admin credit” that came after its credit was dropped. `credited`, if nothing
 * else covers its cash-outs; otherwise its sats stay and LNbits owes them. Or it belongs to something else, or was
 * taken back.
 */
export async function resolveLate(
  trx: Trx,
  act: ReasonedAct,
  late: { credit: Credit; hash: string; shown: string; credited: boolean },
): Promise<void> {
  const { credit, hash, shown, credited } = late;
  const reinstated = credited && (await reinstateCredit(trx, act, credit, hash, 'operator'));
  const booked = credited && !reinstated;
  const written = await contradictionsOf(trx, 'credit_id', [credit.id]);
  if (!written.some(({ payment_hash }) => payment_hash === hash))
    await contradict(trx, act, { credit, hash, shown });
  await closeContradictions(trx, act, { credit: credit.id, hash }, { booked });
  await record(trx, act, {
    ...{ action: 'credit resolve', subject: `c${credit.id}` },
    after: { payment_hash: hash, credited, kept_sats: booked ? credit.sats : 0n },
  });
}
