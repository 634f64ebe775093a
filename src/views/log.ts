import { z } from 'zod';
import { instant } from './parts.ts';

/** One change of the ledger, as `log.list` writes it: the columns of an export of `changes`. */
export const changeView = z.object({
  /** Null of what stands in the ledger's tables and not in its log: cash-outs divided, payouts formed and settled. */
  id: z.number().nullable(),
  at: instant,
  at_local: z.string(),
  actor: z.string().nullable(),
  /** `r12`; null where the operator did it. */
  run: z.string().nullable(),
  /** Noun and verb: `funding confirm`. */
  action: z.string(),
  subject: z.string(),
  reason: z.string().nullable(),
  before: z.unknown(),
  after: z.unknown(),
});

/** How many changes were written. */
export const logView = z.object({ changes: z.number() });
