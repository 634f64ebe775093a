import { type SqlBool, sql } from 'kysely';
import { type Metrics, metrics } from '../../dca/client-stats.ts';
import type { Instant } from '../../time.ts';
import { notSettled } from '../payouts/open-payouts.ts';
import type { Db } from '../store/open.ts';
import { sumOf } from '../store/sum.ts';
import type { Client } from './clients.ts';

/** A client with its cash and what it bought, in each currency of its fundings. */
export interface ClientWithCash {
  client: Client;
  currencies: InCurrency[];
}

/**
 * `fiat` in minor units. `metrics` count what has arrived; waiting allocations are separate. Of a payout that is
 * settled in part, they count the sats of the settled parts, and that part of its fiat, rounded down.
 */
export interface InCurrency {
  currency: string;
  digits: number;
  inFlight: bigint;
  /** Deposited and not yet spent. */
  remaining: bigint;
  spent: bigint;
  metrics: Metrics;
  /** Cash-outs whose sats have all arrived. */
  purchases: number;
  /** When the first and the last of them were confirmed. */
  firstAt: Instant | null;
  lastAt: Instant | null;
  waitingSats: bigint;
  waitingFiat: bigint;
}

/** In the order of `clients`. */
export async function viewsOf(db: Db, clients: Client[]): Promise<ClientWithCash[]> {
  if (clients.length === 0) return [];
  const ids = clients.map(({ id }) => id);
  const cash = await db
    .selectFrom('fundings')
    .innerJoin('currencies', 'currencies.code', 'fundings.currency')
    .select([
      'fundings.client_id',
      'fundings.currency',
      'currencies.digits',
      sumOf(sql`case when fundings.status = 'in_flight' then fundings.remaining else 0 end`).as('inFlight'),
      sumOf(sql`case when fundings.status = 'deposited' then fundings.remaining else 0 end`).as('remaining'),
      sumOf('fundings.spent').as('spent'),
    ])
    .where('fundings.client_id', 'in', ids)
    .groupBy(['fundings.client_id', 'fundings.currency', 'currencies.digits'])
    .orderBy('fundings.currency')
    .execute();
  // An allocation of 0 sat is never paid: nothing of it waits.
  const settled = sql<SqlBool>`(payouts.state = 'settled' or allocations.net = 0)`;
  const bought = await db
    .selectFrom('allocations')
    .innerJoin('cash_outs', 'cash_outs.id', 'allocations.cash_out_id')
    .leftJoin('payouts', 'payouts.id', 'allocations.payout_id')
    .select([
      'allocations.client_id',
      'allocations.currency',
      sumOf(sql`case when ${settled} then allocations.net else 0 end`).as('sats'),
      sumOf(sql`case when ${settled} then allocations.fiat else 0 end`).as('fiat'),
      sumOf('allocations.net').as('allSats'),
      sumOf('allocations.fiat').as('allFiat'),
      sql<bigint>`count(distinct case when ${settled} then cash_outs.id end)`.as('purchases'),
      sql<Instant | null>`min(case when ${settled} then cash_outs.confirmed_at end)`.as('firstAt'),
      sql<Instant | null>`max(case when ${settled} then cash_outs.confirmed_at end)`.as('lastAt'),
    ])
    .where('allocations.client_id', 'in', ids)
    .groupBy(['allocations.client_id', 'allocations.currency'])
    .execute();
  const arriving = await arrivedOfOpen(db, ids);
  return clients.map((client) => ({
    client,
    currencies: cash
      .filter((row) => row.client_id === client.id)
      .map((row): InCurrency => {
        const of = bought.find((one) => one.client_id === client.id && one.currency === row.currency);
        const digits = Number(row.digits);
        const { allSats = 0n, allFiat = 0n } = of ?? {};
        let { sats = 0n, fiat = 0n } = of ?? {};
        for (const one of arriving) {
          if (one.recipient_id !== client.id || one.currency !== row.currency) continue;
          sats += one.arrived;
          fiat += (one.fiat * one.arrived) / one.sats;
        }
        return {
          currency: row.currency,
          digits,
          inFlight: row.inFlight,
          remaining: row.remaining,
          spent: row.spent,
          metrics: metrics({ sats, fiat, digits }),
          purchases: Number(of?.purchases ?? 0n),
          firstAt: of?.firstAt ?? null,
          lastAt: of?.lastAt ?? null,
          waitingSats: allSats - sats,
          waitingFiat: allFiat - fiat,
        };
      }),
  }));
}

/** The settled parts of payouts that are not settled as a whole. */
async function arrivedOfOpen(db: Db, clients: bigint[]) {
  return db
    .selectFrom('payouts')
    .innerJoin('payments', 'payments.payout_id', 'payouts.id')
    .select(['payouts.id', 'payouts.recipient_id', 'payouts.currency', 'payouts.sats', 'payouts.fiat'])
    .select(sumOf('payments.sats').as('arrived'))
    .where(notSettled)
    .where('payouts.recipient_id', 'in', clients)
    .where('payouts.kind', '=', 'client')
    .where('payments.state', '=', 'settled')
    .groupBy(['payouts.id', 'payouts.recipient_id', 'payouts.currency', 'payouts.sats', 'payouts.fiat'])
    .execute();
}
