import * as z from 'zod';
import type { ComparedSource } from '../ledger/cash-outs/watermark.ts';
import type { Copied, LedgerPlace } from '../ledger/copies/copy.ts';
import type { RecoverReport } from '../ledger/recover/recover.ts';
import { instant, sats } from './fields.ts';
import { differenceView, verificationView } from './verification.ts';

/** Where a ledger is, and where it would move to. */
export const copyPlanView = z.object({ from: z.string(), to: z.string(), digest: z.string() });

/** A ledger after it was moved, with its books there. */
export const copiedLedgerView = verificationView.extend({
  ledger: z.object({ id: z.string(), url: z.string() }),
  /** Rows by table; null if only the rest of an earlier move was done. */
  rows: z.record(z.string(), z.number()).nullable(),
  /** The settings of the new place that the configuration needs, besides its URL. */
  settings: z.object({ password_file: z.boolean(), tls: z.string().nullable(), ca_file: z.boolean() }),
});

/** The payments that LNbits shows and an older copy of the ledger did not know, and what was done about them. */
export const recoveryView = z.object({
  /** True if every payment fits. */
  ok: z.boolean(),
  /** True if nothing was written: the rest says what would be. */
  dry_run: z.boolean(),
  /** Payments that LNbits shows and the ledger did not know. */
  payments: z.number(),
  /** Cash-outs that were read and distributed again. */
  cash_outs: z.number(),
  /** Credits of the source wallet that the lost ledger may have made already. */
  held_credits: z.number(),
  /** Runs that LNbits shows and the ledger did not know. They no longer count as another copy in use. */
  other_runs: z.number(),
  /** Payments with this ledger's id that it did not send. */
  foreign_labels: z.number(),
  /** True if clients' wallets are no longer searched for payments of another source wallet. */
  former_wallets_accounted: z.boolean(),
  payouts: z.array(
    z.object({
      id: z.string(),
      recipient: z.string(),
      sats,
      state: z.string(),
      /** Their payment hashes. */
      payments: z.array(z.string()),
    }),
  ),
  /** What does not fit; then nothing was written. */
  differences: z.array(differenceView),
});

/** A Lamassu database that was compared with what the ledger distributed of it, and agrees. */
export const comparedSourceView = z.object({
  source: z.string(),
  /** The PostgreSQL system identifier that the ledger is bound to; null: none yet. */
  was: z.string().nullable(),
  /** The identifier of the database that is reached now. */
  is: z.string(),
  /** The number of distributed cash-outs that are the same there. */
  cash_outs: z.number(),
  newest: z.string().nullable(),
  newest_confirmed_at: instant.nullable(),
  dry_run: z.boolean(),
  /** True if this bound the ledger to it; false if it was bound before. */
  accepted: z.boolean(),
  /** The result of a dry run. */
  digest: z.string().optional(),
});

/** A copy of a ledger in use, and whether its books balance. */
export const backupView = verificationView.extend({
  /** Absolute. */
  file: z.string(),
  bytes: z.number(),
  /** Older copies in the folder that were removed. */
  removed: z.array(z.string()),
  ledger: z.object({ id: z.string(), schema: z.number() }),
});

export const migratedView = z.object({
  ledger: z.object({ id: z.string(), url: z.string(), schema: z.number() }),
});

export type BackupView = z.output<typeof backupView>;
export type MigratedView = z.output<typeof migratedView>;
export type CopyPlanView = z.output<typeof copyPlanView>;
export type CopiedLedgerView = z.output<typeof copiedLedgerView>;
export type RecoveryView = z.output<typeof recoveryView>;
export type ComparedSourceView = z.output<typeof comparedSourceView>;

export function viewOfCopied({ id, url, rows, verification }: Copied, to: LedgerPlace): CopiedLedgerView {
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
    differences: report.misfits.map(({ hash: _, ...one }) => one),
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
