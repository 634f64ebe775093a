import type { Command } from 'commander';
import { asks } from '../command/call.ts';
import { define, reasonNeeded } from '../command/options.ts';
import { statePage } from '../pages/payout.ts';

export function register(payouts: Command): void {
  const resolve = define(
    payouts,
    'resolve',
    'decide what became of a payment',
    'payouts resolve p118 --not-paid --reason "not in the wallet"',
  )
    .argument('<id>', 'of the payout, like p118')
    .option('--payment <hash>', 'the payment, if several are open')
    .option('--paid', 'it arrived, so it is settled')
    .option('--not-paid', 'it did not arrive and never will: the next run pays again');
  reasonNeeded(resolve, 'how you know, for the log').action(
    asks(
      () => import('../../operations/resolve-payout.ts'),
      ['previewResolvePayout', 'resolvePayout'],
      ({ question }) => question,
      statePage,
    ),
  );
}
