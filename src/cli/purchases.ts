import type { Command } from 'commander';
import { does, lists, local } from './command/call.ts';
import { define, withLimit } from './command/options.ts';
import { purchasePage, purchaseTable } from './pages/purchase.ts';

const operations = () => import('../operations/purchases.ts');

export function register(program: Command): void {
  const purchases = define(
    program,
    'purchases',
    "what one client's cash bought in each cash-out, as the client sees it",
  );
  withLimit(
    ofClient(define(purchases, 'list', "a client's newest purchases", 'purchases list --client alice')),
  ).action(lists(operations, 'listPurchases', local(purchaseTable)));
  ofClient(define(purchases, 'show', 'one purchase, by funding', 'purchases show 3f0c5e --client alice'))
    .argument('<id>', 'of the cash-out, or the first 6 characters or more of it')
    .action(does(operations, 'showPurchase', local(purchasePage)));
}

function ofClient(command: Command): Command {
  return command.requiredOption('--client <name>', 'the client whose purchases are shown');
}
