import { z } from 'zod';
import type { ComparedSource } from '../ledger/cash-outs/watermark.ts';
import type { RecoverReport } from '../ledger/recover/recover.ts';
import type { Copied, Place } from '../ledger/store/copy.ts';
import { instant, sats } from './parts.ts';
import { differenceView, verificationView } from './verification.ts';

/** Where a ledger is, and where it would be. */
export const copyPlanView = z.object({ from: z.string(), to: z.string(), digest: z.string() });

/** A ledger after it was moved, with its books there. */
export const copiedLedgerView = verificationView.extend({
  ledger: z.object({ id: z.string(), url: z.string() }),
  /** Rows by table; null where an earlier copy was only finished. */
  rows: z.record(z.string(), z.number()).nullable(),
  /** What the configuration has to say of the new place, besides its URL. */
  settings: z.object({ password_file: z.boolean(), tls: z.string().nullable(), ca_file: z.boolean() }),
});

/** What LNbits shows as paid and an older copy of the ledger did not know, and what came of it. */
export const recoveryView = z.object({
  /** All of it fits. */
  ok: z.boolean(),
  /** Nothing was written: this is what would be. */
  dry_run: z.boolean(),
  /** Payments that LNbits shows and the ledger did not know. */
  payments: z.number(),
  /** Cash-outs that were read and distributed again. */
  cash_outs: z.number(),
  /** Credits of the source wallet that the lost ledger may have made already. */
  held_credits: z.number(),
  /** Runs that LNbits shows and the ledger did not know: nobody takes them for another copy in use any more. */
  other_runs: z.number(),
  /** Payments with this ledger's id that it did not send. */
  foreign_labels: z.number(),
  /** The clients' wallets are not asked any more whether another source wallet paid them. */
  former_wallets_accounted: z.boolean(),
  payouts: z.array(
    z.object({
      id: z.string(),
      recipient: z.string(),
      sats,
      state: z.string(),
      /** Their hashes. */
      payments: z.array(z.string()),
    }),
  ),
  /** What does not fit; then nothing was written. */
  differences: z.array(differenceView),
});

/** A Lamassu database that was compared with what the ledger distributed of it, and bore it out. */
export const comparedSourceView = z.object({
  source: z.string(),
  /** The PostgreSQL system identifier that the ledger is bound to; null: none yet. */
  was: z.string().nullable(),
  /** That of the database that is reached now. */
  is: z.string(),
  /** How many distributed cash-outs are there as the ledger has them. */
  cash_outs: z.number(),
  newest: z.string().nullable(),
  newest_confirmed_at: instant.nullable(),
  dry_run: z.boolean(),
  /** The ledger is bound to it by this; false where it was before. */
  accepted: z.boolean(),
  /** Of a dry run: what was compared. */
  digest: z.string().optional(),
});

export type CopyPlanView = z.output<typeof copyPlanView>;
export type CopiedLedgerView = z.output<typeof copiedLedgerView>;
export type RecoveryView = z.output<typeof recoveryView>;
export type ComparedSourceView = z.output<typeof comparedSourceView>;

export function viewOfCopied({ id, url, rows, verification }: Copied, to: Place): CopiedLedgerView {
  return {
    ledger: { id, url },
    rows,
    ...verification,
    settings: {
      password_file: to.password !== undefined,
      tls: to.tls ?? null,
      ca_file: to.ca !== undefined,
    },
  };
}

export function viewOfRecovery(report: RecoverReport, dryRun: boolean): RecoveryView {
  return {
    ok: report.misfits.length === 0,
    dry_run: dryRun,
    payments: report.payments,
    cash_outs: report.cashOuts,
    held_credits: report.heldCredits,
    other_runs: report.claims,
    foreign_labels: report.foreign,
    former_wallets_accounted: report.accounted,
    payouts: report.restored.map(({ payout, ...one }) => ({ id: `p${payout}`, ...one })),
    differences: report.misfits,
  };
}

export function viewOfCompared(
  { source, was, is, cashOuts, newest }: ComparedSource,
  state: { dry_run: boolean; accepted: boolean },
): ComparedSourceView {
  return {
    ...{ source, was, is, cash_outs: cashOuts },
    newest: newest?.id ?? null,
    newest_confirmed_at: newest?.confirmedAt ?? null,
    ...state,
  };
}
