import { type Command, Option } from 'commander';
import type { KindName } from '../operations/export.ts';
import { FILE_FORMATS, TRADE_FORMATS } from '../views/export-formats.ts';
import { define, withRange } from './command/options.ts';
import { exportKind } from './export/export-kind.ts';

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
  const exports = define(program, 'export', 'rows for bookkeeping, as CSV or JSON').addHelpText(
    'after',
    '\nDays are local days of the configured time zone; --to includes its whole day.\n\nExamples:\n' +
      '  aio-dca export allocations --month 2026-11 --output november.csv\n' +
      '  aio-dca export payouts --client alice --from 2026-11-01 --format jsonl',
  );
  for (const [name, description] of Object.entries(what)) {
    const kind = name as KindName;
    withRange(define(exports, kind, description, `export ${kind} --month 2026-11 --output ${kind}.csv`))
      .option('--month <month>', 'one local month, like 2026-11')
      .option('--client <name>', 'only what concerns one client')
      .addOption(new Option('--format <format>', 'of the rows (default: csv)').choices(formatsOf(kind)))
      .option('--output <file>', 'file to write, whole or not at all (default and -: stdout)')
      .action((_options: object, command: Command) => exportKind(kind, command));
  }
}

/** The programs for tax and books take purchases. */
function formatsOf(kind: KindName): string[] {
  return kind === 'allocations' ? [...FILE_FORMATS, ...TRADE_FORMATS] : [...FILE_FORMATS];
}
