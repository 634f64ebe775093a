import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  cashText,
  formatCash,
  formatDecimal,
  formatRate,
  formatSats,
  groupDigits,
  parseDecimal,
  percent,
  percentRange,
  sum,
} from '../../src/dca/money.ts';

describe('parseDecimal', () => {
  test.each([
    ['3000', 2, 300_000n],
    ['3000.5', 2, 300_050n],
    ['4000.00000', 2, 400_000n],
    ['-0.05', 2, -5n],
    ['0.05500', 5, 5_500n],
    ['123456789012345678901234567890', 0, 123456789012345678901234567890n],
    ['5.0', 0, 5n],
  ])('%s at scale %i is %s', (text, scale, value) => {
    expect(parseDecimal(text, scale)).toBe(value);
  });

  test.each(['', '1e3', 'NaN', 'Infinity', '1,000', ' 1', '1 ', '+1', '.5', '5.', '--1', '0x10', '1\n', '١'])(
    'refuses %j',
    (text) => {
      expect(() => parseDecimal(text, 2)).toThrow(`not a plain decimal number: ${JSON.stringify(text)}`);
    },
  );

  test('refuses what is finer than the scale, and loses nothing to rounding', () => {
    expect(() => parseDecimal('0.001', 2)).toThrow('more than 2 decimals: 0.001');
    expect(() => parseDecimal('100.5', 0)).toThrow('more than 0 decimals: 100.5');
  });

  test('reads back what formatDecimal writes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.nat({ max: 8 }), (value, scale) => {
        expect(parseDecimal(formatDecimal(value, scale), scale)).toBe(value);
      }),
    );
  });
});

test.each([
  [300_000n, 2, '3000.00'],
  [5n, 2, '0.05'],
  [-5n, 2, '-0.05'],
  [0n, 2, '0.00'],
  [1_500n, 3, '1.500'],
  [42n, 0, '42'],
  [-42n, 0, '-42'],
])('formatDecimal: %s at scale %i is %s', (value, scale, text) => {
  expect(formatDecimal(value, scale)).toBe(text);
});

test('formatRate shows five decimals, as Lamassu does', () => {
  expect(formatRate(5_500n)).toBe('0.05500');
});

test.each([
  [5_500n, '5.5 %'],
  [5_000n, '5 %'],
  [100_000n, '100 %'],
  [1_001n, '1.001 %'],
  [10_050n, '10.05 %'],
  [0n, '0 %'],
])('percent: %s is %s', (rate, text) => {
  expect(percent(rate)).toBe(text);
});

test.each([
  [3_000n, 8_000n, '3 % to 8 %'],
  [3_000n, null, 'at least 3 %'],
  [null, 8_000n, 'at most 8 %'],
  [null, null, 'any rate'],
])('percentRange: from %s to %s is %s', (min, max, text) => {
  expect(percentRange(min, max)).toBe(text);
});

test.each([
  [484_207n, '484,207'],
  [999n, '999'],
  [1_000n, '1,000'],
  [-100_000n, '-100,000'],
  ['1234567.8912', '1,234,567.8912'],
  ['0.05', '0.05'],
])('groupDigits: %s reads %s', (amount, text) => {
  expect(groupDigits(amount)).toBe(text);
});

test('amounts for people', () => {
  expect(formatSats(123_456n)).toBe('123,456 sat');
  expect(formatCash(300_000n, 2, 'GTQ')).toBe('3,000.00 GTQ');
  expect(formatCash(-5n, 2, 'USD')).toBe('-0.05 USD');
  expect(formatCash(3000n, 0, 'JPY')).toBe('3,000 JPY');
  expect(cashText('1234567.5', 'USD')).toBe('1,234,567.5 USD');
});

test('sum adds up, and nothing is 0', () => {
  expect(sum([1n, 2n, -4n])).toBe(-1n);
  expect(sum([])).toBe(0n);
});
