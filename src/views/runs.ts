import * as z from 'zod';
import type { RunRow } from '../ledger/runs/runs.ts';
import { instant, pageOf } from './fields.ts';

/** A run that ended or goes on. */
export const listedRunView = z.object({
  run: z.string(),
  /** `poll`, `fixed`, or the decision that it made. */
  kind: z.string(),
  actor: z.string(),
  started_at: instant,
  /** Null: it goes on, or broke off. */
  finished_at: instant.nullable(),
  outcome: z.string().nullable(),
  /** The codes of what went wrong. */
  problems: z.array(z.string()),
});

export const runsView = pageOf(listedRunView);

export type ListedRunView = z.output<typeof listedRunView>;

export function viewOfListedRun(row: RunRow): ListedRunView {
  const { problems = [] } = JSON.parse(row.summary ?? '{}') as { problems?: { code: string }[] };
  return {
    ...{ run: `r${row.id}`, kind: row.kind, actor: row.actor, started_at: row.started_at },
    ...{ finished_at: row.finished_at, outcome: row.outcome, problems: problems.map(({ code }) => code) },
  };
}
