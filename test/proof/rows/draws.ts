import fc from 'fast-check';

/** fast-check's choices, one after another, all from one seed. */
export interface Draws {
  int(min: number, max: number): number;
  big(min: bigint, max: bigint): bigint;
  pick<T>(...of: readonly T[]): T;
  /** True so often in a hundred. */
  chance(percent: number): boolean;
}

export function draws(seed: number): Draws {
  const [g] = fc.sample(fc.gen(), { seed, numRuns: 1 });
  if (!g) throw new Error('fast-check gave nothing');
  const even = (min: number, max: number) => fc.noBias(fc.integer({ min, max }));
  const evenBig = (min: bigint, max: bigint) => fc.noBias(fc.bigInt({ min, max }));
  const pick = <T>(...of: readonly T[]): T => {
    const [one] = of.slice(g(even, 0, of.length - 1));
    return one as T;
  };
  return {
    pick,
    int: (min, max) => g(even, min, max),
    big: (min, max) => g(evenBig, min, max),
    chance: (percent) => g(even, 1, 100) <= percent,
  };
}
