import { type SqlBool, sql } from 'kysely';
import type { Instant } from '../../time.ts';
import { digitsByCurrency } from '../store/currencies.ts';
import { inForce } from '../store/effective-dated.ts';
import type { Db } from '../store/open.ts';
import { CASH_LEFT } from '../store/schema.ts';
import { sumOf } from '../store/sum.ts';

/** The clients' cash for one machine in one currency, in minor units. */
export interface CashLeft {
  /** Null: of fundings that serve any machine. */
  machine: string | null;
  name: string | null;
  currency: string;
  digits: number;
  /** What remains of deposited fundings. */
  remaining: bigint;
  inFlight: bigint;
  /** How many clients have cash left there. */
  clients: bigint;
  /** The cash that cash-outs took out since `since`, and the part of it that no client's funding covered. */
  dispensed: bigint;
  own: bigint;
}

/**
 * Per machine and currency: the cash that is left, is on its way, and came out since that moment. A machine without any
 * of these is left out. By the machine's name; "any machine" comes last.
 */
export async function cashLeft(db: Db, since: Instant): Promise<CashLeft[]> {
  const sumWhere = (column: string, condition: ReturnType<typeof sql<SqlBool>>) =>
    sql<bigint>`cast(coalesce(sum(case when ${condition} then ${sql.ref(column)} else 0 end), 0) as bigint)`;
  const cash = await db
    .selectFrom('fundings')
    .select([
      'machine',
      'currency',
      sumWhere('remaining', sql`status = 'deposited'`).as('remaining'),
      sumWhere('amount', sql`status = 'in_flight'`).as('inFlight'),
      sql<bigint>`count(distinct case when status = 'deposited' and remaining > 0 then client_id end)`.as(
        'clients',
      ),
    ])
    .where('status', 'in', CASH_LEFT)
    .groupBy(['machine', 'currency'])
    .execute();
  const out = await db
    .selectFrom('cash_outs')
    .select(['machine', 'currency', sumOf('fiat').as('dispensed'), sumOf('own_fiat').as('own')])
    .where('confirmed_at', '>=', since)
    .groupBy(['machine', 'currency'])
    .execute();
  const digits = await digitsByCurrency(db);
  const names = await db.selectFrom('machines').select(['device_id', 'name']).execute();
  const places = new Map<string, CashLeft>();
  for (const row of [...cash, ...out]) {
    const { machine, currency } = row;
    const key = JSON.stringify([machine, currency]);
    const before = places.get(key) ?? {
      ...{ machine, currency, name: names.find((one) => one.device_id === machine)?.name ?? null },
      digits: digits.get(currency) ?? 0,
      ...{ remaining: 0n, inFlight: 0n, clients: 0n, dispensed: 0n, own: 0n },
    };
    places.set(key, { ...before, ...row });
  }
  const order = ({ machine, name, currency }: CashLeft) => [
    machine === null ? 1 : 0,
    name ?? machine ?? '',
    currency,
  ];
  return [...places.values()].sort((a, b) => (order(a).join(' ') < order(b).join(' ') ? -1 : 1));
}

/** Cash that takes no part in cash-outs, for its client is paused; in minor units. */
export interface PausedCash {
  client: string;
  currency: string;
  digits: number;
  remaining: bigint;
}

/** By the client's name. */
export async function pausedCash(db: Db, at: Instant): Promise<PausedCash[]> {
  const digits = await digitsByCurrency(db);
  const rows = await db
    .selectFrom('fundings')
    .innerJoin('recipients', 'recipients.id', 'fundings.client_id')
    .innerJoin('client_settings', (join) =>
      join.on(
        'client_settings.id',
        '=',
        inForce('client_settings', 'client_id', sql.ref('fundings.client_id'), at),
      ),
    )
    .select(['recipients.name as client', 'fundings.currency', sumOf('fundings.remaining').as('remaining')])
    .where('fundings.status', '=', 'deposited')
    .where('client_settings.paused', '=', 1n)
    .groupBy(['recipients.name', 'fundings.currency'])
    .orderBy('recipients.name')
    .orderBy('fundings.currency')
    .execute();
  return rows.map((row) => ({ ...row, digits: digits.get(row.currency) ?? 0 }));
}
