import * as z from 'zod';
import { type BridgeError, errorKinds } from '../errors.ts';
import type { OpenPayout } from '../ledger/payouts/open-payouts.ts';
import { Message } from '../lib/message.ts';

/* What views are made of. As JSON, sats are integers, fiat amounts and rates decimal text, times ISO 8601 with zone. */

export const sats = z.bigint();
export const instant = z.string().describe('ISO 8601, UTC, to the microsecond');
/** An amount of cash, `3000.00`, in the currency that stands beside it. */
export const fiat = z.string();
/** What one BTC costs, `98000.00`, in the currency that stands beside it. */
export const price = z.string();
/** `0.05500` */
export const rate = z.string();

/** Text of a message. If it names operations, the door writes them in its own words. */
export const text = z.union([z.string(), z.instanceof(Message)]);

/** The newest rows of a list that grows for years, and how many there are in all. */
export function pageOf<Row extends z.ZodType>(row: Row) {
  return z.object({ rows: z.array(row), total: z.number() });
}

/** An operation that helps, with its input; null stands for a value that the operator has to choose. */
export const callView = z.object({
  operation: z.string(),
  args: z.record(z.string(), z.union([z.string(), z.literal(true), z.null()])),
  step: z.literal(true).exactOptional(),
});

/** An error that did not stop the rest. */
export const problemView = z.object({
  code: z.string(),
  kind: z.enum(errorKinds),
  message: text,
  hint: text.nullable(),
});

export function viewOfProblem(error: BridgeError): z.output<typeof problemView> {
  return { code: error.code, kind: error.kind, message: error.sentence, hint: error.hint ?? null };
}

/** An open payout of a recipient whose wallet has changed. */
export const openPayoutView = z.object({
  payout: z.string(),
  arrived_sats: sats,
  former_wallet_sats: sats,
  new_wallet_sats: sats,
  /** The part of these that LNbits refused. They are sent again once both wallets show that nothing arrived. */
  refused_sats: sats,
});

export function openPayoutsView(payouts: OpenPayout[]): z.output<typeof openPayoutView>[] {
  return payouts.map(({ id, arrived, sent, unsent, refused }) => ({
    payout: `p${id}`,
    arrived_sats: arrived,
    former_wallet_sats: sent,
    new_wallet_sats: unsent + refused,
    refused_sats: refused,
  }));
}
