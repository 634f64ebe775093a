import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { addDays } from '../../dca/local-time.ts';
import type { Instant } from '../../time.ts';
import { notSettled } from '../payouts/open-payouts.ts';
import type { Db } from '../store/open.ts';
import { sumOf } from '../store/sum.ts';

/*
 * What clients bought in all, by client and currency. A client has thousands of allocations after some years, so these
 * are counted by indexes that have all it takes, and the sums are those of the payouts, which add up the same.
 */

/** Fiat in minor units. A payout counts as arrived once all of it has. */
export interface PurchasedInAll {
  sats: bigint;
  fiat: bigint;
  /** What has not arrived, without the parts that have. */
  openSats: bigint;
  openFiat: bigint;
  /** Cash-outs of which something has arrived, or all that was to arrive is 0 sat. */
  purchases: bigint;
  /** When the first and the last of them were confirmed. */
  firstAt: Instant | null;
  lastAt: Instant | null;
}

const NOTHING: PurchasedInAll = {
  ...{ sats: 0n, fiat: 0n, openSats: 0n, openFiat: 0n, purchases: 0n },
  ...{ firstAt: null, lastAt: null },
};

/** Of this client in this currency. */
export type LookUpPurchased = (client: bigint, currency: string) => PurchasedInAll;

/** What these clients bought: a client who bought nothing has nothing of each. */
export async function boughtBy(db: Db, clients: readonly bigint[]): Promise<LookUpPurchased> {
  const all = new Map<string, PurchasedInAll>();
  const key = (client: bigint, currency: string) => `${client} ${currency}`;
  const of: LookUpPurchased = (client, currency) => all.get(key(client, currency)) ?? NOTHING;
  const add = (
    { client_id: client, currency }: Owner,
    more: (before: PurchasedInAll) => Partial<PurchasedInAll>,
  ) => {
    const before = of(client, currency);
    all.set(key(client, currency), { ...before, ...more(before) });
  };
  for (const { state, ...row } of await inPayouts(db, clients)) {
    add(row, (one) =>
      state === 'settled'
        ? { sats: one.sats + row.sats, fiat: one.fiat + row.fiat }
        : { openSats: one.openSats + row.sats, openFiat: one.openFiat + row.fiat },
    );
  }
  for (const row of await inNoPayout(db, clients)) {
    add(row, (one) => ({ openSats: one.openSats + row.sats, openFiat: one.openFiat + row.fiat }));
  }
  for (const row of await ofNoSats(db, clients)) add(row, (one) => ({ fiat: one.fiat + row.fiat }));
  for (const row of await cashOutsOf(db, clients)) add(row, () => ({ purchases: row.cash_outs }));
  for (const row of await waitingOnly(db, clients)) {
    add(row, (one) => ({ purchases: one.purchases - row.cash_outs }));
  }
  for (const row of await bounds(db, clients)) {
    add(row, ({ firstAt, lastAt }) => ({
      firstAt: firstAt === null || row.first < firstAt ? row.first : firstAt,
      lastAt: lastAt === null || row.last > lastAt ? row.last : lastAt,
    }));
  }
  return of;
}

interface Owner {
  client_id: bigint;
  currency: string;
}

function inPayouts(db: Db, clients: readonly bigint[]) {
  return db
    .selectFrom('payouts')
    .select(['recipient_id as client_id', 'currency', 'state'])
    .select([sumOf('sats').as('sats'), sumOf('fiat').as('fiat')])
    .where('recipient_id', 'in', clients)
    .groupBy(['recipient_id', 'currency', 'state'])
    .execute();
}

/** Literally as in the index of what waits. */
const isUnformed = sql<SqlBool>`allocations.payout_id is null and allocations.net > 0`;

function inNoPayout(db: Db, clients: readonly bigint[]) {
  return db
    .selectFrom('allocations')
    .select(['client_id', 'currency', sumOf('net').as('sats'), sumOf('fiat').as('fiat')])
    .where(isUnformed)
    .where('client_id', 'in', clients)
    .groupBy(['client_id', 'currency'])
    .execute();
}

/** An allocation of 0 sat is never paid: nothing of it waits. */
function ofNoSats(db: Db, clients: readonly bigint[]) {
  return db
    .selectFrom('allocations')
    .select(['client_id', 'currency', sumOf('fiat').as('fiat')])
    .where(sql<SqlBool>`allocations.net = 0`)
    .where('payout_id', 'is', null)
    .where('client_id', 'in', clients)
    .groupBy(['client_id', 'currency'])
    .execute();
}

const distinctCashOuts = sql<bigint>`count(distinct a.cash_out_id)`;

function cashOutsOf(db: Db, clients: readonly bigint[]) {
  return db
    .selectFrom('fundings as f')
    .innerJoin('allocations as a', 'a.funding_id', 'f.id')
    .select(['f.client_id', 'f.currency', distinctCashOuts.as('cash_outs')])
    .where('f.client_id', 'in', clients)
    .groupBy(['f.client_id', 'f.currency'])
    .execute();
}

/** Whether an allocation has arrived, by the names of its row and of that of its payout. */
function hasArrived(allocation: string, payout: string): RawBuilder<SqlBool> {
  const column = (table: string, name: string) => sql.ref(`${table}.${name}`);
  return sql`(${column(payout, 'state')} = 'settled' or ${column(allocation, 'net')} = 0)`;
}

/** The cash-outs of which nothing has arrived. */
function waitingOnly(db: Db, clients: readonly bigint[]) {
  const columns = ['client_id', 'currency', 'cash_out_id'] as const;
  const unformed = db.selectFrom('allocations').select(columns).where(isUnformed);
  const open = db
    .selectFrom('allocations')
    .select(columns)
    .where('payout_id', 'in', db.selectFrom('payouts').select('id').where(notSettled))
    .where('net', '>', 0n);
  return db
    .selectFrom(
      unformed
        .where('client_id', 'in', clients)
        .union(open.where('client_id', 'in', clients))
        .as('a'),
    )
    .select(['a.client_id', 'a.currency', distinctCashOuts.as('cash_outs')])
    .where(
      sql<SqlBool>`not exists (select 1 from allocations as b left join payouts as q on q.id = b.payout_id
        where b.cash_out_id = a.cash_out_id and b.client_id = a.client_id and ${hasArrived('b', 'q')})`,
    )
    .groupBy(['a.client_id', 'a.currency'])
    .execute();
}

/** A local day is the same in two time zones, but for so many days: an operator may have changed the time zone. */
const APART = 2;

/** How many windows one query has: a statement of SQLite takes 32,766 values, and a window has three. */
const AT_ONCE = 5_000;

/**
 * When the first and the last cash-out were confirmed of which something has arrived. The days of the fundings say
 * which few come into question.
 */
async function bounds(db: Db, clients: readonly bigint[]) {
  const day = (order: 'asc' | 'desc') =>
    sql<string | null>`(select a.local_date from allocations as a left join payouts as p on p.id = a.payout_id
      where a.funding_id = f.id and ${hasArrived('a', 'p')} order by a.local_date ${sql.raw(order)} limit 1)`;
  const days = await db
    .selectFrom('fundings as f')
    .select(['f.id', 'f.client_id', 'f.currency', day('asc').as('first'), day('desc').as('last')])
    .where('f.client_id', 'in', clients)
    .execute();
  const windows: RawBuilder<unknown>[] = [];
  const owners = Map.groupBy(days, ({ client_id: client, currency }) => `${client} ${currency}`);
  for (const fundings of owners.values()) {
    const used = fundings.flatMap(({ id, first, last }) => (first && last ? [{ id, first, last }] : []));
    const [firstDay] = used.map(({ first }) => first).sort();
    const lastDay = used
      .map(({ last }) => last)
      .sort()
      .at(-1);
    if (firstDay === undefined || lastDay === undefined) continue;
    const [until, since] = [addDays(firstDay, APART), addDays(lastDay, -APART)];
    for (const { id, first, last } of used) {
      if (first <= until) windows.push(window(id, '', until));
      if (last >= since) windows.push(window(id, since, '9'));
    }
  }
  const found: (Owner & { first: Instant; last: Instant })[] = [];
  for (let from = 0; from < windows.length; from += AT_ONCE) {
    const { rows } = await sql<(typeof found)[number]>`
      with w (funding_id, since, until) as (values ${sql.join(windows.slice(from, from + AT_ONCE))})
      select a.client_id, a.currency, min(c.confirmed_at) as first, max(c.confirmed_at) as last
      from w inner join allocations as a
          on a.funding_id = w.funding_id and a.local_date >= w.since and a.local_date <= w.until
        inner join cash_outs as c on c.id = a.cash_out_id left join payouts as p on p.id = a.payout_id
      where ${hasArrived('a', 'p')} group by a.client_id, a.currency`.execute(db);
    found.push(...rows);
  }
  return found;
}

function window(funding: bigint, since: string, until: string): RawBuilder<unknown> {
  return sql`(cast(${funding} as bigint), ${since}, ${until})`;
}
