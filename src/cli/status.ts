import type { Command } from 'commander';
import { does, local } from './command/call.ts';
import { define } from './command/options.ts';
import { statusPage } from './pages/status.ts';

export function register(program: Command): void {
  define(
    program,
    'status',
    'ledger, mark, last runs, what is owed, and what needs the operator; exit 2 while something does',
    'status',
    'status --json',
  ).action(
    does(
      () => import('../operations/status.ts'),
      'showStatus',
      local(statusPage),
      ({ needs }) => (needs.length > 0 ? 2 : 0),
    ),
  );
}
