import { execFileSync } from 'node:child_process';
import { type Benchmark, pair } from './benchmark.ts';
import { SIZES, serveSites } from './sites.ts';

const AT_ONCE = 4;

export const benchmark: Benchmark = {
  name: 'web-home',
  what: "pages/s of the client's home with the ledger of web-pages ÷ answers/s of /healthz of the same process, which may use one core; 4 requests at once",
  unit: 'pages/s',
  compare: 'ratio',
  goal: { least: 0.1 },
  rounds: 11,
  async prepare(small, stack) {
    const { ask, pid } = await serveSites(small ? SIZES.small : SIZES.whole, stack);
    execFileSync('taskset', ['-a', '-p', '-c', '0', `${pid}`]);
    const [pages, answers] = small ? [8, 8] : [200, 2_000];
    const perSecond = async (path: string, count: number) => {
      const begun = performance.now();
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (let i = 0; i < count / AT_ONCE; i += 1) await ask('client', path);
        }),
      );
      return (count * 1000) / (performance.now() - begun);
    };
    const measure = () => perSecond('/', pages);
    const baseline = () => perSecond('/healthz', answers);
    await measure();
    await baseline();
    return (round) => pair(round, measure, baseline);
  },
};
