import { type Currencies, currencyDigits } from '../dca/currency.ts';
import { RATE_SCALE } from '../dca/money.ts';
import type { PartialAmounts } from '../dca/settlement.ts';
import { type Instant, isInstant } from '../time.ts';
import { isBackdated } from './eligibility.ts';
import { cashMachines, countedCash } from './notes.ts';
import type { LamassuRow } from './row.ts';
import { isMachine, readDecimal } from './values.ts';

/** What a row tells of a cash-out that the operator settles, whether the row is sound or not. */
export interface PartialFigures extends PartialAmounts {
  /** The machine that paid out the cash; null if the row names none that can be right, or several. */
  machine: string | null;
  /** The machine where the layperson began, if it is another one. */
  begunAt: string | null;
  /** The time of the cash-out: it decides whose cash was in the machine and which settings were in force. */
  at: Instant;
  /** The origin of `at`: `confirmed_at`; if that cannot be right, `created`; if that cannot either, Lamassu's clock. */
  atFrom: 'confirmed_at' | 'created' | 'now';
}

/** Takes from a row the figures that can be relied on. Needs `row.actions`. */
export function partialFigures(row: LamassuRow, sourceNow: Instant, currencies: Currencies): PartialFigures {
  const { at, atFrom } = momentOf(row, sourceNow);
  const digits = row.fiat_code === null ? undefined : currencyDigits(row.fiat_code, currencies);
  const coin = row.crypto_code === 'BTC' || row.crypto_code === 'LN';
  const minor = (scaled: bigint | null): bigint | null => {
    const unit = 10n ** BigInt(RATE_SCALE - (digits ?? 0));
    return digits === undefined || scaled === null || scaled % unit !== 0n ? null : scaled / unit;
  };
  const asked = minor(positive(row.fiat, RATE_SCALE));
  const counted = minor(countedCash(row));
  const left = asked !== null && counted !== null && counted > asked ? null : counted;
  const [first = null, ...others] = cashMachines(row);
  const machine = others.length === 0 && isMachine(first) ? first : null;
  // If several machines paid out, none of them is known to have paid out everything.
  const isWhole = row.dispense_confirmed === 'true' && others.length === 0;
  return {
    machine,
    begunAt: isMachine(row.device_id) && row.device_id !== machine ? row.device_id : null,
    at,
    atFrom,
    currency: digits === undefined ? null : row.fiat_code,
    digits: digits ?? 0,
    asked,
    cameOut: isWhole ? asked : left,
    gross: coin ? paid(row) : null,
    charge: coin
      ? {
          ticker: positive(row.raw_ticker_price, RATE_SCALE),
          rate: sound(row.commission_percentage, RATE_SCALE),
          discount: sound(row.discount, 0) ?? 0n,
          fixedFee: sound(row.fixed_fee, RATE_SCALE) ?? 0n,
        }
      : null,
  };
}

function momentOf(row: LamassuRow, sourceNow: Instant): Pick<PartialFigures, 'at' | 'atFrom'> {
  for (const atFrom of ['confirmed_at', 'created'] as const) {
    const at = row[atFrom];
    if (atFrom === 'confirmed_at' && isBackdated(row)) continue;
    if (at !== null && isInstant(at) && at <= sourceNow) return { at, atFrom };
  }
  return { at: sourceNow, atFrom: 'now' };
}

/**
 * The lesser of the sats due and the sats received; null if what was due is not a sound number, or nothing arrived.
 */
function paid(row: LamassuRow): bigint | null {
  const due = positive(row.crypto_atoms, 0);
  if (row.received_crypto_atoms === null || due === null) return due;
  const received = positive(row.received_crypto_atoms, 0);
  return received !== null && received > due ? due : received;
}

function positive(text: string | null, scale: number): bigint | null {
  return sound(text, scale) || null;
}

function sound(text: string | null, scale: number): bigint | null {
  const value = readDecimal(text, scale);
  return value !== undefined && value >= 0n && value < MOST ? value : null;
}

/** More than all bitcoin and than any amount that Lamassu can hold; still within the ledger's integers. */
const MOST = 10n ** 16n;
