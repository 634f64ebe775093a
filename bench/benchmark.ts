/** One figure: what is measured, what it is compared with, and what it should come to. */
export interface Benchmark {
  name: string;
  /** What is measured ÷ (or −) the baseline, for people. */
  what: string;
  unit: 'ms' | 'µs' | 'MB' | 'kB' | 'rows/s' | 'payouts/s' | 'pages/s';
  /** `difference`: the figure is measure − baseline, in `unit`. */
  compare: 'ratio' | 'difference';
  goal: { least: number } | { most: number };
  /** How many pairs make the figure. */
  rounds: number;
  /**
   * Sets everything up, and answers what measures one pair. What was started is released with `stack`. `small`: sizes
   * that show that it works, and nothing about speed.
   */
  prepare(small: boolean, stack: AsyncDisposableStack): Promise<(round: number) => Promise<Pair>>;
  /** What the measure consists of, once it was measured: a table of it is printed, too. */
  details?(): { columns: string[]; rows: string[][] };
}

/** One measurement of each, in the unit of the benchmark. */
export interface Pair {
  measure: number;
  baseline: number;
}

/** Both, one after the other, the order changing from round to round: what warms up or slows down does it for both. */
export async function pair(
  round: number,
  measure: () => Promise<number>,
  baseline: () => Promise<number>,
): Promise<Pair> {
  if (round % 2 === 0) {
    const first = await measure();
    return { measure: first, baseline: await baseline() };
  }
  const first = await baseline();
  return { baseline: first, measure: await measure() };
}

/** How long `work` takes, in milliseconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** The quickest of `times` runs of `work`, in milliseconds: what other programs do to a pure computation left out. */
export async function quickest(times: number, work: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i += 1) least = Math.min(least, await timed(work));
  return least;
}

/** The middle of `times` runs of `work`, in milliseconds. */
export async function typical(times: number, work: () => Promise<unknown>): Promise<number> {
  const taken: number[] = [];
  for (let i = 0; i < times; i += 1) taken.push(await timed(work));
  return median(taken);
}

/** What 95 of 100 values do not exceed. */
export function percentile95(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * 0.95) - 1] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
