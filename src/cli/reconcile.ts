import type { Command } from 'commander';
import { does, local, unlessOk } from './command/call.ts';
import { define, withRange } from './command/options.ts';
import { reconciliationPage } from './pages/reconciliation.ts';

export function register(program: Command): void {
  withRange(
    define(
      program,
      'reconcile',
      'compare the ledger with LNbits and Lamassu, to the sat; exit 2 if they differ',
    ),
  )
    .addHelpText(
      'after',
      '\nA range selects payments by the time they were made, and cash-outs by the time they were confirmed.\n' +
        'Nothing is changed without --book-fees.\n' +
        'What to do about each difference: docs/operations.md.\n' +
        '\nExamples:\n  aio-dca reconcile\n  aio-dca reconcile --from 2026-11-01 --to 2026-11-30 --json',
    )
    .option('--book-fees', 'first book the service fee that LNbits shows for each payment')
    .action(
      does(() => import('../operations/reconcile.ts'), 'reconcile', local(reconciliationPage), unlessOk),
    );
}
