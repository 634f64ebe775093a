import { sql } from 'kysely';
import { type Metrics, metrics } from '../../dca/client-stats.ts';
import type { Instant } from '../../time.ts';
import { arrivedSats, notSettled } from '../payouts/open-payouts.ts';
import type { Db } from '../store/open.ts';
import { sumOf } from '../store/sum.ts';
import { boughtBy } from './bought.ts';
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
  const bought = await boughtBy(db, ids);
  const arriving = await arrivedOfOpen(db);
  return clients.map((client) => ({
    client,
    currencies: cash
      .filter((row) => row.client_id === client.id)
      .map((row): InCurrency => {
        const of = bought(client.id, row.currency);
        const digits = Number(row.digits);
        let { sats, fiat, openSats, openFiat } = of;
        for (const one of arriving) {
          if (one.recipient_id !== client.id || one.currency !== row.currency) continue;
          const fiatOf = (one.fiat * one.arrived) / one.sats;
          sats += one.arrived;
          fiat += fiatOf;
          openSats -= one.arrived;
          openFiat -= fiatOf;
        }
        return {
          currency: row.currency,
          digits,
          inFlight: row.inFlight,
          remaining: row.remaining,
          spent: row.spent,
          metrics: metrics({ sats, fiat, digits }),
          purchases: Number(of.purchases),
          firstAt: of.firstAt,
          lastAt: of.lastAt,
          waitingSats: openSats,
          waitingFiat: openFiat,
        };
      }),
  }));
}

/** The settled parts of payouts that are not settled as a whole: of all recipients, as there are few. */
async function arrivedOfOpen(db: Db) {
  return db
    .selectFrom('payouts')
    .select(['payouts.recipient_id', 'payouts.currency', 'payouts.sats', 'payouts.fiat'])
    .select(arrivedSats.as('arrived'))
    .where(notSettled)
    .execute();
}
