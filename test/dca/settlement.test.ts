import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NOTHING_TOLD, proportionOf, settledFigures, type Told } from '../../src/dca/settlement.ts';

const rules = { method: 'ticker', fallback: 'margin' } as const;
const charge = { ticker: 100_000_00000n, rate: 5_500n, discount: 0n, fixedFee: 0n };
/** 500 USD asked for 529,100 sat, 200 USD came out. */
const jammed: Told = {
  ...{ currency: 'USD', digits: 2, asked: 500_00n, cameOut: 200_00n, gross: 529_100n, charge },
};
const usd = (minor: bigint) => ({ minor, currency: 'USD', digits: 2 });

describe('the figures of a settlement', () => {
  test('of a partial dispense are its proportion', () => {
    expect(settledFigures(jammed, {}, rules)).toEqual({
      ...{ currency: 'USD', digits: 2, fiat: 200_00n, gross: 211_640n, undelivered: 317_460n },
      ...{ commission: 11_640n, method: 'ticker' },
    });
  });

  test('of the whole amount are those of the row', () => {
    expect(settledFigures(jammed, { fiat: usd(500_00n) }, rules)).toMatchObject({
      ...{ gross: 529_100n, undelivered: 0n, commission: 29_100n },
    });
  });

  test('by margin, the fixed fee counts in proportion: the parts charge what the whole does', () => {
    const told = { ...jammed, charge: { ...charge, ticker: null, fixedFee: 5_00000n } };
    const whole = settledFigures(told, { fiat: usd(500_00n) }, rules);
    const half = settledFigures(told, { fiat: usd(250_00n) }, rules);
    expect(whole).toMatchObject({ method: 'margin', commission: 529_100n - 495_049n });
    expect(half.gross - half.commission).toBe((whole.gross - whole.commission) / 2n);
  });

  test('that are stated go before what is told; a rate is rounded half up', () => {
    expect(settledFigures(jammed, { gross: 100_010n, rate: 5_000n }, rules)).toMatchObject({
      ...{ gross: 100_010n, commission: 5001n, undelivered: 429_090n, method: 'given' },
    });
    expect(settledFigures(jammed, { gross: 600_000n, commission: 1n }, rules)).toMatchObject({
      ...{ gross: 600_000n, undelivered: 0n },
    });
  });

  test('that nobody tells are asked for by their option', () => {
    const stated = { fiat: usd(1_00n), gross: 1000n, rate: 0n };
    expect(settledFigures(NOTHING_TOLD, stated, rules)).toMatchObject({ fiat: 1_00n, commission: 0n });
    const without = (key: keyof typeof stated) => () =>
      settledFigures(NOTHING_TOLD, { ...stated, [key]: undefined }, rules);
    expect(without('fiat')).toThrow('--fiat: ');
    expect(without('gross')).toThrow('--gross: ');
    expect(without('rate')).toThrow('--commission: ');
  });

  test('never give the clients more than the part of the gross, and lose no satoshi of it', () => {
    const amount = fc.bigInt(1n, 500_00n);
    fc.assert(
      fc.property(amount, fc.bigInt(1n, 10n ** 12n), fc.bigInt(0n, 49_999n), (fiat, gross, rate) => {
        const told = { ...jammed, gross };
        fc.pre((proportionOf(told, fiat) ?? 0n) > 0n);
        const figures = settledFigures(told, { fiat: usd(fiat), rate }, rules);
        expect(figures.gross + figures.undelivered).toBe(gross);
        expect(figures.gross * 500_00n).toBeLessThanOrEqual(gross * fiat);
        expect(figures.commission).toBeLessThanOrEqual(figures.gross);
      }),
    );
  });
});
