import { sql } from 'kysely';
import type { Instant } from '../time.ts';
import { creditsIn, dropCredit } from './credits.ts';
import { record, type Who } from './log.ts';
import type { Db, Trx } from './open.ts';
import type { CreditState } from './schema.ts';
import { feeOn, feeRate } from './service-fee.ts';

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
 * credit, oldest first. Of settlements by hand only those that say so. `idle`: in these states a credit covers nothing.
 * What has arrived of a payout that is open counts for its oldest cash-outs.
 */
async function uncoveredCashOuts(db: Db, idle: CreditState[]): Promise<Uncovered[]> {
  const { rows } = await sql<{ id: string; due: bigint; open: bigint; covered: bigint }>`
    with arrived as (
      select p.id as payout_id, coalesce((select sum(m.sats) from payments as m
        where m.payout_id = p.id and m.state = 'settled'), 0) as sats
      from payouts as p where p.state <> 'settled'
    ), formed as (
      select x.payout_id, x.cash_out_id, x.net as sats from allocations as x join arrived as a on a.payout_id = x.payout_id
      union all
      select x.payout_id, x.cash_out_id, x.sats from commission_shares as x join arrived as a on a.payout_id = x.payout_id
    ), lined_up as (
      select f.cash_out_id, f.sats, a.sats as arrived,
        sum(f.sats) over (partition by f.payout_id order by c.confirmed_at, c.id rows unbounded preceding) as reach
      from formed as f join arrived as a on a.payout_id = f.payout_id join cash_outs as c on c.id = f.cash_out_id
    ), unpaid as (
      select cash_out_id, net as sats from allocations where payout_id is null and net > 0
      union all
      select cash_out_id, sats from commission_shares where payout_id is null
      union all
      select cash_out_id, case when reach - arrived < sats then reach - arrived else sats end from lined_up
        where reach > arrived
    ), open as (
      select cash_out_id, sum(sats) as sats from unpaid group by cash_out_id
    )
    select c.id, cast(open.sats as bigint) as open,
      cast((select coalesce(sum(net), 0) from allocations where cash_out_id = c.id)
        + (select coalesce(sum(sats), 0) from commission_shares where cash_out_id = c.id) as bigint) as due,
      cast((select coalesce(sum(m.sats + m.paid), 0) from credit_members as m join credits as k on k.id = m.credit_id
        where m.cash_out_id = c.id and k.state not in (${sql.join(idle)})) as bigint) as covered
    from open join cash_outs as c on c.id = open.cash_out_id
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

/** What of each cash-out has to be credited and was not sent yet, recorded or not. */
const needed = (db: Db) => uncoveredCashOuts(db, ['dropped', 'intended']);

/** What a run would credit before it pays, in satoshi. */
export async function neededSats(db: Db): Promise<bigint> {
  return (await needed(db)).reduce((all, one) => all + one.sats, 0n);
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
 * `intended`: records credits over what is not covered, with LNbits' service fee on it, and drops those of a former source wallet that were never
 * sent, and those that nothing needs any more. `largest`: the most of one credit.
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
  await dropNeedless(trx, who, at);
  const rate = await feeRate(trx);
  const most = largest - feeOn(largest, rate);
  for (const { sats: covered, members } of planCredits(await uncoveredCashOuts(trx, ['dropped']), most)) {
    const fee = feeOn(covered, rate);
    const sats = covered + fee;
    const { id } = await trx
      .insertInto('credits')
      .values({ wallet_id: wallet, sats, fee, state: 'intended', run_id: who.run, created_at: at })
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
      after: { state: 'intended', sats, fee, wallet_id: wallet, cash_outs: members.length },
    });
  }
}

/**
 * Drops the credits never sent of which sats were paid out meanwhile: those came from what the wallet held, and crediting
 * them would make LNbits owe sats for which nothing came in. What is still to be paid of their cash-outs is free for
 * another credit.
 */
export async function dropNeedless(trx: Trx, who: Who, at: Instant): Promise<void> {
  const intended = await creditsIn(trx, ['intended']);
  if (intended.length === 0) return;
  const needs = new Map((await needed(trx)).map(({ cashOut, sats }) => [cashOut, sats]));
  const members = await trx
    .selectFrom('credit_members')
    .select(['credit_id', 'cash_out_id', 'sats'])
    .where(
      'credit_id',
      'in',
      intended.map(({ id }) => id),
    )
    .execute();
  const planned = new Map<string, bigint>();
  for (const { cash_out_id: id, sats } of members) planned.set(id, (planned.get(id) ?? 0n) + sats);
  const need = (cashOut: string) => needs.get(cashOut) ?? 0n;
  for (const credit of intended) {
    const own = members.filter(({ credit_id }) => credit_id === credit.id).map((one) => one.cash_out_id);
    if (own.every((id) => need(id) >= (planned.get(id) ?? 0n))) continue;
    const paid = own.every((id) => need(id) === 0n) ? 'paid without it' : 'partly paid without it';
    const why = credit.reason === null ? paid : `${paid}, after: ${credit.reason}`;
    await dropCredit(trx, who, credit, why, at);
  }
}
