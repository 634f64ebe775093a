import { formatDecimal } from '../../dca/money.ts';
import { type BridgeError, wrongState } from '../../errors.ts';
import { call, message } from '../../lib/message.ts';
import { isInstant } from '../../time.ts';
import { type Act, type ReasonedAct, record, toJson } from '../log/log.ts';
import type { Trx } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';
import { finalityOf } from './finality.ts';
import { type Finding, toReview } from './review.ts';
import { settlementSnapshot } from './settlement.ts';
import { type CashOutDetail, cashOutDetail } from './view.ts';

/** The result of undoing a settlement. */
export interface Voided {
  /** The settlement before. */
  was: CashOutDetail;
  /** The fundings that got their cash back; `fiat` and `remaining` in minor units. */
  fundings: { id: bigint; client: string; closing: boolean; fiat: bigint; remaining: bigint }[];
  /** `review`: Lamassu's row is in review again; `poll`: nothing holds it back; `none`: an external one has no row. */
  back: 'review' | 'poll' | 'none';
}

/** Why the row belongs in review, by Lamassu's row at the settlement; null if it does not. */
export type Judge = (lamassu: Finding['lamassu']) => Promise<Pick<Finding, 'reason' | 'detail'> | null>;

/**
 * Undoes a settlement that no payout contains. Its cash returns to the fundings, its rows move from the books to
 * `voids`, and its id is free again. Throws `usage/invalid` with the way out if that is no longer possible.
 */
export async function voidSettlement(trx: Trx, act: ReasonedAct, id: string, judge: Judge): Promise<Voided> {
  const was = await cashOutDetail(trx, id);
  if (!was?.settlement) throw await notSettled(trx, id, was);
  const final = await finalityOf(trx, was);
  if (final) throw wrongState('id', final.why, final.way);
  const { cashOut } = was;
  const { at, actor, reason } = act;
  const before = settlementSnapshot(was);
  const credits = await trx
    .selectFrom('credit_members')
    .select(['credit_id', 'sats', 'paid'])
    .where('cash_out_id', '=', id)
    .execute();
  // Triggers allow to delete only what `voids` has recorded.
  await trx
    .insertInto('voids')
    .values({
      ...{ cash_out_id: id, at, actor, reason },
      was: toJson({ ...before, lamassu: cashOut.lamassu, settlement: was.settlement, credits }) ?? '',
    })
    .execute();
  const fundings: Voided['fundings'] = [];
  for (const one of was.allocations) {
    fundings.push(await giveBack(trx, act, cashOut, one.funding_id, one.fiat));
  }
  await trx.deleteFrom('allocations').where('cash_out_id', '=', id).execute();
  await trx.deleteFrom('commission_shares').where('cash_out_id', '=', id).execute();
  await trx.deleteFrom('credit_members').where('cash_out_id', '=', id).execute();
  await trx.deleteFrom('settlements').where('cash_out_id', '=', id).execute();
  await trx.deleteFrom('cash_outs').where('id', '=', id).execute();
  await record(trx, act, { action: 'settle void', subject: id, before });
  const back = cashOut.origin === 'settled' ? await watchAgain(trx, act, cashOut, judge) : 'none';
  return { was, fundings, back };
}

async function notSettled(trx: Trx, id: string, view: CashOutDetail | undefined): Promise<BridgeError> {
  if (view) {
    return wrongState(
      'id',
      `${id} was distributed as Lamassu confirmed it, and only what the operator settled can be undone`,
      message`${call('cash_outs.show', { id })} shows how it was divided.`,
    );
  }
  const earlier = await trx
    .selectFrom('voids')
    .select(['at', 'actor'])
    .where('cash_out_id', '=', id)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return wrongState(
    'id',
    earlier
      ? `the settlement of ${id} was already undone by ${earlier.actor} at ${earlier.at}`
      : `${id} was not settled`,
    message`${call('log.list')} shows what was done.`,
  );
}

/** Gives the cash back, also to a funding that was exhausted. */
async function giveBack(
  trx: Trx,
  act: Act,
  { id: cashOut, digits }: CashOutDetail['cashOut'],
  id: bigint,
  fiat: bigint,
): Promise<Voided['fundings'][number]> {
  const read = () =>
    trx
      .selectFrom('fundings')
      .innerJoin('recipients', 'recipients.id', 'fundings.client_id')
      .select([
        ...(['fundings.remaining', 'fundings.spent', 'fundings.status'] as const),
        ...(['recipients.name', 'recipients.status as client_status'] as const),
      ])
      .where('fundings.id', '=', id)
      .executeTakeFirstOrThrow();
  const { name, client_status, ...before } = await read();
  const shown = (one: Pick<Schema['fundings'], 'remaining' | 'spent' | 'status'>) => ({
    remaining: formatDecimal(one.remaining, digits),
    spent: formatDecimal(one.spent, digits),
    status: one.status,
  });
  await trx
    .updateTable('fundings')
    .set((eb) => ({
      remaining: eb('remaining', '+', fiat),
      spent: eb('spent', '-', fiat),
      status: 'deposited',
    }))
    .where('id', '=', id)
    .execute();
  const { remaining, spent, status } = await read();
  await record(trx, act, {
    ...{ action: 'settle void', subject: `f${id}` },
    before: { ...shown(before), cash_out: cashOut },
    after: { ...shown({ remaining, spent, status }), cash_out: cashOut },
  });
  return { id, client: name, closing: client_status === 'closing', fiat, remaining };
}

/** Opens the row's review again. If Lamassu confirms the cash-out later, it is distributed. */
async function watchAgain(
  trx: Trx,
  act: Act,
  { id, source, machine, lamassu }: Schema['cash_outs'],
  judge: Judge,
): Promise<Voided['back']> {
  const { at } = act;
  const row = JSON.parse(lamassu ?? '{}') as Finding['lamassu'];
  const confirmedAt = row.confirmed_at ?? null;
  await trx
    .insertInto('watch')
    .values({
      ...{ cash_out_id: id, source, since: at },
      confirmed_at: confirmedAt !== null && isInstant(confirmedAt) ? confirmedAt : null,
    })
    .execute();
  const again = { state: 'open' as const, since: at, closed_at: null, closed_by: null, closed_reason: null };
  // The row that is there tells better what it waited for before.
  const known = await trx
    .updateTable('review')
    .set(again)
    .where('cash_out_id', '=', id)
    .returning('cash_out_id')
    .executeTakeFirst();
  if (known) return 'review';
  const why = await judge(row);
  if (!why) return 'poll';
  await toReview(trx, act, { cashOutId: id, source, machine, ...why, lamassu: row });
  return 'review';
}
