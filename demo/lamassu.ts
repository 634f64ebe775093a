import { type insertAction, insertCashOut, type Lamassu } from '../test/support/lamassu.ts';

/** GTQ for one BTC, with 5 decimals. */
export const TICKER = 826_091_28000n;

type Columns = NonNullable<Parameters<typeof insertCashOut>[1]>;

/**
 * Somebody sells bitcoin for `fiat` whole GTQ, so many minutes ago. What the machine asks for goes in steps of 100 sat,
 * and has a commission of 5.5 %.
 */
export function sell(
  db: Lamassu,
  fiat: bigint,
  minutesAgo: number,
  columns: Columns = {},
  ticker = TICKER,
): Promise<string> {
  const rate = (ticker * 945n) / 1000n;
  const steps = (fiat * 100_000n * 1_000_000n * 2n + rate) / (rate * 2n);
  const sats = `${steps * 100n}`;
  const at = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
  return insertCashOut(db, {
    fiat: `${fiat}.00000`,
    crypto_atoms: sats,
    received_crypto_atoms: sats,
    raw_ticker_price: `${ticker / 100_000n}.${`${ticker % 100_000n}`.padStart(5, '0')}`,
    created: at(minutesAgo + 2),
    confirmed_at: at(minutesAgo),
    ...columns,
  });
}

/** The machine counted out 6 notes of 200 and jammed; the customer has paid for 2,000. */
export const jammed: Columns = {
  dispense_confirmed: false,
  error: 'Dispenser jammed',
  error_code: 'jammed',
};
export const sixNotes = (id: string): Parameters<typeof insertAction>[1] => ({
  tx_id: id,
  action: 'dispenseError',
  error: 'Dispenser jammed',
  dispensed_1: 6,
});

/** Sold now, to be fetched later: paid and confirmed, and no cash has come out yet. */
export const forLater: Columns = { redeem: true, dispense: false, dispense_confirmed: false };

export const litecoin: Columns = {
  crypto_code: 'LTC',
  crypto_atoms: '91500000',
  received_crypto_atoms: '91500000',
};
