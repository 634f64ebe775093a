import type { Command } from 'commander';
import { withOtherKey } from '../command/ask-key.ts';
import { does } from '../command/call.ts';
import { define, reasonOption, withOtherWallet } from '../command/options.ts';
import { changedPage } from '../pages/commission.ts';

const operations = () => import('../../operations/commission.ts');

export function register(commission: Command): void {
  const command = define(
    commission,
    'set',
    'change a recipient from now on; earlier cash-outs keep their division',
    'commission set owner --weight 60',
    'commission set owner --weight 1 --machine Antigua',
  );
  withOtherWallet(
    reasonOption(command)
      .argument('<name>')
      .option('--weight <n>', 'a whole number; restores a removed recipient')
      .option(
        '--machine <machine>',
        'the weight at this machine (default: at all machines without recipients of their own)',
      ),
  ).action(withOtherKey(does(operations, 'setRecipient', changedPage)));
}
