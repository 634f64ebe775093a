import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allocate, type EligibleFunding } from '../../src/dca/allocate.ts';
import { sum } from '../../src/dca/money.ts';

const flow = (id: bigint, remaining: bigint, rate: bigint | null = null): EligibleFunding => ({
  id,
  client: 100n + id,
  mode: 'flow',
  remaining,
  rate,
});
const none: ReadonlyMap<bigint, bigint> = new Map();

describe('one cash-out', () => {
  test('100.00 USD, 250,000 sat over 3000 USD at 10 % and 2000 USD at 5 %', () => {
    const division = allocate({
      fiat: 10_000n,
      distributed: 250_000n,
      commission: 13_158n,
      fundings: [flow(1n, 300_000n, 10_000n), flow(2n, 200_000n, 5_000n)],
      limitLeft: none,
      priority: 'shared',
    });
    const common = { mode: 'flow' };
    expect(division).toEqual({
      allocations: [
        {
          ...common,
          funding: 1n,
          client: 101n,
          fiat: 6_000n,
          gross: 150_000n,
          commission: 15_000n,
          net: 135_000n,
        },
        {
          ...common,
          funding: 2n,
          client: 102n,
          fiat: 4_000n,
          gross: 100_000n,
          commission: 5_000n,
          net: 95_000n,
        },
      ],
      own: { fiat: 0n, gross: 0n, commission: 0n, net: 0n },
      commission: 20_000n,
      net: 230_000n,
    });
  });

  test('200.00 USD, 211,000 sat, and only 50.00 USD of clients’ cash: the rest is the own part', () => {
    const division = allocate({
      fiat: 20_000n,
      distributed: 211_000n,
      commission: 11_000n,
      fundings: [flow(1n, 5_000n)],
      limitLeft: none,
      priority: 'shared',
    });
    expect(division).toMatchObject({ net: 50_000n, commission: 11_000n });
    expect(division.own).toEqual({ fiat: 15_000n, gross: 158_250n, commission: 8_250n, net: 150_000n });
  });

  test('without any client everything is the own part', () => {
    const cashOut = { fiat: 10_000n, distributed: 211_000n, commission: 11_000n, fundings: [] };
    expect(allocate({ ...cashOut, limitLeft: none, priority: 'shared' })).toEqual({
      allocations: [],
      own: { fiat: 10_000n, gross: 211_000n, commission: 11_000n, net: 200_000n },
      commission: 11_000n,
      net: 0n,
    });
  });

  test('in a tie the smaller id gets the odd sat, and the own part is the last to', () => {
    const { allocations, own } = allocate({
      fiat: 3n,
      distributed: 302n,
      commission: 0n,
      fundings: [flow(2n, 1n), flow(1n, 1n)],
      limitLeft: none,
      priority: 'shared',
    });
    expect(allocations.map(({ funding, gross }) => [funding, gross])).toEqual([
      [1n, 101n],
      [2n, 101n],
    ]);
    expect(own.gross).toBe(100n);
  });

  test('a rate is rounded half up, once, on the funding’s gross', () => {
    const of = (distributed: bigint) =>
      allocate({
        fiat: 1n,
        distributed,
        commission: 0n,
        fundings: [flow(1n, 1n, 5_000n)],
        limitLeft: none,
        priority: 'shared',
      }).commission;
    expect([of(9n), of(10n), of(29n), of(30n)]).toEqual([0n, 1n, 1n, 2n]);
  });

  test('a commission above the gross of its part is refused', () => {
    const input = { fiat: 1n, commission: 0n, limitLeft: none, priority: 'shared' as const };
    expect(() => allocate({ ...input, distributed: 10n, fundings: [flow(1n, 1n, 200_000n)] })).toThrow(
      'exceeds its gross',
    );
    expect(() => allocate({ ...input, distributed: 10n, commission: 11n, fundings: [] })).toThrow(
      'cannot divide fiat',
    );
    expect(() => allocate({ ...input, distributed: 10n, commission: -1n, fundings: [] })).toThrow(
      'cannot divide fiat',
    );
    expect(() => allocate({ ...input, fiat: 0n, distributed: 10n, fundings: [] })).toThrow(
      'cannot divide fiat 0',
    );
    expect(() => allocate({ ...input, distributed: 10n, fundings: [flow(1n, -1n)] })).toThrow(
      'funding 1 has -1 left',
    );
  });

  test('no part pays more commission than its gross, even if rounding would make it so', () => {
    // 11 sat over 1, 3, 3 are 1, 5, 5; 10 sat by themselves would be 2, 4, 4.
    const { allocations } = allocate({
      fiat: 7n,
      distributed: 11n,
      commission: 10n,
      fundings: [flow(1n, 1n), flow(2n, 3n), flow(3n, 3n)],
      limitLeft: none,
      priority: 'shared',
    });
    expect(allocations.map(({ gross, commission }) => [gross, commission])).toEqual([
      [1n, 1n],
      [5n, 5n],
      [5n, 4n],
    ]);
  });
});

const cashOut = fc
  .record({
    fiat: fc.bigInt({ min: 1n, max: 10n ** 7n }),
    distributed: fc.bigInt({ min: 0n, max: 10n ** 9n }),
    share: fc.bigInt({ min: 0n, max: 100n }),
    fundings: fc.array(
      fc.record({
        client: fc.bigInt({ min: 1n, max: 8n }),
        remaining: fc.bigInt({ min: 0n, max: 10n ** 6n }),
        rate: fc.option(fc.bigInt({ min: 0n, max: 100_000n })),
      }),
      { maxLength: 20 },
    ),
    limit: fc.bigInt({ min: 0n, max: 10n ** 6n }),
    priority: fc.constantFrom('shared' as const, 'flow-first' as const, 'fixed-first' as const),
  })
  .map(({ share, limit, fundings, ...rest }) => ({
    ...rest,
    commission: (rest.distributed * share) / 100n,
    fundings: fundings.map(
      (funding, i): EligibleFunding => ({
        ...funding,
        id: BigInt(i + 1),
        mode: funding.client > 4n ? 'fixed' : 'flow',
      }),
    ),
    limitLeft: new Map([5n, 6n, 7n].map((client) => [client, limit * (client - 4n)])),
  }));

describe('any cash-out', () => {
  test('is divided to the last sat and the last minor unit, and nobody gets more than is theirs', () => {
    fc.assert(
      fc.property(cashOut, (input) => {
        const { allocations, own, commission, net } = allocate(input);
        expect(net + commission + own.net).toBe(input.distributed);
        expect(sum(allocations.map((a) => a.fiat)) + own.fiat).toBe(input.fiat);
        expect(sum(allocations.map((a) => a.gross)) + own.gross).toBe(input.distributed);
        expect(sum(allocations.map((a) => a.net))).toBe(net);
        expect(sum(allocations.map((a) => a.commission)) + own.commission).toBe(commission);
        if (input.fundings.every(({ rate }) => rate === null)) expect(commission).toBe(input.commission);
        for (const part of [...allocations, own]) {
          expect(part.net >= 0n && part.commission >= 0n && part.net + part.commission === part.gross).toBe(
            true,
          );
        }
        for (const a of allocations) {
          const funding = input.fundings.find(({ id }) => id === a.funding);
          expect(a.fiat > 0n && a.fiat <= (funding?.remaining ?? 0n)).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('pays the same for the same fiat, to a sat', () => {
    fc.assert(
      fc.property(cashOut, (input) => {
        for (const { fiat, gross } of allocate(input).allocations) {
          const off = gross * input.fiat - input.distributed * fiat;
          expect(off > -input.fiat && off < input.fiat).toBe(true);
        }
      }),
    );
  });

  test('is divided the same, in whatever order its fundings come', () => {
    const shuffled = cashOut.chain((input) =>
      fc.tuple(fc.constant(input), fc.shuffledSubarray(input.fundings, { minLength: input.fundings.length })),
    );
    fc.assert(
      fc.property(shuffled, ([input, fundings]) => {
        expect(allocate({ ...input, fundings })).toEqual(allocate(input));
      }),
    );
  });
});
