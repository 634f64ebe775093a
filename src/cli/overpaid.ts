import type { Command } from 'commander';
import { answer, inputOf } from './call.ts';
import { overpaidPage, overpaidQuestion } from './pages/payout.ts';
import { makeCli } from './terminal/context.ts';

export function registerOverpaid(payouts: Command): void {
  payouts
    .command('overpaid')
    .description('record sats that a recipient got beyond a payout')
    .argument('<id>', 'of the payout, like p118')
    .option('--payment <hash>', 'the payment that was given up but arrived')
    .option('--sats <amount>', 'the sats, like "484207 sat" (default: those of the payout)')
    .option(
      '--funding <id>',
      'subtract the value of the sats in cash, at the payout’s price, from this funding',
    )
    .requiredOption('--reason <text>', 'what became of it, for the log')
    .addHelpText(
      'after',
      '\nWithout --funding the sats are only recorded: they were returned, or are a gift.\n' +
        '\nExamples:\n  aio-dca payouts overpaid p118 --funding f3 --reason "paid by two hosts; alice agrees"\n' +
        '  aio-dca payouts overpaid p118 --payment 9f…c2 --reason "alice sent it back"',
    )
    .action(overpaid);
}

async function overpaid(id: string, options: { funding?: string }, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { previewOverpaid, recordOverpaid } = await import('../operations/overpaid.ts');
  const input = { id, ...inputOf(options) };
  const preview = await cli.perform(previewOverpaid, input);
  await cli.confirm(overpaidQuestion(preview, options.funding));
  await answer(command, recordOverpaid, { ...input, digest: preview.digest }, overpaidPage);
}
