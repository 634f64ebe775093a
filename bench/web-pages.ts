import { type Benchmark, median, percentile95 } from './benchmark.ts';
import { sitePaths } from './site-paths.ts';
import { SIZES, serveSites } from './sites.ts';

/** By page, the slowest first. */
let pages: { name: string; kB: number; middle: number; p95: number; cpu: number }[] = [];

export const benchmark: Benchmark = {
  name: 'web-pages',
  what: 'the 95th percentile of the slowest page of both sites, or list of the API, from the request to the last byte, with 100,000 cash-outs, 500,000 allocations, 200 clients and 10 machines in the ledger (SQLite; LNbits is not asked: there is no key of the source wallet) − that of /healthz',
  unit: 'ms',
  compare: 'difference',
  goal: { most: 100 },
  rounds: 1,
  async prepare(small, stack) {
    const { ask, cpu, ledger } = await serveSites(small ? SIZES.small : SIZES.whole, stack);
    const times = small ? 2 : 40;
    const measured = async (site: 'admin' | 'client', path: string) => {
      const { status, body } = await ask(site, path);
      if (status !== 200)
        throw new Error(`${site} ${path} answers ${status}: ${body.toString().slice(0, 500)}`);
      const taken: number[] = [];
      const before = await cpu();
      for (let i = 0; i < times; i += 1) taken.push((await ask(site, path)).ms);
      const used = ((await cpu()) - before) / times;
      return { kB: body.length / 1000, middle: median(taken), p95: percentile95(taken), cpu: used };
    };
    return async () => {
      pages = [];
      for (const { site, path } of sitePaths(ledger)) {
        pages.push({ name: `${site} ${path}`, ...(await measured(site, path)) });
      }
      pages.sort((a, b) => b.p95 - a.p95);
      return { measure: pages[0]?.p95 ?? 0, baseline: (await measured('client', '/healthz')).p95 };
    };
  },
  details: () => ({
    columns: ['page', 'size', 'median', 'p95', 'CPU'],
    rows: pages.map(({ name, kB, middle, p95, cpu }) => [
      name,
      `${kB.toFixed(1)} kB`,
      `${middle.toFixed(1)} ms`,
      `${p95.toFixed(1)} ms`,
      `${cpu.toFixed(1)} ms`,
    ]),
  }),
};
