import { expect, test } from 'vitest';
import { metrics } from '../../src/dca/client-stats.ts';
import { formatDecimal } from '../../src/dca/money.ts';

test('60.00 USD that became 135,000 sat were spent at 44444.44 USD per BTC, 2250.00 sat per USD', () => {
  const { averageRate, satsPerUnit, ...sums } = metrics({ sats: 135_000n, fiat: 6_000n, digits: 2 });
  expect(sums).toEqual({ satsStacked: 135_000n, fiatSpent: 6_000n });
  expect(formatDecimal(averageRate ?? 0n, 2)).toBe('44444.44');
  expect(formatDecimal(satsPerUnit ?? 0n, 2)).toBe('2250.00');
});

test('a currency without minor units, and one with three', () => {
  // 10,000 JPY for 100,000 sat: 10,000,000 JPY per BTC.
  expect(metrics({ sats: 100_000n, fiat: 10_000n, digits: 0 })).toMatchObject({
    averageRate: 10_000_000n,
    satsPerUnit: 1_000n,
  });
  // 1.000 KWD for 3,000 sat: 33333.333 KWD per BTC.
  expect(metrics({ sats: 3_000n, fiat: 1_000n, digits: 3 })).toMatchObject({
    averageRate: 33_333_333n,
    satsPerUnit: 300_000n,
  });
});

test('halves round up', () => {
  // 0.03 USD per 200,000,000 sat are 1.5 cents per BTC; 1 sat for 8.00 USD is 0.125 sat per USD.
  expect(metrics({ sats: 200_000_000n, fiat: 3n, digits: 2 }).averageRate).toBe(2n);
  expect(metrics({ sats: 1n, fiat: 800n, digits: 2 }).satsPerUnit).toBe(13n);
});

test('before the first purchase there is no average', () => {
  expect(metrics({ sats: 0n, fiat: 0n, digits: 2 })).toEqual({
    satsStacked: 0n,
    fiatSpent: 0n,
    averageRate: null,
    satsPerUnit: null,
  });
});
