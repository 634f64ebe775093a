import * as z from 'zod';
import { type Instant, toInstant } from '../time.ts';

/** The fields of LNbits 1.0 to 1.6 that the bridge reads; other fields differ between versions. */

export interface Wallet {
  name: string;
  balanceMsat: bigint;
  /** LNbits tells the id only to an admin key; null: the key is an invoice key. */
  id: string | null;
}

export interface LnbitsInvoice {
  /** Payment hash, 64 hex digits in lower case. */
  hash: string;
  bolt11: string;
  walletId: string;
}

export type PaymentStatus = 'success' | 'pending' | 'failed';

/** A row of LNbits' list of payments: one wallet's side of a payment. */
export interface WalletPayment {
  hash: string;
  /** Whether the row is LNbits' own service fee for the payment with this hash. */
  isServiceFee: boolean;
  /** Null if LNbits does not show it. */
  bolt11: string | null;
  walletId: string;
  /** Negative: outgoing. */
  amountMsat: bigint;
  /** As LNbits writes it: 0 for a payment between two of its wallets, unless it takes a service fee. */
  feeMsat: bigint;
  status: PaymentStatus;
  tag: string | null;
  /** Empty if LNbits shows something that is not an object. */
  extra: Record<string, unknown>;
  memo: string | null;
  /** Null if the time cannot be read. */
  time: Instant | null;
}

// z.int() refuses integers that a JSON number cannot hold exactly.
const msat = z.int().transform(BigInt);
const hash = z.string().regex(/^[0-9a-f]{64}$/, 'not a payment hash');
const text = z.string().nullish().catch(null);

export const walletShape = z
  .object({ name: z.string().catch(''), balance: msat, id: z.string().min(1).nullish() })
  .transform(({ name, balance, id }): Wallet => ({ name, balanceMsat: balance, id: id ?? null }));

/** `bolt11` is missing in 0.12. */
export const invoiceShape = z.object({
  payment_hash: hash,
  bolt11: z.string().min(1).optional(),
  wallet_id: z.string().min(1).optional(),
  amount: msat.optional(),
});

export const paymentShape = z
  .object({
    payment_hash: hash,
    checking_id: text,
    bolt11: text,
    wallet_id: z.string().min(1),
    amount: msat,
    fee: msat,
    status: z.enum(['success', 'pending', 'failed']),
    tag: text,
    extra: z.record(z.string(), z.unknown()).catch({}),
    memo: text,
    time: z.unknown(),
  })
  .transform(
    (row): WalletPayment => ({
      hash: row.payment_hash,
      isServiceFee: row.checking_id?.startsWith('service_fee_') === true,
      bolt11: row.bolt11 || null,
      walletId: row.wallet_id,
      amountMsat: row.amount,
      feeMsat: row.fee,
      status: row.status,
      tag: row.tag ?? (typeof row.extra.tag === 'string' ? row.extra.tag : null),
      extra: row.extra,
      memo: row.memo ?? null,
      time: readTime(row.time),
    }),
  );

export const pageShape = z.object({ data: z.array(paymentShape), total: z.int().nonnegative() });

export const openApiShape = z.object({ info: z.object({ version: z.string() }) });

/** LNbits writes ISO 8601 with an offset and up to six digits of a second, or seconds since 1970. */
export function readTime(value: unknown): Instant | null {
  if (typeof value === 'number') return valid(value * 1000);
  if (typeof value !== 'string') return null;
  const parts = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d:\d\d)?$/.exec(value);
  if (!parts) return null;
  const [, date, clock, fraction = '', zone = 'Z'] = parts;
  const second = valid(Date.parse(`${date}T${clock}${zone}`));
  return second && `${second.slice(0, 19)}.${fraction.padEnd(6, '0')}Z`;
}

function valid(ms: number): Instant | null {
  try {
    return toInstant(ms);
  } catch {
    return null;
  }
}
