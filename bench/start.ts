import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { buildProgram } from '../build.ts';
import { type Benchmark, pair, timed, typical } from './benchmark.ts';

/* How long a command takes, as a process, with the web sites in the bundle and without. */

/** In place of the sites, nothing. */
const withoutSites: Plugin = {
  name: 'without-sites',
  setup({ onLoad }) {
    onLoad({ filter: /\/src\/web\/start-sites\.ts$/ }, () => ({
      contents: 'export const startSites = async () => async () => {};',
    }));
  },
};

/** `more`: what has to be there before the command, run once with each bundle. */
export function startBenchmark(name: string, what: string, args: string[], more: string[][] = []): Benchmark {
  return {
    ...{ name, what: `${what} as a process, with the web sites in the bundle ÷ without them` },
    ...{ unit: 'ms', compare: 'ratio', goal: { most: 1.02 }, rounds: 15 },
    async prepare(small, stack) {
      const folder = await mkdtemp(join(tmpdir(), 'aio-dca-bench-start-'));
      stack.defer(() => rm(folder, { recursive: true, force: true }));
      const whole = await installed(join(folder, 'whole'));
      const bare = await installed(join(folder, 'bare'), withoutSites);
      const times = small ? 1 : 15;
      const typicalOf = (run: (args: string[]) => void) => typical(times, () => timed(async () => run(args)));
      for (const run of [whole, bare]) for (const one of [...more, args, args]) run(one);
      return (round) =>
        pair(
          round,
          () => typicalOf(whole),
          () => typicalOf(bare),
        );
    },
  };
}

/** A bundle with a configuration and a compile cache of its own; answers what runs a command of it. */
async function installed(folder: string, ...plugins: Plugin[]): Promise<(args: string[]) => void> {
  await buildProgram(join(folder, 'dist'), ...plugins);
  await mkdir(join(folder, 'bin'));
  const program = join(folder, 'bin/aio-dca.js');
  await copyFile(join(import.meta.dirname, '../bin/aio-dca.js'), program);
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n');
  const config = join(folder, 'config.toml');
  await writeFile(
    config,
    `timezone = "America/Guatemala"
[lamassu]
host = "127.0.0.1"
start_at = "2026-01-01T00:00:00Z"
[lnbits]
url = "http://127.0.0.1:1"
`,
  );
  const env = { ...process.env, AIO_DCA_CONFIG: config, NODE_COMPILE_CACHE: join(folder, 'compiled') };
  return (args) => {
    execFileSync(process.execPath, [program, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  };
}
