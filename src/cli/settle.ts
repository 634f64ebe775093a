import { type Command, Option } from 'commander';
import { define } from './command/options.ts';
import { settleOrVoid } from './settle/settle-or-void.ts';

export function register(program: Command): void {
  define(program, 'settle', 'distribute a cash-out that was settled outside of Lamassu; --void undoes that')
    .argument('[id]', 'of a cash-out that Lamassu knows')
    .addOption(
      new Option('--external <ref>', 'a cash-out that Lamassu never saw, by your own reference').conflicts(
        'void',
      ),
    )
    .option(
      '--machine <machine>',
      'the machine that paid out: with --external, or if Lamassu names several; device id or name',
    )
    .option('--at <time>', 'when the cash came out: with --external, or if Lamassu’s clock was wrong')
    .option('--fiat <amount>', 'the cash that came out, like "200 USD" (default: what Lamassu counted)')
    .option(
      '--gross <sats>',
      'what the layperson paid for that cash (default: the same share of what was paid as of the cash)',
    )
    .addOption(
      new Option(
        '--commission <sats>',
        'the operator’s part of the sats (default: what Lamassu charged)',
      ).conflicts(['rate', 'price']),
    )
    .addOption(
      new Option('--rate <rate>', 'the operator’s part as a rate of the gross, like 5.5%').conflicts('price'),
    )
    .option(
      '--price <amount>',
      'the operator’s part by the price of one BTC, like "780000 GTQ": all beyond the worth of the cash',
    )
    .requiredOption('--reason <text>', 'why, for the log')
    .option('--credit', 'credit its sats to the source wallet, see docs/settlements.md')
    .option('--new-currency', 'with --external: the machine paid out this currency for the first time')
    .option('--void <id>', 'undo a settlement of which nothing is in a payout yet')
    .option('--dry-run', 'write nothing, show the division')
    .addHelpText(
      'after',
      '\nShows what Lamassu knows and how the sats will be divided, then asks. Repeating it changes nothing.\n' +
        '\nExamples:\n  aio-dca settle 3f0c5e --reason "paid 200 of 500, rest refunded" --dry-run\n' +
        '  aio-dca settle 3f0c5e --fiat "500 GTQ" --reason "the rest was paid by hand"\n' +
        '  aio-dca settle --external receipt-17 --machine Antigua --at "2026-11-20 10:15" --fiat "500 GTQ" ' +
        '--gross "61234 sat" --rate 5.5% --reason "server was down"\n' +
        '  aio-dca settle 3f0c5e --price "780000 GTQ" --reason "paid in litecoin"\n' +
        '  aio-dca settle --void 3f0c5e --reason "wrong amount"',
    )
    .action(settleOrVoid);
}
