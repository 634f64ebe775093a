import * as z from 'zod';
import type { Check } from '../doctor/check.ts';
import { errorKinds } from '../errors.ts';
import { text } from './fields.ts';

/** One check of `doctor`: what it found, and what to do about it. */
export const checkView = z.object({
  name: z.string(),
  level: z.enum(['ok', 'warn', 'fail']),
  detail: z.string(),
  hint: text.nullable(),
});

export type CheckView = z.output<typeof checkView>;

export const doctorView = z.object({
  /** True if no check failed. */
  ok: z.boolean(),
  checks: z.array(checkView),
  /** The kinds of the failures, in the order of the checks. */
  failures: z.array(z.enum(errorKinds)),
});

export type DoctorView = z.output<typeof doctorView>;

export function viewOfCheck({ name, level, detail, hint }: Check): CheckView {
  return { name, level, detail, hint };
}

export function viewOfChecks(checks: readonly Check[]): DoctorView {
  const failed = checks.filter(({ level }) => level === 'fail');
  return {
    ok: failed.length === 0,
    checks: checks.map(viewOfCheck),
    failures: failed.flatMap(({ kind }) => kind ?? []),
  };
}
