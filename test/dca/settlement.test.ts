import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  NO_AMOUNTS,
  type PartialAmounts,
  proportionOf,
  type Stated,
  settledFigures,
} from '../../src/dca/settlement.ts';
import type { BridgeError } from '../../src/errors.ts';

const rules = { method: 'ticker', fallback: 'margin' } as const;
const charge = { ticker: 100_000_00000n, rate: 5_500n, discount: 0n, fixedFee: 0n };
/** 500 USD asked for 529,100 sat, 200 USD came out. */
const jammed: PartialAmounts = {
  ...{ currency: 'USD', digits: 2, asked: 500_00n, cameOut: 200_00n, gross: 529_100n, charge },
};
const usd = (minor: bigint) => ({ minor, currency: 'USD', digits: 2 });

describe('the figures of a settlement', () => {
  test('of a partial dispense are its proportion', () => {
    expect(settledFigures(jammed, {}, rules)).toEqual({
      ...{ currency: 'USD', digits: 2, fiat: 200_00n, distributed: 211_640n, undelivered: 317_460n },
      ...{ commission: 11_640n, method: 'ticker' },
    });
  });

  test('of the whole amount are those of the row', () => {
    expect(settledFigures(jammed, { fiat: usd(500_00n) }, rules)).toMatchObject({
      ...{ distributed: 529_100n, undelivered: 0n, commission: 29_100n },
    });
  });

  test('by margin, the fixed fee counts in proportion: the parts charge what the whole does', () => {
    const told = { ...jammed, charge: { ...charge, ticker: null, fixedFee: 5_00000n } };
    const whole = settledFigures(told, { fiat: usd(500_00n) }, rules);
    const half = settledFigures(told, { fiat: usd(250_00n) }, rules);
    expect(whole).toMatchObject({ method: 'margin', commission: 529_100n - 495_049n });
    expect(half.distributed - half.commission).toBe((whole.distributed - whole.commission) / 2n);
  });

  test('by margin, the fixed fee counts once where more came out than was asked for', () => {
    const told = { ...jammed, asked: 100_00n, charge: { ...charge, ticker: null, fixedFee: 5_00000n } };
    const stated = { fiat: usd(300_00n), distributed: 36_000n };
    // 36,000 × 0.945 × 300 / 305
    expect(settledFigures(told, stated, rules)).toMatchObject({ method: 'margin', commission: 2_538n });
  });

  test('that are stated take precedence over Lamassu’s; a rate is rounded half up', () => {
    expect(settledFigures(jammed, { distributed: 100_010n, rate: 5_000n }, rules)).toMatchObject({
      ...{ distributed: 100_010n, commission: 5001n, undelivered: 429_090n, method: 'given' },
    });
    expect(settledFigures(jammed, { distributed: 600_000n, commission: 1n }, rules)).toMatchObject({
      ...{ distributed: 600_000n, undelivered: 0n },
    });
  });

  test('by margin, a row without what was asked for bears the whole fixed fee', () => {
    const told = { ...jammed, asked: null, charge: { ...charge, ticker: null, fixedFee: 5_00000n } };
    // 100,000 × 0.945 × 200 / 205
    expect(settledFigures(told, { distributed: 100_000n }, rules)).toMatchObject({ commission: 7_805n });
  });

  test('that Lamassu does not tell need only be stated', () => {
    const stated = { fiat: usd(1_00n), distributed: 1000n, rate: 0n };
    expect(settledFigures(NO_AMOUNTS, stated, rules)).toEqual({
      ...{ currency: 'USD', digits: 2, fiat: 1_00n, distributed: 1000n, undelivered: 0n },
      ...{ commission: 0n, method: 'given' },
    });
  });

  test('by a stated price: the principal is the worth of the cash, the rest is commission', () => {
    // 200 USD at 100,000 USD are 200,000 sat.
    expect(settledFigures(jammed, { price: usd(100_000_00n) }, rules)).toMatchObject({
      ...{ distributed: 211_640n, commission: 11_640n, undelivered: 317_460n, method: 'given' },
    });
    // 70,000 USD: 285,714.28… sat, rounded down.
    const own = { price: usd(70_000_00n), distributed: 300_000n };
    expect(settledFigures(jammed, own, rules)).toMatchObject({ distributed: 300_000n, commission: 14_286n });
  });

  test('by a stated price without a gross: the cash is worth its sats, and nothing is commission', () => {
    const litecoin: PartialAmounts = { ...jammed, gross: null, charge: null };
    const worth = { distributed: 285_714n, commission: 0n, undelivered: 0n, method: 'given' };
    expect(settledFigures(litecoin, { price: usd(70_000_00n) }, rules)).toMatchObject(worth);
    const external = { price: usd(70_000_00n), fiat: usd(200_00n) };
    expect(settledFigures(NO_AMOUNTS, external, rules)).toMatchObject(worth);
  });

  test('by any price, principal and commission add up, and one sat more would be worth too much', () => {
    const minor = fc.bigInt({ min: 1n, max: 10n ** 9n });
    fc.assert(
      fc.property(minor, minor, fc.bigInt({ min: 0n, max: 10n ** 9n }), (fiat, price, more) => {
        const worth = (fiat * 100_000_000n) / price;
        fc.pre(worth > 0n && more <= worth);
        const stated = { fiat: usd(fiat), price: usd(price), distributed: worth + more };
        const { distributed, commission } = settledFigures(NO_AMOUNTS, stated, rules);
        const principal = distributed - commission;
        expect(commission).toBe(more);
        expect(principal * price <= fiat * 100_000_000n).toBe(true);
        expect((principal + 1n) * price > fiat * 100_000_000n).toBe(true);
      }),
    );
  });

  const all = { fiat: usd(1_00n), distributed: 1000n, rate: 0n };
  const noCash = 'fiat: it is not known how much cash came out.';
  const noGross = 'gross: it is not known what the layperson paid in satoshi.';
  const sayGross = 'Give what was paid for it with gross, like "61234 sat".';
  const orPrice = `${sayGross.slice(0, -1)}; or the price of one BTC with price, like "780000 GTQ".`;
  const sayCommission =
    'Give it with commission, like "3000 sat", with rate, like 5.5%, or by the price of one BTC with price, like "780000 GTQ".';
  const sayCash = (currency: string) => `Give the cash that the layperson got, like "200 ${currency}".`;
  const quetzals = { minor: 1n, currency: 'GTQ', digits: 2 };
  const unpriced = { ...charge, ticker: null, rate: null };
  test.each<[what: string, told: PartialAmounts, stated: Stated, message: string, hint: string]>([
    ['cash', NO_AMOUNTS, { ...all, fiat: undefined }, noCash, sayCash('USD')],
    ['cash in a known currency', { ...jammed, currency: 'GTQ', cameOut: null }, {}, noCash, sayCash('GTQ')],
    ['a currency', { ...jammed, currency: null }, {}, noCash, sayCash('USD')],
    [
      'its own currency',
      jammed,
      { fiat: quetzals },
      'fiat: the cash-out is in USD, not in GTQ.',
      'Write "… USD".',
    ],
    ['what was paid', NO_AMOUNTS, { ...all, distributed: undefined }, noGross, orPrice],
    ['a sat for so little cash', { ...jammed, gross: 1n }, {}, noGross, sayGross],
    [
      'what was paid for more than was asked',
      { ...jammed, gross: null },
      { fiat: usd(600_00n) },
      noGross,
      orPrice,
    ],
    ['what was paid for a part', { ...jammed, gross: null }, {}, noGross, orPrice],
    ['what was asked for', { ...jammed, asked: null }, {}, noGross, sayGross],
    [
      'any cash, where Lamassu counted no notes',
      { ...jammed, asked: null, cameOut: 0n },
      {},
      'fiat: Lamassu counted no notes out, so there is nothing to distribute.',
      'review.dismiss(id: …, reason: …) closes the row. If cash came out anyway, give the amount, like "200 USD".',
    ],
    [
      'cash within what was asked for',
      jammed,
      { fiat: usd(500_01n) },
      'fiat: this is more cash than the layperson asked for.',
      sayGross,
    ],
    [
      'a commission',
      NO_AMOUNTS,
      { ...all, rate: undefined },
      'commission: it is not known what was charged in satoshi.',
      sayCommission,
    ],
    [
      'a commission up to half',
      jammed,
      { distributed: 100n, commission: 51n },
      'commission: 51 sat are more than half of the 100 sat that are distributed.',
      'Check gross and commission: the commission is a part of the gross.',
    ],
    [
      'a price in their currency',
      jammed,
      { price: { ...quetzals, minor: 78_000_000n } },
      'price: the cash-out is in USD, not in GTQ.',
      'Write "… USD", for one BTC.',
    ],
    [
      'a price that is high enough',
      jammed,
      { price: usd(90_000_00n) },
      'price: at this price the cash is worth 222,222 sat, more than the 211,640 sat that are distributed.',
      'Check price and gross: the cash is worth at most what was paid for it.',
    ],
    [
      'a price that is low enough',
      jammed,
      { price: usd(200_000_00n) },
      'price: at this price the cash is worth 100,000 sat, less than half of the 211,640 sat that are distributed.',
      'Check price and gross: the rest would be commission.',
    ],
    [
      'a sat at this price',
      { ...jammed, gross: null },
      { fiat: usd(1n), price: usd(2_000_000_00n) },
      'price: at this price the cash is worth less than one satoshi.',
      'Write what one BTC costs, like "780000 GTQ".',
    ],
    [
      'a price and a rate',
      { ...jammed, charge: unpriced },
      {},
      'commission: the row has neither a ticker price nor a commission rate.',
      sayCommission,
    ],
  ])('that lack %s are refused with the field and the way out', (_, told, stated, message, hint) => {
    let thrown: unknown;
    try {
      settledFigures(told, stated, rules);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'usage/invalid', message });
    expect(`${(thrown as BridgeError).hint}`).toBe(hint);
  });

  test('a commission of half of the gross is taken', () => {
    expect(settledFigures(jammed, { distributed: 100n, commission: 50n }, rules)).toMatchObject({
      commission: 50n,
    });
  });

  test('never give the clients more than the part of the gross, and lose no satoshi of it', () => {
    const amount = fc.bigInt(1n, 500_00n);
    fc.assert(
      fc.property(amount, fc.bigInt(1n, 10n ** 12n), fc.bigInt(0n, 49_999n), (fiat, gross, rate) => {
        const told = { ...jammed, gross };
        fc.pre((proportionOf(told, fiat) ?? 0n) > 0n);
        const figures = settledFigures(told, { fiat: usd(fiat), rate }, rules);
        expect(figures.distributed + figures.undelivered).toBe(gross);
        expect(figures.distributed * 500_00n).toBeLessThanOrEqual(gross * fiat);
        expect(figures.commission).toBeLessThanOrEqual(figures.distributed);
      }),
    );
  });
});
