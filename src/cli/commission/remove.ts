import type { Command } from 'commander';
import { does } from '../command/call.ts';
import { define, reasonOption } from '../command/options.ts';
import { removedPage } from '../pages/commission.ts';

const operations = () => import('../../operations/commission.ts');

export function register(commission: Command): void {
  const command = define(
    commission,
    'remove',
    'remove a recipient: no new shares from now on; waiting sats are still paid',
    'commission remove shop',
    'commission remove owner --machine Antigua --reason "sold the shop"',
  );
  reasonOption(command)
    .argument('<name>')
    .option('--machine <machine>', 'only at this machine (default: everywhere)')
    .action(does(operations, 'removeRecipient', (done, _cli, { machine }) => removedPage(done, machine)));
}
