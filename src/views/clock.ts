import * as z from 'zod';
import type { BridgeError } from '../errors.ts';
import { type Doubt, wayOut } from '../ledger/clocks/doubts.ts';
import { callView, instant, text } from './fields.ts';

/** An entry that a wrong clock made. */
export const entryView = z.object({
  /** The subject, as the log names it: `f12`, `client alice`. */
  subject: z.string(),
  /** The time from which it counts. */
  from: instant,
  /** Roughly when it was entered; null: not known. */
  entered_at: instant.nullable(),
  /** The operation that corrects it. */
  way_out: callView,
});

export type EntryView = z.output<typeof entryView>;

export function viewOfEntry(doubt: Doubt): EntryView {
  return { subject: doubt.subject, from: doubt.at, entered_at: doubt.expected, way_out: wayOut(doubt) };
}

/** The clocks, and the entries in doubt because of them. */
export const clocksView = z.object({
  host: instant,
  /** The clock of the ledger's server; null for a file. */
  ledger: instant.nullable(),
  last_run: z.object({ run: z.string(), lamassu: instant, host: instant }).nullable(),
  /** Why this host's clock cannot be right now; null if nothing contradicts it. */
  problem: text.nullable(),
  problem_code: z.string().nullable(),
  entries: z.array(entryView),
});

export type ClocksView = z.output<typeof clocksView>;

export function viewOfClocks(shown: {
  host: string;
  server: string | null;
  last: { run: bigint; source: string; host: string } | undefined;
  problem: BridgeError | null;
  entries: Doubt[];
}): ClocksView {
  const { host, server, last, problem, entries } = shown;
  return {
    host,
    ledger: server,
    last_run: last ? { run: `r${last.run}`, lamassu: last.source, host: last.host } : null,
    problem: problem === null ? null : problem.sentence,
    problem_code: problem === null ? null : problem.code,
    entries: entries.map(viewOfEntry),
  };
}
