import { type Selectable, sql } from 'kysely';
import type { Instant } from '../time.ts';
import { record, type Who } from './log.ts';
import type { Db, Trx } from './open.ts';
import type { CreditState, Schema } from './schema.ts';

/*
 * Credits of the source wallet: the states stand above their type in schema.ts, the steps between them here. Every step
 * names the states it may start from; where the credit is in none of them, it throws and the run ends.
 */

export type Credit = Selectable<Schema['credits']>;

/** What of a cash-out no credit covers. */
export interface Uncovered {
  cashOut: string;
  /** Still to be paid out, in satoshi. */
  sats: bigint;
  /** Paid out before anything of it was credited: it came from elsewhere, and is not credited any more. */
  paid: bigint;
}

/**
 * The cash-outs whose sats are still to be paid out, to clients or commission recipients, and are not covered by a
 * credit, oldest first. Of settlements by hand only those that say so.
 */
export async function uncoveredCashOuts(db: Db): Promise<Uncovered[]> {
  const total = (what: string, from: string) => sql.raw(`(select coalesce(sum(${what}), 0) from ${from})`);
  const unpaid = 'and (x.payout_id is null or p.state <> ' + "'settled')";
  const allocations =
    'allocations as x left join payouts as p on p.id = x.payout_id where x.cash_out_id = c.id';
  const shares =
    'commission_shares as x left join payouts as p on p.id = x.payout_id where x.cash_out_id = c.id';
  const { rows } = await sql<{ id: string; due: bigint; open: bigint; covered: bigint }>`
    with unpaid as (
      select cash_out_id from allocations where payout_id is null and net > 0
      union select x.cash_out_id from payouts as p join allocations as x on x.payout_id = p.id where p.state <> 'settled'
      union select cash_out_id from commission_shares where payout_id is null
      union select x.cash_out_id from payouts as p join commission_shares as x on x.payout_id = p.id
        where p.state <> 'settled'
    )
    select c.id,
      cast(${total('x.net', allocations)} + ${total('x.sats', shares)} as bigint) as due,
      cast(${total('x.net', `${allocations} ${unpaid}`)} + ${total('x.sats', `${shares} ${unpaid}`)} as bigint) as open,
      cast(${total(
        'm.sats + m.paid',
        "credit_members as m join credits as k on k.id = m.credit_id where m.cash_out_id = c.id and k.state <> 'dropped'",
      )} as bigint) as covered
    from unpaid join cash_outs as c on c.id = unpaid.cash_out_id
    where c.origin = 'lamassu'
      or exists (select 1 from settlements as s where s.cash_out_id = c.id and s.credit = 1)
    order by c.confirmed_at, c.id`.execute(db);
  return rows
    .map(({ id, due, open, covered }) => {
      const bare = due - covered;
      const sats = bare < open ? bare : open;
      return { cashOut: id, sats, paid: bare - sats };
    })
    .filter(({ sats }) => sats > 0n);
}

/** Sats that arrived, sats of credits that are still to arrive, and how many credits a person may have to look at. */
export async function creditTotals(db: Db): Promise<{ credited: bigint; open: bigint; doubtful: bigint }> {
  const sumOf = (states: string, what = 'sats') =>
    sql<bigint>`cast(coalesce(sum(case when state in (${sql.raw(states)}) then ${sql.raw(what)} else 0 end), 0) as bigint)`;
  return db
    .selectFrom('credits')
    .select([
      sumOf("'credited'").as('credited'),
      sumOf("'intended', 'sending', 'unknown'").as('open'),
      sumOf("'unknown', 'held'", '1').as('doubtful'),
    ])
    .executeTakeFirstOrThrow();
}

/** What a run would credit before it pays, in satoshi. */
export async function uncoveredSats(db: Db): Promise<bigint> {
  return (await uncoveredCashOuts(db)).reduce((all, one) => all + one.sats, 0n);
}

interface Planned {
  sats: bigint;
  members: Uncovered[];
}

/** Fills one credit after the other with at most `largest`; a cash-out may lie in several. */
export function planCredits(uncovered: Uncovered[], largest: bigint): Planned[] {
  const plan: Planned[] = [];
  for (const { cashOut, sats, paid } of uncovered) {
    let left = sats;
    while (left > 0n) {
      let last = plan.at(-1);
      if (!last || last.sats === largest) {
        last = { sats: 0n, members: [] };
        plan.push(last);
      }
      const room = largest - last.sats;
      const part = left < room ? left : room;
      last.members.push({ cashOut, sats: part, paid: left === sats ? paid : 0n });
      last.sats += part;
      left -= part;
    }
  }
  return plan;
}

/**
 * `intended`: records credits over what is not covered, and drops those of a former source wallet that were never
 * sent. `largest`: the most of one credit.
 */
export async function intendCredits(
  trx: Trx,
  who: Who,
  { wallet, largest }: { wallet: string; largest: bigint },
  at: Instant,
): Promise<void> {
  const former = await creditsIn(trx, ['intended']);
  for (const credit of former.filter((one) => one.wallet_id !== wallet))
    await dropCredit(trx, who, credit, 'the source wallet is another one now', at);
  for (const { sats, members } of planCredits(await uncoveredCashOuts(trx), largest)) {
    const { id } = await trx
      .insertInto('credits')
      .values({ wallet_id: wallet, sats, state: 'intended', run_id: who.run, created_at: at })
      .returning('id')
      .executeTakeFirstOrThrow();
    await trx
      .insertInto('credit_members')
      .values(
        members.map((one) => ({ credit_id: id, cash_out_id: one.cashOut, sats: one.sats, paid: one.paid })),
      )
      .execute();
    await record(trx, who, {
      ...{ at, action: 'credit intend', subject: `c${id}` },
      after: { state: 'intended', sats, wallet_id: wallet, cash_outs: members.length },
    });
  }
}

/** Oldest first. */
export async function creditsIn(db: Db, states: CreditState[]): Promise<Credit[]> {
  return db.selectFrom('credits').selectAll().where('state', 'in', states).orderBy('id').execute();
}

/**
 * Payments of LNbits that are known from credits of the same amount: it was found by them, or they were there before
 * it was sent.
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

/** When the newest cash-out of a credit was confirmed. */
export async function newestMember(db: Db, { id }: Credit): Promise<Instant> {
  const { newest } = await db
    .selectFrom('credit_members as m')
    .innerJoin('cash_outs as c', 'c.id', 'm.cash_out_id')
    .select((eb) => eb.fn.max('c.confirmed_at').as('newest'))
    .where('m.credit_id', '=', id)
    .executeTakeFirstOrThrow();
  return newest;
}

/** Which of these payments of LNbits another credit was found by. */
export async function ownedHashes(db: Db, hashes: string[]): Promise<Set<string>> {
  if (hashes.length === 0) return new Set();
  const rows = await db
    .selectFrom('credits')
    .select('payment_hash')
    .where('payment_hash', 'in', hashes)
    .execute();
  return new Set(rows.flatMap(({ payment_hash }) => payment_hash ?? []));
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

/** Back to `intended`: nothing was sent, or LNbits said no and shows nothing. */
export async function takeBackCredit(trx: Trx, { id }: Credit, reason: string): Promise<void> {
  await move(trx, id, ['sending'], { state: 'intended', reason });
}

/** `unknown`: what became of the call could not be found out yet. */
export async function loseCredit(trx: Trx, { id }: Credit, reason: string): Promise<void> {
  await move(trx, id, ['sending', 'unknown'], { state: 'unknown', reason });
}

/** `credited`, by the payment that LNbits shows; null where a person says so and names none. */
export async function creditArrived(
  trx: Trx,
  who: Who,
  { id, state, sats }: Credit,
  hash: string | null,
  at: Instant,
  reason?: string,
): Promise<void> {
  await move(trx, id, ['sending', 'unknown', 'held'], {
    ...{ state: 'credited', credited_at: at, payment_hash: hash },
    reason: reason === undefined ? null : `${who.actor}: ${reason}`,
  });
  await record(trx, who, {
    ...{ at, action: 'credit arrive', subject: `c${id}`, reason },
    before: { state },
    after: { state: 'credited', sats, payment_hash: hash },
  });
}

/** `held`: only a person decides what became of it. */
export async function holdCredit(
  trx: Trx,
  who: Who,
  { id, state, seen }: Credit,
  reason: string,
  at: Instant,
): Promise<void> {
  await move(trx, id, ['intended', 'sending', 'unknown'], { state: 'held', reason, seen });
  await record(trx, who, {
    ...{ at, action: 'credit held', subject: `c${id}`, reason },
    before: { state },
    after: { state: 'held' },
  });
}

/** `dropped`: it did not happen, and its cash-outs are free for another one. */
export async function dropCredit(
  trx: Trx,
  who: Who,
  { id, state, sats }: Credit,
  reason: string,
  at: Instant,
): Promise<void> {
  await move(trx, id, ['intended', 'sending', 'unknown', 'held'], { state: 'dropped', reason });
  await record(trx, who, {
    ...{ at, action: 'credit drop', subject: `c${id}`, reason },
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
