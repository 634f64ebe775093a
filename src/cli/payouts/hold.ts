import type { Command } from 'commander';
import { does } from '../command/call.ts';
import { exitCodes } from '../command/exit-codes.ts';
import { define } from '../command/options.ts';
import { heldAllPage, statePage } from '../pages/payout.ts';
import { oneOrAll } from './one-or-all.ts';

const operations = () => import('../../operations/payouts.ts');

export function register(payouts: Command): void {
  define(
    payouts,
    'hold',
    'stop paying a payout until it is released',
    'payouts hold p118 --reason "alice asked to wait"',
    'payouts hold --all --reason "the sums look odd"',
  )
    .argument('[id]', 'of the payout, like p118')
    .option(
      '--all',
      'every open payout, and what is due now; `payouts pause` also stops what becomes due later',
    )
    .option('--reason <text>', 'why, for the log (default: held by hand)')
    .action(
      oneOrAll(
        does(operations, 'holdPayout', statePage),
        does(operations, 'holdAllPayouts', heldAllPage, ({ problem }) =>
          problem ? exitCodes[problem.kind] : 0,
        ),
      ),
    );
}
