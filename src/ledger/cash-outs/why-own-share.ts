import { sql } from 'kysely';
import * as z from 'zod';
import type { Division } from '../../dca/allocate.ts';
import type { CashOut } from '../../dca/cash-out.ts';
import { sum } from '../../dca/money.ts';
import { successors } from '../machines/lineage.ts';
import { inForce } from '../store/effective-dated.ts';
import type { Db } from '../store/open.ts';
import { CASH_LEFT } from '../store/schema.ts';
import { sumOf } from '../store/sum.ts';

/** Every reason, with its meaning. */
export const ownShareReasons = {
  'daily-limit': 'the daily limit of these clients was reached; they have more cash there',
  paused: 'these clients were paused; they have cash there',
  'not-deposited': 'cash of these clients for that machine was not in it yet, according to the ledger',
  'no-cash-left': 'the cash that clients had there was used up',
  'not-funded': 'no client had cash for that machine in that currency',
} as const;

export type OwnShareReason = keyof typeof ownShareReasons;

/** One reason, and the clients that it concerns. */
export interface OwnShareCause<Client = bigint> {
  reason: OwnShareReason;
  clients: Client[];
}

/**
 * Why a cash-out has an own share: the reason why each client's remaining cash was not used. Read before the division
 * is recorded; empty if there is no own share. An own share exists only if every cap was reached, so cash that remains
 * in an eligible funding is held back by a daily limit.
 */
export async function whyOwnShare(db: Db, cashOut: CashOut, division: Division): Promise<OwnShareCause[]> {
  if (division.own.fiat === 0n) return [];
  const at = cashOut.confirmedAt;
  const line = await successors(db, cashOut.machine);
  const there = db
    .selectFrom('fundings')
    .where('fundings.currency', '=', cashOut.currency)
    .where((eb) => eb.or([eb('fundings.machine', 'is', null), eb('fundings.machine', 'in', line)]));
  const rows = await there
    .innerJoin('client_settings', (join) =>
      join.on(
        'client_settings.id',
        '=',
        inForce('client_settings', 'client_id', sql.ref('fundings.client_id'), at),
      ),
    )
    .select([
      'fundings.client_id as client',
      sql<bigint>`cast(case when fundings.status = 'in_flight' or fundings.deposited_at > ${at} then 1 else 0 end as bigint)`.as(
        'late',
      ),
      'client_settings.paused',
      sumOf('fundings.remaining').as('left'),
    ])
    .where('fundings.status', 'in', CASH_LEFT)
    .groupBy(['fundings.client_id', sql`late`, 'client_settings.paused'])
    .orderBy('fundings.client_id')
    .execute();
  const given = (client: bigint) =>
    sum(division.allocations.filter((one) => one.client === client).map(({ fiat }) => fiat));
  const some = (reason: OwnShareReason, of: typeof rows): OwnShareCause[] =>
    of.length === 0 ? [] : [{ reason, clients: [...new Set(of.map(({ client }) => client))] }];
  const inTime = rows
    .filter(({ late }) => late === 0n)
    .map((row) => ({ ...row, left: row.left - given(row.client) }));
  const held = inTime.filter(({ left }) => left > 0n);
  const causes = [
    ...some(
      'daily-limit',
      held.filter(({ paused }) => paused === 0n),
    ),
    ...some(
      'paused',
      held.filter(({ paused }) => paused !== 0n),
    ),
    ...some(
      'not-deposited',
      rows.filter(({ late, left }) => late === 1n && left > 0n),
    ),
  ];
  const usedUp = await there
    .select('fundings.id')
    .where('fundings.status', 'in', ['exhausted', 'withdrawn'])
    .where('fundings.deposited_at', '<=', at)
    .limit(1)
    .executeTakeFirst();
  if (usedUp || inTime.some(({ left }) => left === 0n)) causes.push({ reason: 'no-cash-left', clients: [] });
  return causes.length > 0 ? causes : [{ reason: 'not-funded', clients: [] }];
}

const stored = z.array(
  z.object({
    reason: z.enum(Object.keys(ownShareReasons) as [OwnShareReason, ...OwnShareReason[]]),
    clients: z.array(z.string().regex(/^\d+$/)),
  }),
);

/** As the ledger keeps them. */
export function causesAsText(causes: OwnShareCause[]): string {
  return JSON.stringify(causes.map(({ reason, clients }) => ({ reason, clients: clients.map(String) })));
}

/** Null: it had no own share, or an older version divided it. */
export function causesOf(text: string | null): OwnShareCause[] | null {
  if (text === null) return null;
  return stored
    .parse(JSON.parse(text))
    .map(({ reason, clients }) => ({ reason, clients: clients.map(BigInt) }));
}
