import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { type Command, Option } from 'commander';
import type { Config } from '../config/config.ts';
import type { KindName, Take } from '../operations/export.ts';
import type { RangeInput } from '../typed/range.ts';
import type { ExportView } from '../views/export.ts';
import { inputOf } from './call.ts';
import { withRange } from './options.ts';
import { exportPage } from './pages/export.ts';
import { type Cli, makeCli, usage } from './terminal/context.ts';
import { withProgress } from './terminal/progress.ts';
import { toStdout } from './terminal/stdout.ts';

type Format = ExportView['format'];

interface ExportOptions extends RangeInput {
  month?: string;
  format?: Format;
  client?: string;
  output?: string | undefined;
}

/** The rows of each kind, and the time by which `--from`, `--to` and `--month` select them. */
const what: Record<KindName, string> = {
  'cash-outs': 'what was processed, by the time of the cash-out',
  allocations: 'whose cash went out and the sats for it, by the time of the cash-out',
  payouts: 'each obligation to pay, by the time it was formed',
  fundings: "clients' cash, by the time it was entered",
  commission: "each cash-out's commission and who receives it, by the time of the cash-out",
  changes: 'the log of changes, by the time of the change',
};

export function register(program: Command): void {
  const exports = program
    .command('export')
    .description('rows for bookkeeping, as CSV or JSON')
    .addHelpText(
      'after',
      '\nDays are local days of the configured time zone; --to includes its whole day.\n\nExamples:\n' +
        '  aio-dca export allocations --month 2026-11 --output november.csv\n' +
        '  aio-dca export payouts --client alice --from 2026-11-01 --format jsonl',
    );
  for (const [name, description] of Object.entries(what)) {
    const kind = name as KindName;
    withRange(exports.command(kind).description(description))
      .option('--month <month>', 'one local month, like 2026-11')
      .option('--client <name>', 'only what concerns one client')
      .addOption(new Option('--format <format>', 'default: csv').choices(['csv', 'json', 'jsonl']))
      .option('--output <file>', 'file to write, whole or not at all (default and -: stdout)')
      .addHelpText('after', `\nExample:\n  aio-dca export ${kind} --month 2026-11 --output ${kind}.csv`)
      .action((options: ExportOptions, command: Command) => run(kind, options, makeCli(command)));
  }
}

async function run(kind: KindName, { output: file, ...options }: ExportOptions, cli: Cli): Promise<void> {
  const output = fileOf(file);
  // V8 collects garbage less often the faster it is made: a million rows would double the memory.
  setFlagsFromString('--optimize-for-size');
  const config = await cli.config();
  const { json = false, quiet = false } = cli.globals;
  const format = formatOf(options.format, json && output === undefined);
  const isWatched = process.stderr.isTTY && !quiet && (output !== undefined || !process.stdout.isTTY);
  const { exportRows } = await import('../operations/export.ts');
  const take: Take = (pieces) => (output === undefined ? toStdout(pieces) : toFile(output, pieces, config));
  const { complete, ...done } = await cli.perform(exportRows, {
    ...{ ...inputOf(options), kind, format, take },
    ...(isWatched && { watch: withProgress }),
  });
  if (output !== undefined) {
    const { what, format: written, ...sums } = done;
    const file = { what, format: written, file: resolve(output), ...sums };
    cli.answer(file, `${output} is written.\n${exportPage(done)}`);
  } else if (complete && !quiet) {
    process.stderr.write(`${exportPage(done)}\n`);
  }
}

/** The file to write; undefined for stdout, which `-` and /dev/stdout also name. */
function fileOf(output: string | undefined): string | undefined {
  if (output === '') {
    throw usage('--output: it is empty.', 'Name a file, or leave it out to print on stdout.');
  }
  return output === '-' || output === '/dev/stdout' ? undefined : output;
}

/** The format of the rows. `--json` alone selects JSON; with `--output` it concerns the answer about the file. */
function formatOf(format: Format | undefined, jsonOnStdout: boolean): Format {
  if (jsonOnStdout && format !== undefined && format !== 'json') {
    throw usage(`--format: ${format} cannot go together with --json on stdout.`, 'Leave out one of the two.');
  }
  return format ?? (jsonOnStdout ? 'json' : 'csv');
}

async function toFile(path: string, pieces: AsyncIterable<string>, config: Config): Promise<boolean> {
  const { writeWhole } = await import('./whole-file.ts');
  const ledger = config.ledger.url.replace(/^sqlite:/, '');
  const own = [config.file, ...config.secretFiles, ledger, `${ledger}-wal`, `${ledger}-shm`];
  await writeWhole(path, pieces, own);
  return true;
}
