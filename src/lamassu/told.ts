import { type Currencies, currencyDigits } from '../dca/currency.ts';
import { RATE_SCALE } from '../dca/money.ts';
import type { Told } from '../dca/settlement.ts';
import { type Instant, isInstant } from '../time.ts';
import { cashMachines, countedCash } from './notes.ts';
import { isBackdated, type LamassuRow } from './row.ts';
import { isMachine, readDecimal } from './values.ts';

/** What a row tells of a cash-out that a person settles, sound or not. */
export interface RowTold extends Told {
  /** The one that the cash came out of; null where the row names none that can be right, or several. */
  machine: string | null;
  /** The one where the layperson began it, where that is another. */
  begunAt: string | null;
  /** The moment that counts for it: whose cash was in the machine, and what was in force. */
  at: Instant;
  /** Where `at` comes from: a row without a `confirmed_at` that can be right goes by its creation, else by Lamassu's clock. */
  atFrom: 'confirmed_at' | 'created' | 'now';
}

/** Takes from a row whatever can be relied on; `row.actions` have to be there. */
export function toldBy(row: LamassuRow, sourceNow: Instant, currencies: Currencies): RowTold {
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
  // Of several machines none gave out all of it, for all that is known.
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

function momentOf(row: LamassuRow, sourceNow: Instant): Pick<RowTold, 'at' | 'atFrom'> {
  for (const atFrom of ['confirmed_at', 'created'] as const) {
    const at = row[atFrom];
    if (atFrom === 'confirmed_at' && isBackdated(row)) continue;
    if (at !== null && isInstant(at) && at <= sourceNow) return { at, atFrom };
  }
  return { at: sourceNow, atFrom: 'now' };
}

/** The lesser of what was asked for and what arrived; null where the one is not sound, or nothing arrived. */
function paid(row: LamassuRow): bigint | null {
  const asked = positive(row.crypto_atoms, 0);
  if (row.received_crypto_atoms === null || asked === null) return asked;
  const received = positive(row.received_crypto_atoms, 0);
  return received !== null && received > asked ? asked : received;
}

function positive(text: string | null, scale: number): bigint | null {
  return sound(text, scale) || null;
}

function sound(text: string | null, scale: number): bigint | null {
  const value = readDecimal(text, scale);
  return value !== undefined && value >= 0n && value < MOST ? value : null;
}

/** Above every satoshi and every amount that Lamassu can hold; within the ledger's integers. */
const MOST = 10n ** 16n;
