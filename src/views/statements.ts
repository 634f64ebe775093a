import * as z from 'zod';
import { formatDecimal, sum } from '../dca/money.ts';
import { priceOf } from '../dca/price.ts';
import type { CurrencyStatement } from '../ledger/clients/statement.ts';
import type { ClientStatement } from '../statement/client-statement.ts';
import { fiat, instant, price, sats } from './fields.ts';

/** A client's account of one local month. */
export const statementView = z.object({
  client: z.string(),
  /** `2026-11`, of local days. */
  month: z.string(),
  from: instant,
  /** The first moment after the month. */
  before: instant,
  /** While the month goes on: the moment of the statement. */
  as_of: instant.nullable(),
  /** The next time of fixed mode, and the sats that wait for it; null: none do, or the month is over. */
  payday: z.object({ at: instant, sats }).nullable(),
  /** Empty if the client had neither cash nor sats until then. */
  currencies: z.array(
    z.object({
      currency: z.string(),
      /** Cash in machines: `opening` + `added` - `withdrawn` + `adjusted` - `spent` = `closing`. */
      cash: z.object({
        opening: fiat,
        added: fiat,
        withdrawn: fiat,
        /** May be below zero. */
        adjusted: fiat,
        spent: fiat,
        closing: fiat,
        /** The closing cash by machine; null: it serves any machine. */
        machines: z.array(
          z.object({ machine: z.string().nullable(), machine_name: z.string().nullable(), fiat }),
        ),
        /** Announced, and in no machine at the end. */
        in_flight: fiat,
      }),
      /** Bought and not paid yet: `opening` + `bought` - `paid` = `closing`. */
      sats: z.object({ opening: sats, bought: sats, paid: sats, closing: sats }),
      /** The cash spent by the sats bought; null without a sat. */
      average_price: price.nullable(),
      movements: z.array(
        z.object({
          at: instant,
          kind: z.enum(['added', 'withdrawn', 'adjusted']),
          funding: z.string(),
          /** Signed. */
          fiat,
        }),
      ),
      /** By the time of the cash-out. */
      purchases: z.array(
        z.object({
          at: instant,
          cash_out: z.string(),
          machine: z.string(),
          machine_name: z.string().nullable(),
          fiat,
          gross_sats: sats,
          commission_sats: sats,
          net_sats: sats,
          price: price.nullable(),
          payouts: z.array(z.string()),
          /** When the last of its sats arrived; null: some wait. */
          paid_at: instant.nullable(),
        }),
      ),
      totals: z.object({ fiat, gross_sats: sats, commission_sats: sats, net_sats: sats }),
      payments: z.array(z.object({ at: instant, payout: z.string(), sats })),
    }),
  ),
  /** The statement in the format that was asked for; null: in none. */
  document: z.string().nullable(),
});

export type StatementView = z.output<typeof statementView>;

export function viewOfStatement(
  { client, month, until, isRunning, payday, currencies }: ClientStatement,
  { from, before }: Record<'from' | 'before', string>,
  document: string | null,
): StatementView {
  return {
    ...{ client, month, from, before, as_of: isRunning ? until : null, payday },
    currencies: currencies.map(viewOfCurrency),
    document,
  };
}

function viewOfCurrency(one: CurrencyStatement): StatementView['currencies'][number] {
  const { currency, digits, cash, sats: owed, movements, purchases, payments } = one;
  const decimal = (minor: bigint) => formatDecimal(minor, digits);
  const priced = (bought: Parameters<typeof priceOf>[0]) => {
    const minor = priceOf(bought);
    return minor === null ? null : decimal(minor);
  };
  const total = (of: 'gross' | 'commission') => sum(purchases.map((part) => part[of]));
  return {
    currency,
    cash: {
      opening: decimal(cash.opening),
      added: decimal(cash.added),
      withdrawn: decimal(cash.withdrawn),
      adjusted: decimal(cash.adjusted),
      spent: decimal(cash.spent),
      closing: decimal(cash.closing),
      machines: one.machines.map(({ machine, name, fiat: minor }) => ({
        ...{ machine, machine_name: name, fiat: decimal(minor) },
      })),
      in_flight: decimal(one.inFlight),
    },
    sats: owed,
    average_price: priced({ fiat: cash.spent, sats: owed.bought }),
    movements: movements.map(({ at, kind, funding, fiat: minor }) => ({
      ...{ at, kind, funding: `f${funding}`, fiat: decimal(minor) },
    })),
    purchases: purchases.map((part) => ({
      at: part.at,
      cash_out: part.cashOut,
      machine: part.machine,
      machine_name: part.machineName,
      fiat: decimal(part.fiat),
      gross_sats: part.gross,
      commission_sats: part.commission,
      net_sats: part.net,
      price: priced({ fiat: part.fiat, sats: part.net }),
      payouts: part.payouts.map((id) => `p${id}`),
      paid_at: part.paidAt,
    })),
    totals: {
      fiat: decimal(cash.spent),
      gross_sats: total('gross'),
      commission_sats: total('commission'),
      net_sats: owed.bought,
    },
    payments: payments.map((part) => ({ at: part.at, payout: `p${part.payout}`, sats: part.sats })),
  };
}
