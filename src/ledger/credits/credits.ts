import { type Selectable, sql } from 'kysely';
import type { Instant } from '../../time.ts';
import { type Act, type ReasonedAct, record, wordOf } from '../log/log.ts';
import type { Db, Trx } from '../store/open.ts';
import type { CreditState, Schema } from '../store/schema.ts';

/*
 * Credits of the source wallet: the states are above their type in schema.ts, the steps between them here. Every step
 * names the states from which it may start; in any other state it throws, and the run ends.
 */

export type Credit = Selectable<Schema['credits']>;

/**
 * The sats that arrived, including late ones that were kept; the sats that were sent and may still arrive; and how many
 * credits are in doubt.
 */
export async function creditTotals(db: Db): Promise<{ credited: bigint; sent: bigint; doubtful: bigint }> {
  const sumOf = (states: string, what = 'sats') =>
    sql<bigint>`cast(coalesce(sum(case when state in (${sql.raw(states)}) then ${sql.raw(what)} else 0 end), 0) as bigint)`;
  const totals = await db
    .selectFrom('credits')
    .select([
      sumOf("'credited'").as('credited'),
      sumOf("'sending', 'unknown'").as('sent'),
      sumOf("'unknown', 'held'", '1').as('doubtful'),
    ])
    .executeTakeFirstOrThrow();
  const { late } = await db
    .selectFrom('contradictions as x')
    .innerJoin('credits as c', 'c.id', 'x.credit_id')
    .select(sql<bigint>`cast(coalesce(sum(c.sats), 0) as bigint)`.as('late'))
    .where('x.booked', '=', 1n)
    .executeTakeFirstOrThrow();
  return { ...totals, credited: totals.credited + late };
}

/** Credits of this wallet that were sent and then called not credited, oldest first. */
export async function droppedCredits(db: Db, wallet: string): Promise<Credit[]> {
  return db
    .selectFrom('credits')
    .selectAll()
    .where('state', '=', 'dropped')
    .where('wallet_id', '=', wallet)
    .where('sent_at', 'is not', null)
    .where('seen', 'is not', null)
    .orderBy('id')
    .execute();
}

/** Oldest first. */
export async function creditsIn(db: Db, states: CreditState[]): Promise<Credit[]> {
  return db.selectFrom('credits').selectAll().where('state', 'in', states).orderBy('id').execute();
}

/**
 * LNbits' payments that belong to credits of the same amount: those that proved a credit, or existed before it was
 * sent.
 */
export async function knownHashes(db: Db, sats: bigint): Promise<Set<string>> {
  const rows = await db
    .selectFrom('credits')
    .select(['payment_hash', 'seen'])
    .where('sats', '=', sats)
    .execute();
  return new Set(
    rows.flatMap(({ payment_hash, seen }) =>
      [payment_hash ?? [], JSON.parse(seen ?? '[]') as string[]].flat(),
    ),
  );
}

/** The credits of the same amount that LNbits showed right before this one was, or would have been, sent. */
export function seenHashes({ seen }: Pick<Credit, 'seen'>): Set<string> {
  return new Set(JSON.parse(seen ?? '[]') as string[]);
}

/**
 * When the newest cash-out of a credit was confirmed; for a credit of the service fee only, the newest credited
 * cash-out.
 */
export async function newestMember(db: Db, { id }: Credit): Promise<Instant> {
  const { newest } = await db
    .selectFrom('credit_members as m')
    .innerJoin('cash_outs as c', 'c.id', 'm.cash_out_id')
    .select((eb) =>
      eb.fn
        .coalesce(
          eb.fn.max(eb.case().when('m.credit_id', '=', id).then(eb.ref('c.confirmed_at')).end()),
          eb.fn.max('c.confirmed_at'),
        )
        .as('newest'),
    )
    .executeTakeFirstOrThrow();
  return newest;
}

/** Those of LNbits' payments that proved another credit. */
export async function ownedHashes(db: Db, hashes: string[]): Promise<Set<string>> {
  if (hashes.length === 0) return new Set();
  const rows = await db
    .selectFrom('credits')
    .select('payment_hash')
    .where('payment_hash', 'in', hashes)
    .execute();
  return new Set(rows.flatMap(({ payment_hash }) => payment_hash ?? []));
}

/** Records why no recorded credit could be sent; they stay `intended`. */
export async function delayCredits(trx: Trx, because: string): Promise<void> {
  await trx.updateTable('credits').set({ reason: because }).where('state', '=', 'intended').execute();
}

/**
 * Unsent credits that wait for the operator. With crediting on, they could not be made, as `reason` says; with it off,
 * no run makes them.
 */
export async function stuckCredits(db: Db, creditSource: boolean): Promise<Credit[]> {
  return (await creditsIn(db, ['intended'])).filter(({ reason }) => !creditSource || reason !== null);
}

/** `sending`, committed right before the one call. `seen`: the hashes of like credits that LNbits shows now. */
export async function sendCredit(trx: Trx, { id }: Credit, seen: string[], at: Instant): Promise<Credit> {
  return move(trx, id, ['intended'], {
    state: 'sending',
    sent_at: at,
    seen: JSON.stringify(seen),
    reason: null,
  });
}

/** Back to `intended`: nothing was sent, or LNbits refused and shows nothing. */
export async function takeBackCredit(trx: Trx, { id }: Credit, because: string): Promise<void> {
  await move(trx, id, ['sending'], { state: 'intended', reason: because });
}

/** `unknown`: the outcome of the call is not known yet. */
export async function loseCredit(trx: Trx, { id }: Credit, because: string): Promise<void> {
  await move(trx, id, ['sending', 'unknown'], { state: 'unknown', reason: because });
}

/** Who says that a credit arrived: LNbits, which shows it, or the operator, whose word is then its reason. */
type ToldBy = 'lnbits' | 'operator';

/** `credited`, proved by LNbits' payment; null: the operator says so without naming one. */
export async function creditArrived(
  trx: Trx,
  act: Act,
  { id, state, sats }: Credit,
  hash: string | null,
  by: ToldBy = 'lnbits',
): Promise<void> {
  const { at } = act;
  await move(trx, id, ['sending', 'unknown', 'held'], {
    ...{ state: 'credited', credited_at: at, payment_hash: hash },
    reason: by === 'operator' ? wordOf(act) : null,
  });
  await record(trx, act, {
    ...{ action: 'credit arrive', subject: `c${id}` },
    before: { state },
    after: { state: 'credited', sats, payment_hash: hash },
  });
}

/**
 * `credited` after `dropped`: LNbits did it late. If another credit covers its cash-outs now, or one of them was
 * undone, nothing is due for its sats: then writes nothing and returns false.
 */
export async function reinstateCredit(
  trx: Trx,
  act: Act,
  { id, sats }: Pick<Credit, 'id' | 'sats'>,
  hash: string,
  by: ToldBy = 'lnbits',
): Promise<boolean> {
  const { at } = act;
  const { rows } = await sql<{ sats: bigint; over: bigint }>`
    select cast(coalesce(sum(m.sats), 0) + max(k.fee) as bigint) as sats, cast(coalesce(sum(case when m.sats + m.paid
        + (select coalesce(sum(o.sats + o.paid), 0) from credit_members as o join credits as c on c.id = o.credit_id
            where o.cash_out_id = m.cash_out_id and c.state <> 'dropped')
        > (select coalesce(sum(net), 0) from allocations as a where a.cash_out_id = m.cash_out_id)
        + (select coalesce(sum(s.sats), 0) from commission_shares as s where s.cash_out_id = m.cash_out_id)
      then 1 else 0 end), 0) as bigint) as over
    from credit_members as m join credits as k on k.id = m.credit_id where m.credit_id = ${id}`.execute(trx);
  const [members] = rows;
  if (!members || members.sats !== sats || members.over > 0n) return false;
  await move(trx, id, ['dropped'], {
    state: 'credited',
    credited_at: at,
    payment_hash: hash,
    reason: by === 'operator' ? wordOf(act) : null,
  });
  await record(trx, act, {
    ...{ action: 'credit arrive', subject: `c${id}` },
    before: { state: 'dropped' },
    after: { state: 'credited', sats, payment_hash: hash },
  });
  return true;
}

/** `held`: only the operator can say what became of it. */
export async function holdCredit(
  trx: Trx,
  act: Act,
  { id, state, seen }: Credit,
  because: string,
): Promise<void> {
  await move(trx, id, ['intended', 'sending', 'unknown'], { state: 'held', reason: because, seen });
  await record(trx, act, {
    ...{ action: 'credit held', subject: `c${id}`, reason: because },
    before: { state },
    after: { state: 'held' },
  });
}

/**
 * `dropped`: it did not happen, so another credit may cover its cash-outs. `because`: why; the operator's word where
 * the operator drops it.
 */
export async function dropCredit(trx: Trx, act: ReasonedAct, credit: Credit): Promise<void>;
export async function dropCredit(trx: Trx, act: Act, credit: Credit, because: string): Promise<void>;
export async function dropCredit(
  trx: Trx,
  act: Act,
  { id, state, sats, seen }: Credit,
  because = wordOf(act),
): Promise<void> {
  await move(trx, id, ['intended', 'sending', 'unknown', 'held'], {
    ...{ state: 'dropped', reason: because, seen },
  });
  await record(trx, act, {
    ...{ action: 'credit drop', subject: `c${id}`, reason: because ?? undefined },
    before: { state },
    after: { state: 'dropped', sats },
  });
}

async function move(
  trx: Trx,
  id: bigint,
  from: CreditState[],
  to: Partial<Pick<Credit, 'state' | 'reason' | 'sent_at' | 'seen' | 'credited_at' | 'payment_hash'>>,
): Promise<Credit> {
  const moved = await trx
    .updateTable('credits')
    .set(to)
    .where('id', '=', id)
    .where('state', 'in', from)
    .returningAll()
    .executeTakeFirst();
  if (!moved)
    throw new Error(
      `credit c${id} is in none of the states ${from.join(', ')}, so it cannot become ${to.state}`,
    );
  return moved;
}
