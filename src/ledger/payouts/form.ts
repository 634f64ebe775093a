import { type SqlBool, sql } from 'kysely';
import { type Instant, MAY_DIFFER_MS, plus } from '../../time.ts';
import type { Db, Trx } from '../store/open.ts';
import { CASH_LEFT } from '../store/schema.ts';
import { sumOf } from '../store/sum.ts';
import { inParts } from './parts.ts';

export interface FormOptions {
  /** `poll`: one payout per client and currency; `cash-out`: one per client and cash-out. */
  batch: 'poll' | 'cash-out';
  /** Smaller sums wait until they add up, in satoshi. */
  minimumSats: bigint;
  /** The most that one payment may carry; larger payouts go in parts. In satoshi. */
  maximumSats: bigint;
  /** The newest scheduled time of fixed mode: allocations until then are due; null: none has passed. */
  fixedDueAt: Instant | null;
  now: Instant;
  run: bigint;
}

/**
 * Collects due allocations without a payout into payouts; amount and members never change afterwards. A flow client's
 * allocations are due at once; a fixed client's, at the next scheduled time, or once the client is back in flow mode.
 * Sums below the minimum wait, except for a client who is closing or has no cash left.
 */
export async function formPayouts(trx: Trx, options: FormOptions): Promise<bigint[]> {
  const formed: bigint[] = [];
  for (const group of await dueGroups(trx, options)) {
    const { id } = await trx
      .insertInto('payouts')
      .values({
        recipient_id: group.recipient_id,
        kind: group.kind,
        sats: group.sats,
        fiat: group.fiat,
        currency: group.currency,
        state: 'planned',
        created_at: options.now,
        run_id: options.run,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    const parts = inParts(group.sats, options.maximumSats);
    await trx
      .insertInto('payout_parts')
      .values(parts.map((sats, index) => ({ payout_id: id, part: BigInt(index + 1), sats })))
      .execute();
    const taken =
      group.kind === 'client'
        ? await takeAllocations(trx, id, group, options)
        : await takeShares(trx, id, group);
    if (taken !== group.sats) throw new Error(`payout p${id} of ${group.sats} sat took ${taken} sat`);
    formed.push(id);
  }
  return formed;
}

export interface DueGroup {
  kind: 'client' | 'commission';
  recipient_id: bigint;
  currency: string;
  /** Only for a client with `batch: 'cash-out'`. */
  cash_out_id: string | null;
  sats: bigint;
  fiat: bigint;
}

/**
 * The payouts that forming would make now: the clients', then the commission's. With `before`, only of cash-outs that
 * were processed before that moment.
 */
export async function dueGroups(db: Db, options: FormOptions, before?: Instant): Promise<DueGroup[]> {
  return [...(await dueClients(db, options, before)), ...(await dueCommission(db, options, before))];
}

function processedBefore(table: 'allocations' | 'commission_shares', before: Instant | undefined) {
  return sql<SqlBool>`exists (select 1 from cash_outs as b where b.id = ${sql.ref(`${table}.cash_out_id`)}
    and b.processed_at < ${before})`;
}

async function dueClients(db: Db, options: FormOptions, before?: Instant): Promise<DueGroup[]> {
  const single = options.batch === 'cash-out';
  const cashOut = single ? sql<string | null>`allocations.cash_out_id` : sql<string | null>`null`;
  const rows = await db
    .selectFrom('allocations')
    .innerJoin('recipients', 'recipients.id', 'allocations.client_id')
    .select([
      'allocations.client_id as recipient_id',
      'allocations.currency',
      cashOut.as('cash_out_id'),
      sumOf('allocations.net').as('sats'),
      sumOf('allocations.fiat').as('fiat'),
    ])
    .where(isDue(options))
    .$if(before !== undefined, (query) => query.where(processedBefore('allocations', before)))
    .groupBy(['allocations.client_id', 'allocations.currency', 'recipients.status'])
    .$if(single, (query) => query.groupBy('allocations.cash_out_id'))
    .having(
      sql<SqlBool>`(sum(allocations.net) >= ${options.minimumSats} or recipients.status = 'closing' or not exists (
        select 1 from fundings where fundings.client_id = allocations.client_id
          and fundings.status in (${sql.join(CASH_LEFT)})))`,
    )
    .orderBy('allocations.client_id')
    .orderBy('allocations.currency')
    .$if(single, (query) => query.orderBy('allocations.cash_out_id'))
    .execute();
  return rows.map((row) => ({ kind: 'client', ...row }));
}

async function dueCommission(db: Db, options: FormOptions, before?: Instant): Promise<DueGroup[]> {
  const rows = await db
    .selectFrom('commission_shares')
    .innerJoin('recipients', 'recipients.id', 'commission_shares.recipient_id')
    .select([
      'commission_shares.recipient_id',
      'commission_shares.currency',
      sumOf('commission_shares.sats').as('sats'),
    ])
    .where('commission_shares.payout_id', 'is', null)
    .$if(before !== undefined, (query) => query.where(processedBefore('commission_shares', before)))
    .groupBy(['commission_shares.recipient_id', 'commission_shares.currency', 'recipients.status'])
    .having(
      sql<SqlBool>`(sum(commission_shares.sats) >= ${options.minimumSats} or recipients.status <> 'active')`,
    )
    .orderBy('commission_shares.recipient_id')
    .orderBy('commission_shares.currency')
    .execute();
  return rows.map((row) => ({ kind: 'commission', cash_out_id: null, fiat: 0n, ...row }));
}

/**
 * Whether an allocation without a payout is due. In fixed mode it is due if its cash-out was processed until the
 * scheduled time; or if it was confirmed until then and processed by the first run that read its Lamassu afterwards, so
 * a bridge that was off pays what it would have paid. Cash-outs that come later in the day wait; so do external
 * settlements, which no run reads. If a clock was ahead when the cash-out was processed, only `confirmed_at` counts.
 */
export function isDue({ fixedDueAt, now }: Pick<FormOptions, 'fixedDueAt' | 'now'>) {
  const due = fixedDueAt ?? '';
  const ahead = plus(now, MAY_DIFFER_MS);
  return sql<SqlBool>`allocations.payout_id is null and allocations.net > 0 and (allocations.mode = 'flow'
    or exists (select 1 from cash_outs as c where c.id = allocations.cash_out_id and
      case when c.processed_at <= ${due} or (c.processed_at > ${ahead} and c.confirmed_at <= ${due}) then 1 when c.confirmed_at > ${due} or c.origin = 'external' then 0
        when coalesce((select r.read_at from runs as r where r.source = c.source and r.read_at < c.processed_at
          order by r.id desc limit 1), '') <= ${due}
          then 1 else 0 end = 1)
    or 'flow' = (select s.mode from client_settings as s where s.client_id = allocations.client_id
      order by s.from_at desc, s.id desc limit 1))`;
}

/** Puts a client's due allocations into the payout; returns their sats. */
async function takeAllocations(
  trx: Trx,
  payout: bigint,
  group: DueGroup,
  options: FormOptions,
): Promise<bigint> {
  await trx
    .updateTable('allocations')
    .set({ payout_id: payout })
    .where('client_id', '=', group.recipient_id)
    .where('currency', '=', group.currency)
    .$if(group.cash_out_id !== null, (query) => query.where('cash_out_id', '=', group.cash_out_id))
    .where(isDue(options))
    .execute();
  const { sats } = await trx
    .selectFrom('allocations')
    .select(sumOf('net').as('sats'))
    .where('payout_id', '=', payout)
    .executeTakeFirstOrThrow();
  return sats;
}

/** Puts a recipient's waiting shares into the payout; returns their sats. */
async function takeShares(trx: Trx, payout: bigint, group: DueGroup): Promise<bigint> {
  await trx
    .updateTable('commission_shares')
    .set({ payout_id: payout })
    .where('recipient_id', '=', group.recipient_id)
    .where('currency', '=', group.currency)
    .where('payout_id', 'is', null)
    .execute();
  const { sats } = await trx
    .selectFrom('commission_shares')
    .select(sumOf('sats').as('sats'))
    .where('payout_id', '=', payout)
    .executeTakeFirstOrThrow();
  return sats;
}
