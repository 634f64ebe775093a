import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Cash, fill, type Priority } from '../../src/dca/fill.ts';
import { sum } from '../../src/dca/money.ts';

const flow = (id: bigint, remaining: bigint): Cash => ({ id, client: 1_000n + id, mode: 'flow', remaining });
const fixed = (id: bigint, remaining: bigint, client = 2_000n + id): Cash => ({
  id,
  client,
  mode: 'fixed',
  remaining,
});
const limits = (...entries: [client: bigint, left: bigint][]) => new Map(entries);
/** The cash that each funding gives, as a plain object by id. */
const given = (taken: Map<bigint, bigint>) => Object.fromEntries([...taken].map(([id, n]) => [`${id}`, n]));

describe('water-filling', () => {
  test('is in proportion to what remains', () => {
    expect(given(fill(10_000n, [flow(1n, 300_000n), flow(2n, 200_000n)], limits(), 'shared'))).toEqual({
      1: 6_000n,
      2: 4_000n,
    });
  });

  test('cash that a daily limit frees goes to the others, and the next day starts again', () => {
    const day = (fiat: bigint, a: bigint, b: bigint) =>
      given(fill(fiat, [flow(1n, a), fixed(2n, b, 9n)], limits([9n, 50_000n]), 'shared'));
    expect(day(200_000n, 500_000n, 500_000n)).toEqual({ 1: 150_000n, 2: 50_000n });
    expect(day(40_000n, 350_000n, 450_000n)).toEqual({ 1: 17_500n, 2: 22_500n });
  });

  test('the limit holds for all fundings of a fixed client together', () => {
    const fundings = [flow(1n, 1_000n), fixed(2n, 750n, 9n), fixed(3n, 250n, 9n)];
    expect(given(fill(1_000n, fundings, limits([9n, 100n]), 'shared'))).toEqual({ 1: 900n, 2: 75n, 3: 25n });
  });

  test('units that do not divide keep to that limit, too', () => {
    const fundings = [fixed(1n, 4n, 9n), fixed(2n, 4n, 9n), fixed(3n, 4n, 9n)];
    const others = [flow(4n, 3n), flow(5n, 3n), flow(6n, 3n), flow(7n, 3n)];
    // Half a unit for each of the three, whose client has two left, and 3/8 for each of the others.
    expect(given(fill(3n, [...fundings, ...others], limits([9n, 2n]), 'shared'))).toEqual({
      1: 1n,
      2: 1n,
      4: 1n,
    });
  });

  test('units that do not divide keep to it after the whole ones, too', () => {
    const fixedOnes = [fixed(1n, 3n, 9n), fixed(2n, 5n, 9n), fixed(3n, 3n, 9n), fixed(4n, 11n, 9n)];
    const others = [flow(6n, 12n), flow(7n, 19n), flow(8n, 10n), flow(9n, 18n)];
    const taken = fill(53n, [...fixedOnes, fixed(5n, 16n, 9n), ...others], limits([9n, 21n]), 'shared');
    // 53/97 of what remains: 20.8 of the client's 38, of which its fundings' whole units are 18; the remainders have
    // room for three.
    expect(given(taken)).toMatchObject({ 1: 2n, 2: 3n, 3: 1n, 4: 6n, 5: 9n });
    expect(sum([...taken.values()])).toBe(53n);
  });

  test('a fixed client whose exact share is its limit gives just that, however small its remainders', () => {
    const fixedOnes = [1n, 2n, 3n, 4n, 5n].map((id) => fixed(id, 1n, 9n));
    const others = [flow(6n, 2n), flow(7n, 3n)];
    // A fifth of what remains: 1/5 for each of the five, 2/5 and 3/5 for the others.
    expect(given(fill(2n, [...fixedOnes, ...others], limits([9n, 1n]), 'shared'))).toEqual({ 1: 1n, 7: 1n });
  });

  test('the limit of one fixed client can free what brings another to its own', () => {
    const fundings = [fixed(1n, 100n, 7n), fixed(2n, 100n, 8n), flow(3n, 100n)];
    // A third of 120 is 40: the first stops at 10, and half of the other 110 is above the second's 45.
    const taken = fill(120n, fundings, limits([7n, 10n], [8n, 45n]), 'shared');
    expect(given(taken)).toEqual({ 1: 10n, 2: 45n, 3: 65n });
  });

  test('nobody gives more than remains, whatever came out', () => {
    expect(given(fill(1_000n, [flow(1n, 30n), flow(2n, 50n)], limits(), 'shared'))).toEqual({
      1: 30n,
      2: 50n,
    });
  });

  test('a fixed client without a limit, with none left, or beyond it gives nothing', () => {
    const fundings = [fixed(1n, 100n, 7n), fixed(2n, 100n, 8n), fixed(3n, 100n, 9n)];
    expect(given(fill(10n, fundings, limits([8n, 0n], [9n, -5n]), 'shared'))).toEqual({});
  });

  test('units that do not divide go by the largest remainder, ties to the smaller id', () => {
    const fundings = [flow(10n, 1n), flow(9n, 1n), flow(2n, 1n)];
    expect(given(fill(2n, fundings, limits(), 'shared'))).toEqual({ 2: 1n, 9: 1n });
    expect(given(fill(2n, [flow(1n, 10n), flow(2n, 30n)], limits(), 'shared'))).toEqual({ 1: 1n, 2: 1n });
    expect(given(fill(2n, [flow(1n, 10n), flow(2n, 31n)], limits(), 'shared'))).toEqual({ 2: 2n });
    // Exact shares of 0.5 and 1.5, the second below its limit.
    expect(given(fill(2n, [flow(1n, 1n), fixed(2n, 3n, 9n)], limits([9n, 2n]), 'shared'))).toEqual({
      1: 1n,
      2: 1n,
    });
  });

  test('a unit passes over a client that is at its limit by then', () => {
    // Everybody's exact share is 0.6, so the client of 1 to 4 is below its limit of 3 until units are given.
    const one = [1n, 2n, 3n, 4n].map((id) => fixed(id, 1n, 99n));
    const others = [5n, 6n, 7n, 8n, 9n, 10n].map((id) => flow(id, 1n));
    const taken = fill(6n, [...one, ...others], limits([99n, 3n]), 'shared');
    expect(given(taken)).toEqual({ 1: 1n, 2: 1n, 3: 1n, 5: 1n, 6: 1n, 7: 1n });
  });

  test('a limit that does not divide goes to the smaller id, too', () => {
    expect(given(fill(9n, [fixed(3n, 5n, 9n), fixed(2n, 5n, 9n)], limits([9n, 3n]), 'shared'))).toEqual({
      2: 2n,
      3: 1n,
    });
  });

  test('a priority lets one kind take all it can first', () => {
    const fundings = [flow(1n, 100n), fixed(2n, 100n, 9n)];
    const by = (priority: Priority) => given(fill(120n, fundings, limits([9n, 80n]), priority));
    expect(by('shared')).toEqual({ 1: 60n, 2: 60n });
    expect(by('flow-first')).toEqual({ 1: 100n, 2: 20n });
    expect(by('fixed-first')).toEqual({ 1: 40n, 2: 80n });
  });
});

interface Scene {
  fiat: bigint;
  fundings: Cash[];
  limitLeft: Map<bigint, bigint>;
  priority: Priority;
}

/** Few clients and small numbers, so that caps and ties meet often. Clients 1–3 are flow, 4–6 fixed. */
const scene: fc.Arbitrary<Scene> = fc
  .record({
    fiat: fc.bigInt({ min: 0n, max: 150n }),
    cash: fc.array(
      fc.record({ client: fc.bigInt({ min: 1n, max: 6n }), remaining: fc.bigInt({ min: 0n, max: 40n }) }),
      { maxLength: 12 },
    ),
    limits: fc.array(fc.bigInt({ min: -2n, max: 40n }), { minLength: 3, maxLength: 3 }),
    priority: fc.constantFrom<Priority>('shared', 'flow-first', 'fixed-first'),
  })
  .map(({ fiat, cash, limits: list, priority }) => ({
    fiat,
    fundings: cash.map(({ client, remaining }, i) => ({
      id: BigInt(i + 1),
      client,
      mode: client > 3n ? ('fixed' as const) : ('flow' as const),
      remaining,
    })),
    limitLeft: new Map(list.map((limit, i) => [BigInt(i + 4), limit])),
    priority,
  }));

const run = ({ fiat, fundings, limitLeft, priority }: Scene) => fill(fiat, fundings, limitLeft, priority);
const min = (a: bigint, b: bigint) => (a < b ? a : b);
const max = (a: bigint, b: bigint) => (a > b ? a : b);

/** The most that can be taken from these fundings. */
function capacity(fundings: Cash[], limitLeft: Map<bigint, bigint>): bigint {
  const clients = Map.groupBy(fundings, ({ client }) => client);
  return sum(
    [...clients].map(([client, own]) => {
      const remaining = sum(own.map((f) => f.remaining));
      return own[0]?.mode === 'fixed' ? min(remaining, max(limitLeft.get(client) ?? 0n, 0n)) : remaining;
    }),
  );
}

/** Shares in units of 2^-64: far finer than any two shares of small whole numbers can differ. */
const FINE = 64n;

/**
 * What `fill` must come to before rounding, found another way: one level for all, at which a flow funding gives
 * level × remaining and a fixed client's fundings the same, scaled down to the limit. The level that empties
 * `fiat` is found by bisection.
 */
function slowShares(fiat: bigint, fundings: Cash[], limitLeft: Map<bigint, bigint>): Map<bigint, bigint> {
  const at = (level: bigint) =>
    new Map(
      fundings.map((f) => {
        if (f.mode === 'flow') return [f.id, level * f.remaining];
        const all = sum(fundings.filter(({ client }) => client === f.client).map((g) => g.remaining));
        const limit = max(limitLeft.get(f.client) ?? 0n, 0n) << FINE;
        return [f.id, all === 0n ? 0n : (min(level * all, limit) * f.remaining) / all];
      }),
    );
  let low = 0n;
  let high = 1n << FINE;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (sum(at(middle).values()) <= fiat << FINE) low = middle;
    else high = middle;
  }
  return at(low);
}

describe('for any fundings, limits and fiat', () => {
  test('as much is taken as can be, and never more than remains or a limit allows', () => {
    fc.assert(
      fc.property(scene, (s) => {
        const taken = run(s);
        expect(sum(taken.values())).toBe(min(s.fiat, capacity(s.fundings, s.limitLeft)));
        for (const f of s.fundings) expect((taken.get(f.id) ?? 0n) <= f.remaining).toBe(true);
        for (const [client, limit] of s.limitLeft) {
          const own = s.fundings.filter((f) => f.client === client);
          expect(sum(own.map(({ id }) => taken.get(id) ?? 0n)) <= max(limit, 0n)).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('everybody gives the exact share, rounded down or up', () => {
    fc.assert(
      fc.property(scene, (s) => {
        const taken = run(s);
        const first = s.priority === 'shared' ? undefined : s.priority.startsWith('flow') ? 'flow' : 'fixed';
        let fiat = s.fiat;
        for (const kind of [true, false]) {
          const part = s.fundings.filter(({ mode }) => (mode === first || first === undefined) === kind);
          const shares = slowShares(fiat, part, s.limitLeft);
          for (const [id, share] of shares) {
            const off = ((taken.get(id) ?? 0n) << FINE) - share;
            // The bisection is off by less than a thousandth of a unit.
            const bound = (1n << FINE) + (1n << (FINE - 10n));
            expect(off > -bound && off < bound).toBe(true);
          }
          fiat -= min(fiat, capacity(part, s.limitLeft));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('the order of the fundings does not matter', () => {
    const shuffled = scene.chain((s) =>
      fc.tuple(fc.constant(s), fc.shuffledSubarray(s.fundings, { minLength: s.fundings.length })),
    );
    fc.assert(
      fc.property(shuffled, ([s, fundings]) => {
        expect(given(run({ ...s, fundings }))).toEqual(given(run(s)));
      }),
    );
  });

  test('of two flow fundings the one with more left never gives less', () => {
    fc.assert(
      fc.property(scene, (s) => {
        const taken = run(s);
        const flows = s.fundings.filter(({ mode }) => mode === 'flow');
        for (const a of flows) {
          for (const b of flows) {
            if (a.remaining > b.remaining) {
              expect((taken.get(a.id) ?? 0n) >= (taken.get(b.id) ?? 0n)).toBe(true);
            }
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('the same is true of fixed fundings, as long as no limit is reached', () => {
    fc.assert(
      fc.property(scene, (s) => {
        const taken = run({ ...s, limitLeft: limits([4n, 10_000n], [5n, 10_000n], [6n, 10_000n]) });
        const fixedOnes = s.fundings.filter(({ mode }) => mode === 'fixed');
        for (const a of fixedOnes) {
          for (const b of fixedOnes) {
            if (a.remaining > b.remaining) {
              expect((taken.get(a.id) ?? 0n) >= (taken.get(b.id) ?? 0n)).toBe(true);
            }
          }
        }
      }),
    );
  });

  /**
   * Exact shares never fall when more fiat comes out. Rounded ones can, by one unit: of 3, fundings of 5, 5 and 2
   * give (1, 1, 1), since the third's remainder is the largest; of 4 they give (2, 2, 0), since now it is the
   * smallest. Largest remainders are known for this (the Alabama paradox). As each share stays within a unit of
   * the exact one, it can never be more than one unit.
   */
  test('more fiat takes no more than the one unit of rounding from anybody', () => {
    fc.assert(
      fc.property(scene, fc.bigInt({ min: 0n, max: 20n }), (s, more) => {
        const before = run(s);
        const after = run({ ...s, fiat: s.fiat + more });
        for (const { id } of s.fundings) {
          expect((after.get(id) ?? 0n) >= (before.get(id) ?? 0n) - 1n).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
    const example = (fiat: bigint) =>
      given(fill(fiat, [flow(1n, 5n), flow(2n, 5n), flow(3n, 2n)], limits(), 'shared'));
    expect(example(3n)).toEqual({ 1: 1n, 2: 1n, 3: 1n });
    expect(example(4n)).toEqual({ 1: 2n, 2: 2n });
  });
});
