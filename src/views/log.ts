import * as z from 'zod';
import { instant } from './fields.ts';

/** One change of the ledger, as `log.list` writes it: the columns of an export of `changes`. */
export const changeView = z.object({
  /**
   * Null for changes that come from the ledger's tables, not from its log: cash-outs divided, payouts formed and
   * settled.
   */
  id: z.number().nullable(),
  at: instant,
  at_local: z.string(),
  actor: z.string().nullable(),
  /** `r12`; null if the operator did it. */
  run: z.string().nullable(),
  /** Noun and verb: `funding confirm`. */
  action: z.string(),
  subject: z.string(),
  reason: z.string().nullable(),
  before: z.json(),
  after: z.json(),
});

/** The number of changes that were written. */
export const logView = z.object({ changes: z.number() });
