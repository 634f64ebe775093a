import type { Command } from 'commander';
import { answer, answerPage, inputOf, local } from './call.ts';
import { withLimit } from './options.ts';
import { purchasePage, purchaseTable } from './pages/purchase.ts';

export function register(program: Command): void {
  const purchases = program
    .command('purchases')
    .description("what one client's cash bought in each cash-out, as the client sees it");
  withLimit(ofClient(purchases.command('list').description("a client's newest purchases")))
    .addHelpText('after', '\nExample:\n  aio-dca purchases list --client alice')
    .action(list);
  ofClient(purchases.command('show').description('one purchase, by funding'))
    .argument('<id>', 'of the cash-out, or the first 6 characters or more of it')
    .addHelpText('after', '\nExample:\n  aio-dca purchases show 3f0c5e --client alice')
    .action(show);
}

function ofClient(command: Command): Command {
  return command.requiredOption('--client <name>', 'the client whose purchases are shown');
}

async function list(options: object, command: Command): Promise<void> {
  const { listPurchases } = await import('../operations/purchases.ts');
  await answerPage(command, listPurchases, inputOf(options), local(purchaseTable));
}

async function show(id: string, options: object, command: Command): Promise<void> {
  const { showPurchase } = await import('../operations/purchases.ts');
  await answer(command, showPurchase, { id, ...inputOf(options) }, local(purchasePage));
}
