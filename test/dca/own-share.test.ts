import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allocate } from '../../src/dca/allocate.ts';
import { type OwnPart, takeFromOwn } from '../../src/dca/own-share.ts';

const net = (part: OwnPart) => part.gross - part.commission;

/** The own part as it was when the cash-out was divided over that much cash of one client. */
function divided(fiat: bigint, distributed: bigint, commission: bigint, clients: bigint): OwnPart {
  const { own } = allocate({
    fiat,
    distributed,
    commission,
    fundings: clients === 0n ? [] : [{ id: 1n, client: 1n, mode: 'flow', remaining: clients, rate: null }],
    limitLeft: new Map(),
    priority: 'shared',
  });
  return own;
}

describe('takeFromOwn', () => {
  test('200 USD, 50 of them a client’s: late cash of 100 gets two thirds of the own part', () => {
    const own = divided(20_000n, 211_000n, 11_000n, 5_000n);
    expect(own).toMatchObject({ fiat: 15_000n, gross: 158_250n, commission: 8_250n });
    const { taken, left } = takeFromOwn({ fiat: 20_000n, gross: 211_000n }, own, 10_000n, null);
    expect(taken).toEqual({ fiat: 10_000n, gross: 105_500n, commission: 5_500n });
    expect(left).toEqual({ fiat: 5_000n, gross: 52_750n, commission: 2_750n });
  });

  test('a rate of its own is paid of its gross, rounded half up; the own part keeps its commission', () => {
    const own = divided(20_000n, 211_000n, 11_000n, 5_000n);
    const { taken, left } = takeFromOwn({ fiat: 20_000n, gross: 211_000n }, own, 10_000n, 1_001n);
    expect(taken).toEqual({ fiat: 10_000n, gross: 105_500n, commission: 1_056n });
    expect(left).toEqual({ fiat: 5_000n, gross: 52_750n, commission: 2_750n });
  });

  test('all of it leaves nothing', () => {
    const own = divided(20_000n, 211_000n, 11_000n, 5_000n);
    const { taken, left } = takeFromOwn({ fiat: 20_000n, gross: 211_000n }, own, 15_000n, null);
    expect(taken).toEqual({ fiat: 15_000n, gross: 158_250n, commission: 8_250n });
    expect(left).toEqual({ fiat: 0n, gross: 0n, commission: 0n });
  });

  test('a sat that does not divide goes to the larger remainder, in a tie to the part that is taken', () => {
    const taken = (whole: { fiat: bigint; gross: bigint }, own: OwnPart, fiat: bigint) =>
      takeFromOwn(whole, own, fiat, null).taken.gross;
    // 10 sat for 3: a third each, and the own part of 2 was rounded up to 7.
    expect(taken({ fiat: 3n, gross: 10n }, { fiat: 2n, gross: 7n, commission: 0n }, 1n)).toBe(4n);
    // 10 sat for 7: 1 3/7 for one, 2 6/7 for two.
    const own = { fiat: 3n, gross: 4n, commission: 0n };
    expect(taken({ fiat: 7n, gross: 10n }, own, 1n)).toBe(1n);
    expect(taken({ fiat: 7n, gross: 10n }, own, 2n)).toBe(3n);
  });

  test('more than there is, or nothing, is refused', () => {
    const own = divided(100n, 100n, 0n, 0n);
    for (const fiat of [0n, -1n, 101n]) {
      expect(() => takeFromOwn({ fiat: 100n, gross: 100n }, own, fiat, null)).toThrow(
        `cannot take fiat ${fiat} out of 100`,
      );
    }
  });

  test('an own part that was not divided out of that whole is refused', () => {
    const whole = { fiat: 100n, gross: 100n };
    for (const gross of [49n, 53n])
      expect(() => takeFromOwn(whole, { fiat: 50n, gross, commission: 0n }, 10n, null)).toThrow(
        `an own part of ${gross} sat does not fit 50 of 100`,
      );
  });

  test('however often something is taken, nothing is lost and every part stays within a sat of its cash', () => {
    fc.assert(
      fc.property(
        fc.record({
          fiat: fc.bigInt(1n, 100_000n),
          gross: fc.bigInt(0n, 1_000_000n),
          permille: fc.bigInt(0n, 500n),
          clients: fc.bigInt(0n, 100_000n),
          cuts: fc.array(fc.bigInt(1n, 100_000n), { maxLength: 6 }),
        }),
        ({ fiat, gross, permille, clients, cuts }) => {
          const close = (part: OwnPart) => {
            const off = part.gross * fiat - gross * part.fiat;
            return off < fiat && -off < fiat;
          };
          const commission = (gross * permille) / 1000n;
          let own = divided(fiat, gross, commission, clients < fiat ? clients : fiat);
          for (const cut of cuts) {
            if (own.fiat === 0n) break;
            const { taken, left } = takeFromOwn({ fiat, gross }, own, (cut % own.fiat) + 1n, null);
            expect(taken.fiat + left.fiat).toBe(own.fiat);
            expect(taken.gross + left.gross).toBe(own.gross);
            expect(taken.commission + left.commission).toBe(own.commission);
            expect(net(taken) >= 0n && net(left) >= 0n).toBe(true);
            expect(close(taken) && close(left)).toBe(true);
            own = left;
          }
        },
      ),
    );
  });
});
