import { sql } from 'kysely';
import { type Act, record } from '../log/log.ts';
import { type FeeRate, feeOn, feeRate, feeReserve } from '../payouts/service-fee.ts';
import type { Db, Trx } from '../store/open.ts';
import type { CreditState } from '../store/schema.ts';
import { creditsIn, dropCredit } from './credits.ts';

/** The part of a cash-out that no credit covers. */
export interface Uncovered {
  cashOut: string;
  /** Still to be paid out and not covered, in satoshi. */
  sats: bigint;
  /** Paid out before it was credited: those sats came from elsewhere, so they need no credit. */
  paid: bigint;
}

/** A cash-out with sats that are still to be paid out. */
interface Open extends Uncovered {
  /** All that is still to be paid out, covered or not, in satoshi, and to how many recipients. */
  open: bigint;
  pieces: bigint;
}

/**
 * The cash-outs whose sats are still to be paid out, to clients or commission recipients, and what of them is not
 * covered by a credit, oldest first. Settlements count only if they ask for a credit. `idle`: in these states a credit
 * covers nothing. What has arrived of an open payout counts for its oldest cash-outs.
 */
async function openCashOuts(db: Db, idle: CreditState[]): Promise<Open[]> {
  const { rows } = await sql<{ id: string; due: bigint; open: bigint; pieces: bigint; covered: bigint }>`
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
      select cash_out_id, sum(sats) as sats, count(*) as pieces from unpaid group by cash_out_id
    )
    select c.id, cast(open.sats as bigint) as open, cast(open.pieces as bigint) as pieces,
      cast((select coalesce(sum(net), 0) from allocations where cash_out_id = c.id)
        + (select coalesce(sum(sats), 0) from commission_shares where cash_out_id = c.id) as bigint) as due,
      cast((select coalesce(sum(m.sats + m.paid), 0) from credit_members as m join credits as k on k.id = m.credit_id
        where m.cash_out_id = c.id and k.state not in (${sql.join(idle)})) as bigint) as covered
    from open join cash_outs as c on c.id = open.cash_out_id
    where c.origin = 'lamassu'
      or exists (select 1 from settlements as s where s.cash_out_id = c.id and s.credit = 1)
    order by c.confirmed_at, c.id`.execute(db);
  return rows.map(({ id, due, open, pieces, covered }) => {
    const bare = due - covered;
    const sats = bare < open ? bare : open;
    return { cashOut: id, open, pieces, sats, paid: bare - sats };
  });
}

const uncovered = (open: Open[]): Uncovered[] => open.filter(({ sats }) => sats > 0n);

/** The sats of each cash-out that have to be credited and were not sent yet, recorded or not. */
const needed = async (db: Db) => uncovered(await openCashOuts(db, ['dropped', 'intended']));

/** What a run would credit before it pays, in satoshi. */
export async function neededSats(db: Db): Promise<bigint> {
  return (await needed(db)).reduce((all, one) => all + one.sats, 0n);
}

interface Planned {
  sats: bigint;
  members: Uncovered[];
}

/** Fills credits up to `largest` each; several may share a cash-out. */
export function planCredits(cashOuts: Uncovered[], largest: bigint): Planned[] {
  const plan: Planned[] = [];
  for (const { cashOut, sats, paid } of cashOuts) {
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

/** Whether a payout waits for sats: some of what LNbits takes as its service fee may not be credited. */
export async function waitsForSats(db: Db): Promise<boolean> {
  const one = await db
    .selectFrom('payouts')
    .select('id')
    .where('state', 'in', ['deferred', 'unknown'])
    .where('lack', 'is not', null)
    .limit(1)
    .executeTakeFirst();
  return one !== undefined;
}

/**
 * `intended`: records credits over what is not covered, and over what is missing of LNbits' service fee on all that is
 * still to be paid; drops those of a former source wallet that were never sent, and those that nothing needs any more.
 * `largest`: the most of one credit. `fee`: the fee that LNbits reported; by default the one that its newest payments
 * show.
 */
export async function intendCredits(
  trx: Trx,
  act: Act,
  { wallet, largest, fee }: { wallet: string; largest: bigint; fee?: FeeRate | undefined },
): Promise<void> {
  const former = await creditsIn(trx, ['intended']);
  for (const credit of former.filter((one) => one.wallet_id !== wallet))
    await dropCredit(trx, act, credit, 'the source wallet is another one now');
  await dropNeedless(trx, act);
  const open = await openCashOuts(trx, ['dropped']);
  const rate = fee === undefined ? await feeRate(trx) : fee;
  let missing = feeOnOpen(open, rate, largest) - (await feeReserve(trx, wallet));
  const plan = planCredits(uncovered(open), largest);
  for (let next = 0; next < plan.length || missing > 0n; next += 1) {
    const { sats: covered, members } = plan[next] ?? { sats: 0n, members: [] };
    const room = largest - covered;
    const part = missing < room ? missing : room;
    const fee = part > 0n ? part : 0n;
    missing -= fee;
    const sats = covered + fee;
    const { id } = await trx
      .insertInto('credits')
      .values({ wallet_id: wallet, sats, fee, state: 'intended', run_id: act.run, created_at: act.at })
      .returning('id')
      .executeTakeFirstOrThrow();
    if (members.length > 0)
      await trx
        .insertInto('credit_members')
        .values(
          members.map((one) => ({ credit_id: id, cash_out_id: one.cashOut, sats: one.sats, paid: one.paid })),
        )
        .execute();
    await record(trx, act, {
      ...{ action: 'credit intend', subject: `c${id}` },
      after: { state: 'intended', sats, fee, wallet_id: wallet, cash_outs: members.length },
    });
  }
}

/** LNbits' fee on all that is still to be paid: at most one payment for each recipient and cash-out, plus parts. */
function feeOnOpen(open: Open[], rate: FeeRate, largest: bigint): bigint {
  const sats = open.reduce((all, one) => all + one.open, 0n);
  const payments = open.reduce((all, one) => all + one.pieces, 0n) + sats / largest;
  return feeOn(sats, rate, payments);
}

/**
 * Drops unsent credits whose sats were paid out meanwhile. Those sats came from the wallet's balance, and crediting
 * them would make LNbits owe sats for which nothing came in. Another credit may cover the sats of their cash-outs that
 * are still to be paid.
 */
export async function dropNeedless(trx: Trx, act: Act): Promise<void> {
  const intended = await creditsIn(trx, ['intended']);
  if (intended.length === 0) return;
  const open = await openCashOuts(trx, ['dropped', 'intended']);
  const needs = new Map(uncovered(open).map(({ cashOut, sats }) => [cashOut, sats]));
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
    // A credit without cash-outs is for the service fee on what is still to be paid.
    if (own.length === 0 ? open.length > 0 : own.every((id) => need(id) >= (planned.get(id) ?? 0n))) continue;
    const paid = own.every((id) => need(id) === 0n) ? 'paid without it' : 'partly paid without it';
    const why = credit.reason === null ? paid : `${paid}, after: ${credit.reason}`;
    await dropCredit(trx, act, credit, why);
  }
}
