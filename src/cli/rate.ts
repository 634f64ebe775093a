import { parseRate } from '../typed/numbers.ts';
import { usage } from './context.ts';

/** The ledger takes no more than this. */
const HIGHEST = 50_000n;

/** A commission rate, like `5%`, ×10^5. */
export function parseCommissionRate(text: string, field: string): bigint {
  const rate = parseRate(text, field);
  if (rate <= HIGHEST) return rate;
  throw usage(`${field}: more than 50 % is no commission rate.`, 'Write it like "5%" or "0.05".');
}
