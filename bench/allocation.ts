import { allocate } from '../src/dca/allocate.ts';
import { type Benchmark, pair, quickest } from './benchmark.ts';

export const benchmark: Benchmark = {
  name: 'allocation',
  what: 'one cash-out divided over 10,000 fundings, per funding ÷ the same over 100; flow and fixed clients, some at their caps',
  unit: 'µs',
  compare: 'ratio',
  goal: { most: 1.2 },
  rounds: 11,
  async prepare(small) {
    const [many, few, divisions] = small ? [1_000, 100, 5] : [10_000, 100, 20];
    const large = input(many);
    const little = input(few);
    // As many fundings in each: a hundred small divisions for each large one.
    const perFunding = async (cashOut: typeof large, times: number) => {
      const ms = await quickest(divisions, async () => {
        for (let i = 0; i < times; i += 1) allocate(cashOut);
      });
      return (ms * 1000) / (times * cashOut.fundings.length);
    };
    const measure = () => perFunding(large, 1);
    const baseline = () => perFunding(little, many / few);
    await measure();
    await baseline();
    return (round) => pair(round, measure, baseline);
  },
};

/** A cash-out that takes about half of the cash there is; the amounts are spread by a fixed rule. */
function input(count: number): Parameters<typeof allocate>[0] {
  const fundings = Array.from({ length: count }, (_, i) => ({
    id: BigInt(i + 1),
    client: BigInt(1 + (i % Math.ceil(count / 3))),
    mode: i % Math.ceil(count / 3) < count / 6 ? ('flow' as const) : ('fixed' as const),
    remaining: BigInt(1 + ((i * 7_919) % 100_003)),
    rate: i % 5 === 0 ? 4_000n : null,
  }));
  const total = fundings.reduce((sum, { remaining }) => sum + remaining, 0n);
  const limitLeft = new Map(
    fundings.filter(({ mode }) => mode === 'fixed').map(({ client }) => [client, 40_000n + client * 10n]),
  );
  return {
    fiat: total / 2n,
    distributed: total * 60n,
    commission: total * 3n,
    fundings,
    limitLeft,
    priority: 'shared',
  };
}
