import type { Command } from 'commander';
import { withKey } from '../command/ask-key.ts';
import { does } from '../command/call.ts';
import { define, reasonOption, withNewWallet } from '../command/options.ts';
import { addedRecipientPage } from '../pages/commission.ts';

const operations = () => import('../../operations/commission.ts');

export function register(commission: Command): void {
  const command = define(
    commission,
    'add',
    'add a recipient with the invoice key of its LNbits wallet, which is tested',
    'commission add owner --weight 70',
    'commission add owner --wallet-key-file owner.key --weight 70',
    'commission add shop --wallet-key-file shop.key --weight 1 --machine Antigua',
  );
  withNewWallet(reasonOption(command))
    .requiredOption('--weight <n>', 'a whole number; the commission is divided in proportion to the weights')
    .option(
      '--machine <machine>',
      'only for this machine, whose own recipients replace those of all machines',
    )
    .option(
      '--from <time>',
      'it shares in cash-outs confirmed since then and not distributed yet (default: now)',
    )
    .action(
      withKey(
        does(operations, 'addRecipient', (done, _cli, { from }) =>
          addedRecipientPage(done, from !== undefined),
        ),
      ),
    );
}
