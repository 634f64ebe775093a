import { readFile } from 'node:fs/promises';
import type { Benchmark } from './benchmark.ts';
import { SOME_CLIENT } from './grown-ledger.ts';
import type { SitePath } from './site-paths.ts';
import { SIZES, serveSites } from './sites.ts';

/** What is asked for in turn. */
const PATHS: readonly SitePath[] = [
  { site: 'client', path: '/' },
  { site: 'client', path: '/purchases' },
  { site: 'client', path: '/cash' },
  { site: 'admin', path: '/cash-outs' },
  { site: 'admin', path: '/payouts' },
  { site: 'admin', path: `/clients/${SOME_CLIENT}` },
  { site: 'admin', path: '/log' },
  { site: 'admin', path: '/api/v1/cash-outs' },
];

export const benchmark: Benchmark = {
  name: 'web-memory',
  what: 'resident memory of `aio-dca serve` after 10,000 requests, each from another address, with the ledger of web-pages − after 100',
  unit: 'MB',
  compare: 'difference',
  goal: { most: 32 },
  rounds: 1,
  async prepare(small, stack) {
    const { ask, pid } = await serveSites(small ? SIZES.small : SIZES.whole, stack);
    const [many, few] = small ? [100, 20] : [10_000, 100];
    let asked = 0;
    const after = async (requests: number) => {
      for (; asked < requests; asked += 1) {
        const { site, path } = PATHS[asked % PATHS.length] as SitePath;
        const { status } = await ask(site, path);
        if (status !== 200) throw new Error(`${site} ${path} answers ${status}`);
      }
      const [, kiB] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
      return (Number(kiB) * 1024) / 1e6;
    };
    return async () => {
      const baseline = await after(few);
      return { measure: await after(many), baseline };
    };
  },
};
