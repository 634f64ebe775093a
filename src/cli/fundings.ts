import { type Command, Option } from 'commander';
import { does, local } from './command/call.ts';
import { define, takesNegative } from './command/options.ts';
import * as add from './fundings/add.ts';
import * as change from './fundings/change.ts';
import * as confirm from './fundings/confirm.ts';
import { fundingPage, fundingsPage } from './pages/funding.ts';

const operations = () => import('../operations/fundings.ts');

export function register(program: Command): void {
  fill(define(program, 'fundings', 'clients’ cash, on its way or in a machine (alias: deposits)'));
}

/** The same commands under the name that operators of the older extensions know. */
export function registerAlias(program: Command): void {
  fill(
    program.command('deposits', { hidden: true }).description('clients’ cash, on its way or in a machine'),
  );
}

function fill(fundings: Command): void {
  for (const verb of [add, confirm, change]) verb.register(fundings);
  define(fundings, 'list', 'all fundings, or those of one client or status', 'fundings list --client alice')
    .option('--client <name>', 'of this client')
    .addOption(
      new Option('--status <status>', 'in this status').choices([
        'in_flight',
        'deposited',
        'exhausted',
        'cancelled',
        'withdrawn',
      ]),
    )
    .action(does(operations, 'listAllFundings', local(fundingsPage)));
  define(fundings, 'show', 'one funding and what happened to it', 'fundings show f12')
    .argument('<id>', 'funding, like f12')
    .action(does(operations, 'showFunding', local(fundingPage)));
  for (const command of fundings.commands) takesNegative(command);
}
