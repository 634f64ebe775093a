import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sum } from '../../src/dca/money.ts';
import { priceOf, worthOf, worthOfPart } from '../../src/dca/price.ts';

test('100.00 GTQ that bought 12,820 sat: 780,031.20 GTQ for one BTC, and 705 sat are worth 5.50 GTQ', () => {
  const bought = { fiat: 10_000n, sats: 12_820n };
  expect(priceOf(bought)).toBe(78_003_120n);
  expect(worthOf(705n, bought)).toBe(550n);
});

test('without a sat there is no price', () => {
  const nothing = { fiat: 10_000n, sats: 0n };
  expect([priceOf(nothing), worthOf(1n, nothing), worthOfPart(0n, 1n, nothing)]).toEqual([null, null, null]);
});

test('the worths of parts add up to the worth of their sum', () => {
  const amount = fc.bigInt({ min: 0n, max: 10n ** 16n });
  fc.assert(
    fc.property(fc.array(amount), amount, fc.bigInt({ min: 1n, max: 10n ** 16n }), (parts, fiat, sats) => {
      const bought = { fiat, sats };
      let before = 0n;
      const worths = parts.map((part) => {
        const worth = worthOfPart(before, part, bought);
        before += part;
        return worth ?? -1n;
      });
      expect(sum(worths)).toBe(worthOf(before, bought));
      for (const worth of worths) expect(worth).toBeGreaterThanOrEqual(0n);
    }),
  );
});
