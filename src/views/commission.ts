import * as z from 'zod';
import { formatDecimal } from '../dca/money.ts';
import { roundHalfUp } from '../dca/split.ts';
import type { CommissionRecipient, Weight } from '../ledger/commission/commission.ts';
import type { OpenPayout } from '../ledger/payouts/open-payouts.ts';
import { instant, openPayoutsView, openPayoutView, sats } from './fields.ts';

/** A recipient of the commission, with its shares of future cash-outs. */
export const commissionRecipientView = z.object({
  name: z.string(),
  status: z.enum(['active', 'removed']),
  wallet_id: z.string(),
  created_at: instant,
  weights: z.array(
    z.object({
      /** Device id; null: of every machine that has no recipients of its own. */
      machine: z.string().nullable(),
      machine_name: z.string().nullable(),
      weight: z.bigint(),
      /** `66.67 %`. */
      share: z.string(),
    }),
  ),
  waiting_sats: sats,
  received_sats: sats,
});

export type CommissionRecipientView = z.output<typeof commissionRecipientView>;

/** A recipient after a change, and what it means: for the shares of all, and for the open payouts. */
export const changedRecipientView = commissionRecipientView.extend({
  /** All recipients, with their shares from then on. */
  recipients: z.array(commissionRecipientView),
  /** Only if the wallet is another one now. */
  open_payouts: z.array(openPayoutView).optional(),
});

export type ChangedRecipientView = z.output<typeof changedRecipientView>;

export function viewOfRecipient(one: CommissionRecipient): CommissionRecipientView {
  return {
    name: one.name,
    status: one.removed ? 'removed' : 'active',
    wallet_id: one.walletId,
    created_at: one.createdAt,
    weights: one.weights.map((weight) => ({
      machine: weight.machine,
      machine_name: weight.machineName,
      weight: weight.weight,
      share: shareOf(weight),
    })),
    waiting_sats: one.waiting,
    received_sats: one.received,
  };
}

/** `moved`: the open payouts that a new wallet gets; null if the wallet is the same. */
export function viewOfChangedRecipient(
  one: CommissionRecipient,
  all: CommissionRecipient[],
  moved: OpenPayout[] | null,
): ChangedRecipientView {
  return {
    ...viewOfRecipient(one),
    recipients: all.map(viewOfRecipient),
    ...(moved && { open_payouts: openPayoutsView(moved) }),
  };
}

/** `66.67 %`, rounded to two decimals. */
function shareOf({ weight, of }: Weight): string {
  return `${formatDecimal(roundHalfUp(weight * 10_000n, of), 2)} %`;
}
