import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sum } from '../../src/dca/money.ts';
import { assertSum, largestRemainder, roundHalfUp } from '../../src/dca/split.ts';

const weights = (...list: bigint[]) => list.map((weight) => ({ weight }));

test.each([
  [5n, 2n, 3n],
  [4n, 3n, 1n],
  [14n, 10n, 1n],
  [15n, 10n, 2n],
  [0n, 7n, 0n],
])('roundHalfUp: %s / %s is %s', (numerator, denominator, rounded) => {
  expect(roundHalfUp(numerator, denominator)).toBe(rounded);
});

test('roundHalfUp refuses what it does not round', () => {
  expect(() => roundHalfUp(-1n, 2n)).toThrow('cannot round -1/2');
  expect(() => roundHalfUp(1n, 0n)).toThrow('cannot round 1/0');
  expect(() => roundHalfUp(1n, -1n)).toThrow('cannot round 1/-1');
});

test('assertSum names what does not add up', () => {
  expect(() => {
    assertSum('gross', [1n, 2n], 4n);
  }).toThrow('gross: the parts add up to 3, not to 4');
});

describe('largestRemainder', () => {
  test('gives the units that do not divide to the largest remainders, ties to the first', () => {
    expect(largestRemainder(10n, weights(1n, 1n, 1n))).toEqual([4n, 3n, 3n]);
    expect(largestRemainder(10n, weights(1n, 3n, 3n))).toEqual([2n, 4n, 4n]);
    expect(largestRemainder(7n, weights(1n, 1n, 4n))).toEqual([1n, 1n, 5n]);
  });

  test('passes over parts that are at their cap, as often as needed', () => {
    const parts = [{ weight: 1n, cap: 3n }, { weight: 1n }, { weight: 1n, cap: 3n }];
    expect(largestRemainder(11n, parts)).toEqual([3n, 5n, 3n]);
  });

  test('throws where it cannot place everything', () => {
    expect(() => largestRemainder(3n, [{ weight: 1n, cap: 2n }])).toThrow('left over');
    expect(() => largestRemainder(1n, weights(0n))).toThrow('nobody');
    expect(() => largestRemainder(-1n, weights(1n))).toThrow('cannot divide -1: it or a weight is negative');
    expect(() => largestRemainder(1n, weights(2n, -1n))).toThrow(
      'cannot divide 1: it or a weight is negative',
    );
  });

  test('a part without a weight gets nothing, even of what everybody else has no room for', () => {
    expect(() => largestRemainder(3n, [{ weight: 1n, cap: 2n }, { weight: 0n }])).toThrow('left over');
  });

  test('nothing is divided without weights, too', () => {
    expect(largestRemainder(0n, [])).toEqual([]);
    expect(largestRemainder(0n, weights(0n, 0n))).toEqual([0n, 0n]);
  });

  test('adds up, and everybody gets the exact share rounded down or up', () => {
    const amount = fc.bigInt({ min: 0n, max: 10n ** 18n });
    fc.assert(
      fc.property(amount, fc.array(amount, { minLength: 1 }), (total, list) => {
        const all = sum(list);
        fc.pre(all > 0n);
        const parts = largestRemainder(total, weights(...list));
        expect(sum(parts)).toBe(total);
        list.forEach((weight, i) => {
          const off = (parts[i] ?? -1n) * all - total * weight;
          expect(off > -all && off < all).toBe(true);
        });
      }),
    );
  });
});
