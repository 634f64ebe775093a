import type { CommissionMethod } from './cash-out.ts';
import { formatRate, formatSats, groupDigits, ONE, SATS_PER_BTC } from './money.ts';

/**
 * How far the principal may exceed the gross, in sat: Lamassu tolerates an underpayment of 100, and the machine rounds
 * the amount it asks for to multiples of 100 (lamassu-server 10.0.3, lamassu-machine 10.0.3).
 */
const TOLERANCE = 200n;

type Method = Exclude<CommissionMethod, 'given'>;

/** What Lamassu recorded of a cash-out, as far as its commission is concerned. */
export interface Charge {
  method: Method;
  /** Used if `method` needs a column that is null. */
  fallback: Method;
  /** What the layperson paid for this cash, in sat. */
  gross: bigint;
  /** The cash without commission and fee, ×10^5. */
  cash: bigint;
  /** `raw_ticker_price`: the price of one BTC before commission, ×10^5; null if the row has none. */
  ticker: bigint | null;
  /** `commission_percentage`: a fraction (0.05500 is 5.5 %), ×10^5; null if the row has none. */
  rate: bigint | null;
  /** Percent off the commission, 0 to 100. */
  discount: bigint;
  /** `fixed_fee`: charged on top of the cash, ×10^5. */
  fixedFee: bigint;
}

/** `principal` + `commission` = gross, in sat, by the `method` that was used; or why the row goes to review. */
export type Charged =
  | { principal: bigint; commission: bigint; method: Method }
  | { review: 'no-rate' | 'implausible-rate' | 'negative-commission'; detail: string };

/**
 * What Lamassu charged for a cash-out, in sat, rounded once: the principal down.
 *
 * - `ticker`: cash / raw_ticker_price. Exact for every version of the machine: Lamassu's own profit report counts
 *   crypto × raw_ticker_price − fiat (the cash) as profit.
 * - `margin`: gross × (1 − c·(1 − d)) × cash / (cash + fixed_fee). What machines charge since January 2022: crypto =
 *   (cash + fixed_fee) / (raw_ticker_price × (1 − c·(1 − d))).
 * - `markup`: gross / (1 + c·(1 − d)). What machines charged before, when no fixed fee existed, and what the extension
 *   satmachineadmin counted with.
 *
 * A principal above the gross by no more than the tolerance is the gross. A commission above half of the gross, or
 * below zero by more than the tolerance, is `implausible-rate`; `negative-commission` if Lamassu was set to charge less
 * than nothing, which its older screens allowed; the detail names what is missing.
 */
export function charged(charge: Charge): Charged {
  const { gross, ticker, rate } = charge;
  const method = [charge.method, charge.fallback].find((m) => (m === 'ticker' ? ticker : rate) !== null);
  if (!method)
    return { review: 'no-rate', detail: 'the row has neither a ticker price nor a commission rate' };

  const { numerator, denominator } = quotient(method, charge);
  const said = () => `by ${method}, with ${describe(charge)}`;
  if (denominator <= 0n || charge.discount < 0n || charge.discount > 100n) {
    return { review: 'implausible-rate', detail: `no principal can be computed ${said()}` };
  }
  // A negative numerator is far outside the plausible range, whichever way it is rounded.
  const computed = numerator / denominator;
  const principal = computed > gross ? gross : computed;
  const commission = gross - principal;
  if (computed > gross + TOLERANCE && (rate ?? 0n) < 0n) {
    const detail = `the cash was worth ${formatSats(computed)}, and only ${groupDigits(gross)} were paid: ${groupDigits(computed - gross)} are missing, ${said()}`;
    return { review: 'negative-commission', detail };
  }
  if (computed > gross + TOLERANCE || commission * 2n > gross) {
    return {
      review: 'implausible-rate',
      detail: `${groupDigits(computed)} of ${formatSats(gross)} are principal ${said()}`,
    };
  }
  return { principal, commission, method };
}

/** The principal as a fraction of integers. */
function quotient(method: Method, charge: Charge): { numerator: bigint; denominator: bigint } {
  const { gross, cash, ticker, rate, discount, fixedFee } = charge;
  if (method === 'ticker') return { numerator: cash * SATS_PER_BTC, denominator: ticker ?? 0n };
  const one = ONE * 100n;
  const effective = (rate ?? 0n) * (100n - discount);
  return method === 'margin'
    ? { numerator: gross * (one - effective) * cash, denominator: one * (cash + fixedFee) }
    : { numerator: gross * one, denominator: one + effective };
}

function describe({ cash, ticker, rate, discount, fixedFee }: Charge): string {
  const shown = (value: bigint | null) => (value === null ? 'none' : formatRate(value));
  return `fiat ${formatRate(cash)}, price ${shown(ticker)}, rate ${shown(rate)}, discount ${discount} %, fixed fee ${formatRate(fixedFee)}`;
}
