import * as z from 'zod';
import { formatDecimal } from '../dca/money.ts';
import type { OwnShares } from '../ledger/cash-outs/own-shares.ts';
import { type OwnShareCause, ownShareReasons } from '../ledger/cash-outs/why-own-share.ts';
import type { Names } from '../ledger/store/names-by-id.ts';
import { fiat, sats } from './fields.ts';

/** Why a part of a cash-out is the operator's own share, and the clients that each reason concerns. */
export const causesView = z.array(
  z.object({
    reason: z.enum(Object.keys(ownShareReasons) as [keyof typeof ownShareReasons]),
    clients: z.array(z.string()),
  }),
);

export type CausesView = z.output<typeof causesView>;

export function viewOfCauses(causes: OwnShareCause[], { recipients }: Pick<Names, 'recipients'>): CausesView {
  return causes.map(({ reason, clients }) => ({
    reason,
    clients: clients.map((id) => recipients.get(id) ?? `${id}`),
  }));
}

/** The own shares of one machine and currency with the same reasons. */
export const ownSharesView = z.object({
  machine: z.string(),
  machine_name: z.string().nullable(),
  cash_outs: z.number(),
  fiat,
  currency: z.string(),
  sats,
  /** Empty: an older version divided it. */
  reasons: causesView,
});

export type OwnSharesView = z.output<typeof ownSharesView>;

export function viewOfOwnShares({ machine, digits, ...one }: OwnShares, names: Names): OwnSharesView {
  return {
    ...{ machine, machine_name: names.machines.get(machine) ?? null, cash_outs: one.cashOuts },
    fiat: formatDecimal(one.fiat, digits),
    ...{ currency: one.currency, sats: one.sats, reasons: viewOfCauses(one.causes, names) },
  };
}
