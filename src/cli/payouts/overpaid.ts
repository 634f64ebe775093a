import type { Command } from 'commander';
import { asks, local } from '../command/call.ts';
import { define, reasonNeeded } from '../command/options.ts';
import { overpaidPage, overpaidQuestion } from '../pages/payout.ts';

export function register(payouts: Command): void {
  const overpaid = define(payouts, 'overpaid', 'record sats that a recipient got beyond a payout')
    .argument('<id>', 'of the payout, like p118')
    .option('--payment <hash>', 'the payment that was given up but arrived')
    .option('--sats <amount>', 'the sats, like "484207 sat" (default: those of the payout)')
    .option(
      '--funding <id>',
      'subtract the value of the sats in cash, at the payout’s price, from this funding',
    );
  reasonNeeded(overpaid, 'what became of it, for the log')
    .addHelpText(
      'after',
      '\nWithout --funding the sats are only recorded: they were returned, or are a gift.\n' +
        '\nExamples:\n  aio-dca payouts overpaid p118 --funding f3 --reason "paid by two hosts; alice agrees"\n' +
        '  aio-dca payouts overpaid p118 --payment 9f…c2 --reason "alice sent it back"',
    )
    .action(
      asks(
        () => import('../../operations/overpaid.ts'),
        ['previewOverpaid', 'recordOverpaid'],
        (seen, _cli, { funding }) => overpaidQuestion(seen, funding),
        local(overpaidPage),
      ),
    );
}
