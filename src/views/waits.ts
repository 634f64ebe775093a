import * as z from 'zod';
import { type Wait, waitReasons } from '../ledger/payouts/waits.ts';
import { instant, sats } from './fields.ts';

/** Sats that are owed to a recipient and not settled, with the reason. All of a ledger add up to what it owes. */
export const waitView = z.object({
  recipient: z.string(),
  kind: z.enum(['client', 'commission']),
  sats,
  reason: z.enum(Object.keys(waitReasons) as [keyof typeof waitReasons]),
  /** When it ends; null if no clock ends it. */
  until: instant.nullable(),
  /** The sum that is paid at all, where the reason is that one. */
  minimum_sats: sats.nullable(),
  /** Empty: it is in no payout yet. */
  payouts: z.array(z.string()),
  /** Why these payouts wait, in words. */
  detail: z.string().nullable(),
});

export type WaitView = z.output<typeof waitView>;

export function viewOfWait({ payouts, ...wait }: Wait, minimumSats: bigint): WaitView {
  return {
    ...wait,
    minimum_sats: wait.reason === 'minimum' ? minimumSats : null,
    payouts: payouts.map((id) => `p${id}`),
  };
}
