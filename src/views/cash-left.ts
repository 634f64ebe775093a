import * as z from 'zod';
import { formatDecimal } from '../dca/money.ts';
import type { CashLeft } from '../ledger/fundings/cash-left.ts';
import { fiat } from './fields.ts';

/** The clients' cash for one machine in one currency. */
export const cashLeftView = z.object({
  /** Device id; null: of fundings that serve any machine. */
  machine: z.string().nullable(),
  machine_name: z.string().nullable(),
  currency: z.string(),
  remaining: fiat,
  in_flight: fiat,
  /** How many clients have cash left there. */
  clients: z.bigint(),
  /** What cash-outs took out in the last 7 days, and the part of it that no client's cash covered. */
  dispensed_7_days: fiat,
  own_7_days: fiat,
});

export type CashLeftView = z.output<typeof cashLeftView>;

export function viewOfCashLeft({
  machine,
  name,
  currency,
  digits,
  clients,
  ...cash
}: CashLeft): CashLeftView {
  const text = (minor: bigint) => formatDecimal(minor, digits);
  return {
    ...{ machine, machine_name: name, currency, clients },
    remaining: text(cash.remaining),
    in_flight: text(cash.inFlight),
    dispensed_7_days: text(cash.dispensed),
    own_7_days: text(cash.own),
  };
}
