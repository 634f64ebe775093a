import * as z from 'zod';
import { text } from './fields.ts';

/** A place where two books differ, with what to do about it. */
export const differenceView = z.object({
  code: z.string(),
  what: z.string(),
  ledger: z.string(),
  other: z.string(),
  hint: text,
});

export type DifferenceView = z.output<typeof differenceView>;

/** The result of adding the books up again. */
export const verificationView = z.object({
  ok: z.boolean(),
  /** The number of checked rows of each kind. */
  checked: z.record(z.string(), z.number()),
  differences: z.array(differenceView),
});

export type VerificationView = z.output<typeof verificationView>;
