import type { Command } from 'commander';
import { does } from './command/call.ts';
import { define } from './command/options.ts';
import * as add from './commission/add.ts';
import * as remove from './commission/remove.ts';
import * as set from './commission/set.ts';
import { recipientsPage } from './pages/commission.ts';

export function register(program: Command): void {
  const commission = define(
    program,
    'commission',
    'recipients of the commission; without any, it stays in the source wallet',
  );
  define(
    commission,
    'list',
    'all recipients, their weights, and what they received',
    'commission list',
  ).action(does(() => import('../operations/commission.ts'), 'listRecipients', recipientsPage));
  for (const verb of [add, set, remove]) verb.register(commission);
}
