import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Benchmark, pair } from './benchmark.ts';
import { addClients, copies, install } from './installation.ts';

/** Writes the most memory that the process had, in KiB, to a file when it ends. */
const TELL = `data:text/javascript,import { writeFileSync } from 'node:fs';
process.on('exit', () => writeFileSync(process.env.PEAK_FILE, String(process.resourceUsage().maxRSS)));`;

export const benchmark: Benchmark = {
  name: 'ingest-memory',
  what: 'peak resident memory of `aio-dca poll` that takes in 100,000 cash-outs with 5 fundings − of one that takes in 1,000',
  unit: 'MB',
  compare: 'difference',
  goal: { most: 64 },
  rounds: 3,
  async prepare(small) {
    const [many, few] = small ? [1_000, 100] : [100_000, 1_000];
    return (round) =>
      pair(
        round,
        () => peak(many),
        () => peak(few),
      );
  },
};

/** The most memory of a first poll over so many rows, in MB. */
async function peak(rows: number): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-bench-memory-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const installation = await install(stack, { tunnel: 'direct' });
  const { world } = installation;
  await addClients(installation, 5);
  await world.must(['payouts', 'pause', '--reason', 'only the reading is measured']);
  const id = await world.insertCashOut();
  await copies(world, id, rows - 1, `now() - interval '1 hour' - make_interval(secs => n)`);
  const file = join(folder, 'peak');
  const ran = await world.must(['poll', '--json'], {
    node: ['--import', TELL],
    env: { PEAK_FILE: file },
  });
  const { distributed } = ran.json<{ distributed: { cash_outs: number } }>();
  if (distributed.cash_outs !== rows)
    throw new Error(`${distributed.cash_outs} of ${rows} cash-outs were taken in`);
  return (Number(await readFile(file, 'utf8')) * 1024) / 1e6;
}
