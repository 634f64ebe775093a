import * as z from 'zod';
import { formatDecimal, formatRate } from '../dca/money.ts';
import type { Funding } from '../ledger/fundings/view.ts';
import type { Machine, Replaced } from '../ledger/machines/machines.ts';
import type { MachineWithCash as Known, Remaining } from '../ledger/machines/view.ts';
import { fiat, instant, rate } from './fields.ts';

/** By currency. */
const amounts = z.record(z.string(), fiat);

/** A machine with its settings in force, and the cash that clients have for it. */
export const machineView = z.object({
  /** Device id. */
  machine: z.string(),
  name: z.string().nullable(),
  /** Null: it pays out any. */
  currency: z.string().nullable(),
  first_seen: instant,
  /** Null: what Lamassu charged. */
  commission_rate: rate.nullable(),
  min_rate: rate.nullable(),
  max_rate: rate.nullable(),
  /** The cash of deposited fundings that serve only this machine. */
  remaining: amounts,
  remaining_any_machine: amounts,
  last_cash_out: instant.nullable(),
});

/** One machine, and the machine that replaced it. */
export const shownMachineView = machineView.extend({
  replaced_by: z.string().nullable(),
  replaced_by_name: z.string().nullable(),
  replaced_at: instant.nullable(),
});

/** A machine after a change, and the fundings whose own rate is now outside of its range. */
export const changedMachineView = machineView.extend({
  outside: z.array(z.string()),
  outside_rates: z.record(z.string(), rate),
});

/** The machine that replaced another, and the fundings that moved. */
export const replacedMachineView = machineView.extend({
  /** Device id. */
  replaces: z.string(),
  replaces_name: z.string().nullable(),
  fundings: z.array(z.string()),
});

/** The preview of a replacement. */
export const replacementView = z.object({
  old: z.object({ machine: z.string(), name: z.string().nullable() }),
  new: z.object({ machine: z.string(), name: z.string().nullable() }),
  fundings: z.array(z.object({ id: z.string(), client: z.string(), currency: z.string(), remaining: fiat })),
  digest: z.string(),
});

export type MachineView = z.output<typeof machineView>;
export type ShownMachineView = z.output<typeof shownMachineView>;
export type ChangedMachineView = z.output<typeof changedMachineView>;
export type ReplacedMachineView = z.output<typeof replacedMachineView>;
export type ReplacementView = z.output<typeof replacementView>;

export function viewOfMachine(one: Known): MachineView {
  return {
    machine: one.deviceId,
    name: one.name,
    currency: one.currency,
    first_seen: one.first_seen,
    commission_rate: rateOf(one.rates.rate),
    min_rate: rateOf(one.rates.min_rate),
    max_rate: rateOf(one.rates.max_rate),
    remaining: amountsOf(one.remaining),
    remaining_any_machine: amountsOf(one.remainingAny),
    last_cash_out: one.lastCashOut,
  };
}

export function viewOfShownMachine(one: Known, replaced: Replaced | undefined): ShownMachineView {
  return {
    ...viewOfMachine(one),
    replaced_by: replaced?.by.device_id ?? null,
    replaced_by_name: replaced?.by.name ?? null,
    replaced_at: replaced?.since ?? null,
  };
}

export function viewOfChangedMachine(one: Known, outside: Funding[]): ChangedMachineView {
  return {
    ...viewOfMachine(one),
    outside: outside.map(({ id }) => `f${id}`),
    outside_rates: Object.fromEntries(outside.map(({ id, rate }) => [`f${id}`, formatRate(rate ?? 0n)])),
  };
}

export function viewOfReplacedMachine(one: Known, old: Machine, moved: Funding[]): ReplacedMachineView {
  return {
    ...viewOfMachine(one),
    replaces: old.device_id,
    replaces_name: old.name,
    fundings: moved.map(({ id }) => `f${id}`),
  };
}

/** The plan that the operator agrees to; the digest covers all of it. */
export function planOfReplacement(
  old: Machine,
  next: Machine,
  moved: Funding[],
): Omit<ReplacementView, 'digest'> {
  return {
    old: { machine: old.device_id, name: old.name },
    new: { machine: next.device_id, name: next.name },
    fundings: moved.map(({ id, client, currency, digits, remaining }) => ({
      ...{ id: `f${id}`, client, currency },
      remaining: formatDecimal(remaining, digits),
    })),
  };
}

function rateOf(one: bigint | null): string | null {
  return one === null ? null : formatRate(one);
}

function amountsOf(list: Remaining[]): Record<string, string> {
  return Object.fromEntries(
    list.map(({ currency, digits, remaining }) => [currency, formatDecimal(remaining, digits)]),
  );
}
