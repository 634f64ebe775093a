import type { Benchmark } from './benchmark.ts';
import { sitePaths } from './site-paths.ts';
import { SIZES, serveSites } from './sites.ts';

export const benchmark: Benchmark = {
  name: 'web-size',
  what: 'the HTML of the largest page of both sites, uncompressed, with the ledger of web-pages − nothing',
  unit: 'kB',
  compare: 'difference',
  goal: { most: 30 },
  rounds: 1,
  async prepare(small, stack) {
    const { ask, ledger } = await serveSites(small ? SIZES.small : SIZES.whole, stack);
    return async () => {
      let largest = 0;
      for (const { site, path } of sitePaths(ledger)) {
        if (path.startsWith('/api/')) continue;
        largest = Math.max(largest, (await ask(site, path)).body.length / 1000);
      }
      return { measure: largest, baseline: 0 };
    };
  },
};
