import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildProgram } from '../build.ts';
import { table } from '../src/cli/terminal/table.ts';
import { PROGRAM_VARIABLE } from '../test/support/command.ts';
import { type Benchmark, median, type Pair } from './benchmark.ts';

const names = [
  'payout-throughput',
  'backlog-batched',
  'idle-poll',
  'cold-poll',
  'allocation',
  'ingest',
  'ingest-memory',
  'big-source',
  'ledger-growth',
  'web-pages',
  'web-size',
  'web-home',
  'web-memory',
  'start-help',
  'start-ledger',
] as const;

const HELP = `npm run bench -- [options]

How fast the program is, as ratios to baselines measured in the same run, in turns. docs/performance.md says what each
of them is. Needs OpenSSH's ssh and sshd, psql, and LNbits 1.6.2 in $AIO_DCA_LNBITS_VENVS
(test/support/install-lnbits.sh). Ledgers lie in $TMPDIR: it should be on the disk that counts.

  --only NAME  only this one; may be repeated. ${names.slice(0, 5).join(', ')},
               ${names.slice(5, 11).join(', ')},
               ${names.slice(11).join(', ')}
  --json       [{ "name", "ratio", "goal", "met", "samples", "details" }] on stdout instead of the table; with
               npm run --silent nothing else is there
  --smoke      tiny sizes and one sample each: shows that they work, and nothing about speed
  --help       this text
`;

interface Figure {
  benchmark: Benchmark;
  pairs: Pair[];
  /** By pair. */
  samples: number[];
  /** The median of the samples. */
  figure: number;
  met: boolean;
}

/** Progress goes to stderr: stdout is for the answer. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function run(benchmark: Benchmark, small: boolean): Promise<Figure> {
  const { name, compare, goal } = benchmark;
  const rounds = small ? 1 : benchmark.rounds;
  await using stack = new AsyncDisposableStack();
  say(`${name}: getting ready`);
  const measure = await benchmark.prepare(small, stack);
  const pairs: Pair[] = [];
  const samples: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const one = await measure(round);
    const sample = compare === 'ratio' ? one.measure / one.baseline : one.measure - one.baseline;
    pairs.push(one);
    samples.push(sample);
    say(`${name}: ${round + 1} of ${rounds}: ${shown(sample)}`);
  }
  const figure = median(samples);
  const met = 'least' in goal ? figure >= goal.least : figure <= goal.most;
  return { benchmark, pairs, samples, figure, met };
}

function shown(value: number): string {
  if (value >= 1000) return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
  return value.toPrecision(3);
}

function goalOf({ goal, compare, unit }: Benchmark): string {
  const [sign, value] = 'least' in goal ? ['≥', goal.least] : ['≤', goal.most];
  return `${sign} ${value}${compare === 'difference' ? ` ${unit}` : ''}`;
}

function printTable(figures: Figure[]): void {
  const rows = figures.map(({ benchmark, pairs, samples, figure, met }) => {
    const { unit, name } = benchmark;
    const middle = (of: keyof Pair) => `${shown(median(pairs.map((one) => one[of])))} ${unit}`;
    const spread = `${shown(Math.min(...samples))} – ${shown(Math.max(...samples))}`;
    return [
      ...[name, middle('measure'), middle('baseline'), shown(figure), spread],
      ...[goalOf(benchmark), met ? 'yes' : 'no'],
    ];
  });
  const columns = ['name', 'measure', 'baseline', 'ratio', 'spread', 'goal', 'met'];
  process.stdout.write(`${table(columns, rows, { width: 120 })}\n\n`);
  for (const { benchmark } of figures) process.stdout.write(`${benchmark.name}: ${benchmark.what}\n`);
  for (const { benchmark } of figures) {
    const details = benchmark.details?.();
    if (details === undefined) continue;
    process.stdout.write(`\n${benchmark.name}\n${table(details.columns, details.rows, { width: 120 })}\n`);
  }
  process.stdout.write(`\n${machine()}\n`);
}

function machine(): string {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const fileSystem = execFileSync('stat', ['-f', '-c', '%T', tmpdir()], { encoding: 'utf8' }).trim();
  return `Node ${process.version}, ${cpus().length} × ${cpu?.model.trim()}, ${memory}; ledgers on ${fileSystem} (${tmpdir()})`;
}

/** The program as its package has it, for the commands that benchmarks start. */
async function installProgram(folder: string): Promise<void> {
  await buildProgram(join(folder, 'dist'));
  await mkdir(join(folder, 'bin'));
  await copyFile(join(import.meta.dirname, '../bin/aio-dca.js'), join(folder, 'bin/aio-dca.js'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const unknown = values.only?.find((name) => !names.some((known) => known === name));
  if (unknown !== undefined)
    throw new Error(`there is no benchmark ${unknown}; there are ${names.join(', ')}`);
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-bench-'));
  try {
    await installProgram(folder);
    // Where test/support/command.ts, which the benchmarks load, looks for the program.
    process.env[PROGRAM_VARIABLE] = join(folder, 'bin/aio-dca.js');
    const figures: Figure[] = [];
    const failed: string[] = [];
    for (const name of names) {
      if (values.only && !values.only.includes(name)) continue;
      // What one of them meets costs no figure of the others: each is said as soon as it is there.
      try {
        const { benchmark } = (await import(`./${name}.ts`)) as { benchmark: Benchmark };
        const figure = await run(benchmark, values.smoke);
        figures.push(figure);
        say(
          `${name}: ${shown(figure.figure)} (goal ${goalOf(benchmark)}, ${figure.met ? 'met' : 'not met'})`,
        );
      } catch (error) {
        failed.push(name);
        say(`${name}: failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      }
    }
    if (failed.length > 0) {
      say(`failed: ${failed.join(', ')}`);
      process.exitCode = 1;
    }
    if (values.json) {
      const answer = figures.map(({ benchmark, figure, met, samples }) => ({
        ...{ name: benchmark.name, ratio: figure, goal: goalOf(benchmark), met, samples },
        ...(benchmark.details && { details: benchmark.details() }),
      }));
      process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    } else {
      printTable(figures);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();
