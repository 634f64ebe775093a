import type { Command } from 'commander';
import { does, lists, local } from './command/call.ts';
import { define, withLimit, withRange } from './command/options.ts';
import { cashOutPage, cashOutTable } from './pages/cash-out.ts';

const operations = () => import('../operations/cash-outs.ts');

export function register(program: Command): void {
  const cashOuts = define(program, 'cash-outs', 'distributed cash-outs and their divisions');
  withLimit(
    withRange(
      define(
        cashOuts,
        'list',
        'the newest cash-outs',
        'cash-outs list --limit 10',
        'cash-outs list --machine zocalo --from 2026-11-01 --to 2026-11-30',
      )
        .option('--machine <machine>', 'only those of this machine: device id or name')
        .option('--client <name>', 'only those that cash of this client had a part in'),
    ),
  ).action(lists(operations, 'listCashOuts', local(cashOutTable)));
  define(cashOuts, 'show', 'one cash-out and its division', 'cash-outs show 3f0c5e')
    .argument('<id>', 'its id, or the first 6 characters or more of it')
    .action(does(operations, 'showCashOut', local(cashOutPage)));
}
