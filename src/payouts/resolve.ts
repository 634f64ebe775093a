import type { Payment } from '../ledger/payouts.ts';
import { type Context, clientSide, sourceSide } from './context.ts';
import type { ClientSide, SourceSide } from './decide.ts';

/** What both wallets show of a payment, for a person who decides about it. */
export interface Shown {
  source: SourceSide;
  client: ClientSide;
}

/** Looks at both sides, the source's again after the client's. For a payment whose last POST is over. */
export async function bothSides(
  ctx: Pick<Context, 'ledger' | 'lnbits' | 'source'>,
  payment: Payment,
): Promise<Shown> {
  const client = await clientSide(ctx, payment);
  return { client, source: await sourceSide(ctx, payment.payment_hash) };
}

/** Whether what both wallets show bears out that it arrived, or that it did not. */
export function bearsOut({ source, client }: Shown, paid: boolean): boolean {
  if (paid) return source === 'success' && client === 'arrived';
  const debited = source === 'success' || source === 'pending';
  return !debited && client !== 'arrived' && client !== 'wrong-amount';
}
