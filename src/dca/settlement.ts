import { conflict, invalid } from '../errors.ts';
import { call, field, message } from '../lib/message.ts';
import type { CashOut } from './cash-out.ts';
import { type Charge, charged } from './commission.ts';
import { formatSats, ONE, RATE_SCALE, SATS_PER_BTC } from './money.ts';
import { assertSum, roundHalfUp } from './split.ts';

/** The figures that the operator states of a cash-out that was settled outside. */
export interface Stated {
  fiat?: { minor: bigint; currency: string; digits: number } | undefined;
  /** What the layperson paid for this cash, in satoshi: it is distributed. */
  distributed?: bigint | undefined;
  commission?: bigint | undefined;
  /** The commission as a rate, ×10^5. */
  rate?: bigint | undefined;
  /** The price of one BTC, in minor units: what is distributed beyond the worth of the cash is commission. */
  price?: { minor: bigint; currency: string; digits: number } | undefined;
}

/** The figures that the source has of the cash-out; null for what it does not have. Cash in minor units. */
export interface PartialAmounts {
  currency: string | null;
  digits: number;
  /** The cash that the layperson asked for. */
  asked: bigint | null;
  /** The cash that left the machine; zero where the machine counted none. */
  cameOut: bigint | null;
  /** What the layperson paid, in satoshi. */
  gross: bigint | null;
  /** What Lamassu charged; null for another coin, whose price says nothing about satoshi. */
  charge: Pick<Charge, 'ticker' | 'rate' | 'discount' | 'fixedFee'> | null;
}

export const NO_AMOUNTS: PartialAmounts = {
  currency: null,
  digits: 0,
  asked: null,
  cameOut: null,
  gross: null,
  charge: null,
};

export type Figures = Pick<
  CashOut,
  'currency' | 'digits' | 'fiat' | 'distributed' | 'undelivered' | 'commission' | 'method'
>;

/**
 * The figures to distribute. What the operator stated goes before what the source has. Of a partial dispense, gross ×
 * dispensed / asked (rounded down) is distributed, and its commission follows the formula for the whole; the rest of
 * the gross is undelivered. With a stated price, the principal is fiat / price (rounded down); if the gross is not
 * known, it is the principal, without commission. Throws `usage/invalid`, which names the figure that is missing or
 * wrong.
 */
export function settledFigures(
  partial: PartialAmounts,
  stated: Stated,
  { method, fallback }: Pick<Charge, 'method' | 'fallback'>,
): Figures {
  const currency = partial.currency ?? stated.fiat?.currency;
  const fiat = stated.fiat?.minor ?? partial.cameOut;
  if (currency === undefined || fiat === null) {
    throw invalid(
      'fiat',
      'it is not known how much cash came out',
      `Give the cash that the layperson got, like "200 ${currency ?? 'USD'}".`,
    );
  }
  if (fiat === 0n) {
    throw invalid(
      'fiat',
      'Lamassu counted no notes out, so there is nothing to distribute',
      message`${call('review.dismiss', { id: null, reason: null })} closes the row. If cash came out anyway, give the amount, like "200 ${currency}".`,
    );
  }
  if (stated.fiat && stated.fiat.currency !== currency) {
    throw conflict(
      'fiat',
      `the cash-out is in ${currency}, not in ${stated.fiat.currency}`,
      `Write "… ${currency}".`,
    );
  }
  if (stated.price && stated.price.currency !== currency) {
    throw conflict(
      'price',
      `the cash-out is in ${currency}, not in ${stated.price.currency}`,
      `Write "… ${currency}", for one BTC.`,
    );
  }
  const digits = stated.fiat?.digits ?? partial.digits;
  const principal = stated.price && principalAt(stated.price, { fiat, digits });
  const isUnpriced = stated.distributed === undefined && partial.gross === null;
  const distributed =
    principal !== undefined && isUnpriced ? principal : (stated.distributed ?? paidFor(partial, fiat));
  if (principal !== undefined) {
    const commission = commissionBeyond(principal, distributed);
    const undelivered = undeliveredOf(partial, distributed);
    return { currency, digits, fiat, distributed, undelivered, commission, method: 'given' };
  }
  const { commission, used } = commissionOf(partial, stated, { fiat, digits, distributed, method, fallback });
  const undelivered = undeliveredOf(partial, distributed);
  return { currency, digits, fiat, distributed, undelivered, commission, method: used };
}

function undeliveredOf({ gross }: PartialAmounts, distributed: bigint): bigint {
  return gross !== null && gross > distributed ? gross - distributed : 0n;
}

/** What the cash is worth in satoshi at a price, rounded down. */
function principalAt(
  price: NonNullable<Stated['price']>,
  { fiat, digits }: { fiat: bigint; digits: number },
): bigint {
  const principal =
    (fiat * 10n ** BigInt(price.digits) * SATS_PER_BTC) / (price.minor * 10n ** BigInt(digits));
  if (principal > 0n) return principal;
  throw invalid(
    'price',
    'at this price the cash is worth less than one satoshi',
    'Write what one BTC costs, like "780000 GTQ".',
  );
}

/** The commission: the rest of what is distributed. */
function commissionBeyond(principal: bigint, distributed: bigint): bigint {
  const commission = distributed - principal;
  if (commission < 0n) {
    throw invalid(
      'price',
      `at this price the cash is worth ${formatSats(principal)}, more than the ${formatSats(distributed)} that are distributed`,
      message`Check ${field('price')} and ${field('gross')}: the cash is worth at most what was paid for it.`,
    );
  }
  if (commission * 2n > distributed) {
    throw invalid(
      'price',
      `at this price the cash is worth ${formatSats(principal)}, less than half of the ${formatSats(distributed)} that are distributed`,
      message`Check ${field('price')} and ${field('gross')}: the rest would be commission.`,
    );
  }
  assertSum('a settlement by a price', [principal, commission], distributed);
  return commission;
}

/**
 * The stated commission, as an amount or as a rate of what is distributed (rounded half up); undefined if none was
 * stated.
 */
export function statedCommission(
  distributed: bigint,
  { commission, rate }: Pick<Stated, 'commission' | 'rate'>,
): bigint | undefined {
  return commission ?? (rate === undefined ? undefined : roundHalfUp(distributed * rate, ONE));
}

/**
 * What the layperson paid for a part of the cash: gross × part / asked, rounded down; null if a figure is missing.
 */
export function proportionOf({ asked, gross }: PartialAmounts, fiat: bigint): bigint | null {
  return asked === null || gross === null || fiat > asked ? null : (gross * fiat) / asked;
}

function paidFor(partial: PartialAmounts, fiat: bigint): bigint {
  const part = proportionOf(partial, fiat);
  if (part !== null && part > 0n) return part;
  const paid = message`Give what was paid for it with ${field('gross')}, like "61234 sat"`;
  const isMore = partial.asked !== null && partial.gross !== null && part === null;
  if (isMore) throw conflict('fiat', 'this is more cash than the layperson asked for', message`${paid}.`);
  throw invalid(
    'gross',
    'it is not known what the layperson paid in satoshi',
    partial.gross === null
      ? message`${paid}; or the price of one BTC with ${field('price')}, like "780000 GTQ".`
      : message`${paid}.`,
  );
}

function commissionOf(
  { asked, charge }: PartialAmounts,
  stated: Stated,
  figures: { fiat: bigint; digits: number; distributed: bigint } & Pick<Charge, 'method' | 'fallback'>,
): { commission: bigint; used: CashOut['method'] } {
  const { fiat, digits, distributed, method, fallback } = figures;
  const given = statedCommission(distributed, stated);
  if (given !== undefined) {
    if (given * 2n <= distributed) return { commission: given, used: 'given' };
    throw invalid(
      'commission',
      `${formatSats(given)} are more than half of the ${formatSats(distributed)} that are distributed`,
      message`Check ${field('gross')} and ${field('commission')}: the commission is a part of the gross.`,
    );
  }
  const way = message`Give it with ${field('commission')}, like "3000 sat", with ${field('rate')}, like 5.5%, or by the price of one BTC with ${field('price')}, like "780000 GTQ".`;
  if (!charge) throw invalid('commission', 'it is not known what was charged in satoshi', way);
  // The fee was charged once for the whole; this is the part of it that falls on the cash that came out.
  const fixedFee = asked !== null && fiat < asked ? (charge.fixedFee * fiat) / asked : charge.fixedFee;
  const scaled = fiat * 10n ** BigInt(RATE_SCALE - digits);
  const result = charged({ ...charge, fixedFee, method, fallback, gross: distributed, cash: scaled });
  if ('review' in result) throw invalid('commission', result.detail, way);
  return { commission: result.commission, used: result.method };
}
