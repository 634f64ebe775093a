import type { Command } from 'commander';
import { answer, inputOf } from './call.ts';
import { makeCli } from './context.ts';
import { overpaidPage, overpaidQuestion } from './pages/payout.ts';

export function registerOverpaid(payouts: Command): void {
  payouts
    .command('overpaid')
    .description('record what a recipient got beyond what a payout owed')
    .argument('<id>', 'of the payout, like p118')
    .option('--payment <hash>', 'the payment that was given up and arrived all the same')
    .option('--sats <amount>', 'how much it was, like "484207 sat"; by default what the payout owed')
    .option('--funding <id>', 'take the cash that it is worth, at the price of the payout, off this funding')
    .requiredOption('--reason <text>', 'what became of it, for the log')
    .addHelpText(
      'after',
      '\nWithout --funding it is only recorded: the sats were returned, or are a present.\n' +
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
