import { resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { type Command, Option } from 'commander';
import type { Config } from '../config/load.ts';
import { formatDecimal, groupDigits } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import type { Format } from '../export/format.ts';
import type { Kind, KindName } from '../export/kinds.ts';
import type { Sums, Totals } from '../export/totals.ts';
import type { Db } from '../ledger/store/open.ts';
import { type Cli, makeCli, untilSignal, usage } from './context.ts';
import { formatFiat, formatSats, table } from './print.ts';
import { withProgress } from './progress.ts';
import { parseRange, type RangeOptions, rangeOptions } from './range-options.ts';
import { toStdout } from './stdout.ts';

interface ExportOptions extends RangeOptions {
  month?: string;
  format?: Format;
  client?: string;
  output?: string | undefined;
}

/** By which time `--from`, `--to` and `--month` choose. */
const what: Record<KindName, string> = {
  'cash-outs': 'what was processed, by the time of the cash-out',
  allocations: 'whose cash went out and which sats replace it, by the time of the cash-out',
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
    rangeOptions(exports.command(kind).description(description))
      .option('--month <month>', 'one local month, like 2026-11')
      .option('--client <name>', 'only what concerns one client')
      .addOption(new Option('--format <format>', 'default: csv').choices(['csv', 'json', 'jsonl']))
      .option('--output <file>', 'write a file, whole or not at all (default, and with -: stdout)')
      .addHelpText('after', `\nExample:\n  aio-dca export ${kind} --month 2026-11 --output ${kind}.csv`)
      .action((options: ExportOptions, command: Command) => run(kind, options, makeCli(command)));
  }
}

async function run(name: KindName, asked: ExportOptions, cli: Cli): Promise<void> {
  const options = { ...asked, output: fileOf(asked.output) };
  // However little is alive, V8 lets what is not grow by the speed at which it is made: a million rows would double it.
  setFlagsFromString('--optimize-for-size');
  const config = await cli.config();
  const range = parseRange(options, config.timezone);
  const { json = false, quiet = false } = cli.globals;
  const format = formatOf(options, json);
  const [{ kinds }, { pages, countRows }, changes, { formatted }, { counted, noTotals }] = await Promise.all([
    import('../export/kinds.ts'),
    import('../export/rows.ts'),
    import('../export/changes.ts'),
    import('../export/format.ts'),
    import('../export/totals.ts'),
  ]);
  const kind: Kind = kinds[name];
  const signal = untilSignal();
  const totals = noTotals();
  const { output } = options;
  const complete = await cli.withLedger('read', async ({ db }) => {
    const choice = { ...range, client: await clientId(db, kind, options.client) };
    const of = {
      ...{ ...range, actor: null },
      about: choice.client === null ? null : { subjects: [], recipient: choice.client },
    };
    const read = name === 'changes' ? changes.changePages(db, of) : pages(db, kind, choice);
    const count = () => (name === 'changes' ? changes.countChanges(db, of) : countRows(db, kind, choice));
    const rows = untilStopped(read, signal);
    const watched = process.stderr.isTTY && !quiet && (output !== undefined || !process.stdout.isTTY);
    const shown = watched ? withProgress(rows, count) : rows;
    const pieces = formatted(kind, counted(kind, shown, totals), format, config.timezone);
    return output === undefined ? toStdout(pieces) : toFile(output, pieces, config);
  });
  if (output !== undefined) {
    const file = { what: name, format, file: resolve(output), ...totalsJson(kind, totals) };
    cli.answer(file, `${output} is written.\n${totalsText(kind, totals)}`);
  } else if (complete && !quiet) {
    process.stderr.write(`${totalsText(kind, totals)}\n`);
  }
}

/** Undefined: stdout, which `-` and /dev/stdout mean as well. */
function fileOf(output: string | undefined): string | undefined {
  if (output === '') {
    throw usage('--output: it is empty.', 'Name a file, or leave it out to print on stdout.');
  }
  return output === '-' || output === '/dev/stdout' ? undefined : output;
}

/** `--json` alone means the format; with a file it means the answer about that file. */
function formatOf({ format, output }: ExportOptions, json: boolean): Format {
  if (json && output === undefined && format !== undefined && format !== 'json') {
    throw usage(`--format: ${format} cannot go together with --json on stdout.`, 'Leave out one of the two.');
  }
  return format ?? (json && output === undefined ? 'json' : 'csv');
}

async function clientId(db: Db, kind: Kind, name: string | undefined): Promise<bigint | null> {
  if (name === undefined) return null;
  if (kind.client === null) {
    throw usage(
      '--client: the commission goes to its recipients, not to clients.',
      `\`aio-dca export allocations --client ${name}\` has the commission on that client's share.`,
    );
  }
  const row = await db
    .selectFrom('recipients')
    .select('id')
    .where('kind', '=', 'client')
    .where('name', '=', name)
    .executeTakeFirst();
  if (row) return row.id;
  throw usage(
    `--client: there is no client ${JSON.stringify(name)}.`,
    '`aio-dca clients list` shows the names.',
  );
}

async function* untilStopped<T>(pages: AsyncIterable<T[]>, signal: AbortSignal): AsyncGenerator<T[], void> {
  for await (const page of pages) {
    if (signal.aborted) {
      throw new BridgeError(
        'export/stopped',
        'The export was stopped before its end.',
        'What it printed is not complete; a file was not written.',
      );
    }
    yield page;
  }
}

async function toFile(path: string, pieces: AsyncIterable<string>, config: Config): Promise<boolean> {
  const { writeWhole } = await import('../export/file.ts');
  const ledger = config.ledger.url.replace(/^sqlite:/, '');
  const own = [config.file, ...config.secretFiles, ledger, `${ledger}-wal`, `${ledger}-shm`];
  await writeWhole(path, pieces, own);
  return true;
}

function totalsJson(kind: Kind, { rows, sums }: Totals) {
  const ofCurrency = ({ digits, rows, columns }: Sums) => ({
    rows,
    ...Object.fromEntries(
      summed(kind).map(({ name, type }) => {
        const sum = columns.get(name) ?? 0n;
        return [name, type === 'fiat' ? formatDecimal(sum, digits) : sum];
      }),
    ),
  });
  return {
    rows,
    totals: Object.fromEntries([...sums].map(([currency, sum]) => [currency, ofCurrency(sum)])),
  };
}

/** How many rows, and below it a line for each sum, with a column for each currency. */
function totalsText(kind: Kind, { rows, sums }: Totals): string {
  const count = `${groupDigits(BigInt(rows))} ${rows === 1 ? 'row' : 'rows'}`;
  if (sums.size === 0) return `${count}.`;
  const currencies = [...sums].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = summed(kind).map(({ name, type }) => [
    name,
    ...currencies.map(([currency, { digits, columns }]) => {
      const sum = columns.get(name) ?? 0n;
      if (type === 'msat') return `${groupDigits(sum)} msat`;
      return type === 'fiat' ? formatFiat(sum, digits, currency) : formatSats(sum);
    }),
  ]);
  return `${count}. Together:\n${table(['', ...currencies.map(([currency]) => currency)], lines)}`;
}

function summed(kind: Kind) {
  return kind.columns.filter((column) => column.summed);
}
