import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Charge, charged } from '../../src/dca/commission.ts';
import { parseDecimal } from '../../src/dca/money.ts';

const scaled = (text: string) => parseDecimal(text, 5);

/** A real row: 4000 GTQ, 5.5 %. */
const row: Charge = {
  method: 'ticker',
  fallback: 'margin',
  gross: 512_400n,
  cash: scaled('4000.00000'),
  ticker: scaled('826091.28000'),
  rate: scaled('0.05500'),
  discount: 0n,
  fixedFee: 0n,
};

describe('what Lamassu charged', () => {
  test('by ticker: the price decides, to the sat', () => {
    expect(charged(row)).toEqual({ principal: 484_207n, commission: 28_193n, method: 'ticker' });
  });

  test('by margin: the rate, the discount on it, and the fixed fee', () => {
    const margin: Charge = { ...row, method: 'margin' };
    // 512,400 × 0.945 = 484,218
    expect(charged(margin)).toEqual({ principal: 484_218n, commission: 28_182n, method: 'margin' });
    // 512,400 × (1 − 0.055 × 0.8) = 489,854.4
    expect(charged({ ...margin, discount: 20n })).toMatchObject({ principal: 489_854n });
    // 484,218 × 4000 / 4010 = 483,010.47…
    expect(charged({ ...margin, fixedFee: scaled('10') })).toMatchObject({ principal: 483_010n });
  });

  test('by markup: as satmachineadmin counted', () => {
    expect(charged({ ...row, method: 'markup' })).toEqual({
      principal: 485_687n,
      commission: 26_713n,
      method: 'markup',
    });
    // 512,400 / (1 + 0.055 × 0.5) = 498,686.13…
    expect(charged({ ...row, method: 'markup', discount: 50n })).toMatchObject({ principal: 498_686n });
  });

  test('a discount of 100 % leaves no commission', () => {
    expect(charged({ ...row, method: 'margin', discount: 100n })).toMatchObject({ commission: 0n });
  });

  test('ticker and margin agree on what a machine asks for, within its step of 100 sat', () => {
    const fields = fc.record({
      whole: fc.bigInt({ min: 10n, max: 20_000n }),
      ticker: fc.bigInt({ min: 10n ** 9n, max: 10n ** 13n }),
      rate: fc.bigInt({ min: 0n, max: 30_000n }),
      discount: fc.bigInt({ min: 0n, max: 100n }),
      fee: fc.bigInt({ min: 0n, max: 10n }),
    });
    fc.assert(
      fc.property(fields, ({ whole, ticker, rate, discount, fee }) => {
        const fiat = whole * 100_000n;
        const fixedFee = fee * 100_000n;
        const numerator = (fiat + fixedFee) * 10n ** 15n;
        const gross = (numerator / (ticker * (10n ** 7n - rate * (100n - discount))) / 100n) * 100n;
        fc.pre(gross > 100_000n);
        const charge: Charge = {
          method: 'ticker',
          fallback: 'margin',
          gross,
          cash: fiat,
          ticker,
          rate,
          discount,
          fixedFee,
        };
        const byTicker = charged(charge);
        const byMargin = charged({ ...charge, method: 'margin' });
        if ('review' in byTicker || 'review' in byMargin) {
          expect(fee * 4n > whole).toBe(true);
          return;
        }
        const apart = byTicker.principal - byMargin.principal;
        expect(apart >= -100n && apart <= 100n).toBe(true);
        expect(byTicker.principal + byTicker.commission).toBe(gross);
      }),
    );
  });
});

describe('the fallback', () => {
  test('counts where the price is missing', () => {
    expect(charged({ ...row, ticker: null })).toMatchObject({ method: 'margin', principal: 484_218n });
    expect(charged({ ...row, ticker: null, fallback: 'markup' })).toMatchObject({ method: 'markup' });
  });

  test('may be the price, where the rate is missing', () => {
    expect(charged({ ...row, method: 'markup', fallback: 'ticker', rate: null })).toMatchObject({
      method: 'ticker',
      principal: 484_207n,
    });
  });

  test('cannot help where its column is missing too', () => {
    expect(charged({ ...row, ticker: null, rate: null })).toEqual({
      review: 'no-rate',
      detail: 'the row has neither a ticker price nor a commission rate',
    });
    expect(charged({ ...row, method: 'margin', fallback: 'markup', rate: null })).toMatchObject({
      review: 'no-rate',
    });
  });
});

describe('what the operator must check', () => {
  /** 200 USD at a price of 100,000 have a principal of 200,000 sat. */
  const usd: Charge = { ...row, cash: scaled('200'), ticker: scaled('100000') };

  test('a principal above the gross is tolerated up to 200 sat, and then is the gross', () => {
    expect(charged({ ...usd, gross: 200_000n })).toMatchObject({ principal: 200_000n, commission: 0n });
    expect(charged({ ...usd, gross: 199_800n })).toMatchObject({ principal: 199_800n, commission: 0n });
    expect(charged({ ...usd, gross: 199_799n })).toMatchObject({ review: 'implausible-rate' });
  });

  test('a commission of half the gross passes, a sat more does not', () => {
    expect(charged({ ...usd, gross: 400_000n })).toMatchObject({ commission: 200_000n });
    expect(charged({ ...usd, gross: 400_001n })).toMatchObject({ review: 'implausible-rate' });
  });

  test('is reported with all figures of the calculation', () => {
    expect(charged({ ...usd, gross: 199_799n, rate: null })).toEqual({
      review: 'implausible-rate',
      detail:
        '200,000 of 199,799 sat are principal by ticker, with fiat 200.00000, price 100000.00000, rate none, ' +
        'discount 0 %, fixed fee 0.00000',
    });
    expect(charged({ ...row, method: 'margin', discount: 101n, rate: scaled('0.001') })).toEqual({
      review: 'implausible-rate',
      detail:
        'no principal can be computed by margin, with fiat 4000.00000, price 826091.28000, rate 0.00100, ' +
        'discount 101 %, fixed fee 0.00000',
    });
  });

  test.each<[string, Partial<Charge>]>([
    ['a price of 0', { ticker: 0n }],
    ['a negative price', { ticker: -1n }],
    ['550 % of margin', { method: 'margin', rate: scaled('5.5') }],
    ['-100 % of markup', { method: 'markup', rate: scaled('-1') }],
    ['a discount above 100', { method: 'margin', discount: 101n }],
    ['a negative discount', { method: 'margin', discount: -1n }],
    ['a fee that eats the fiat', { method: 'margin', fixedFee: scaled('-4000') }],
  ])('%s is implausible, and stops nothing', (_, change) => {
    expect(charged({ ...row, ...change })).toMatchObject({
      review: 'implausible-rate',
      detail: expect.stringMatching(/4000\.00000/),
    });
  });
});
