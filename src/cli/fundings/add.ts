import type { Command } from 'commander';
import { define, withMachine } from '../command/options.ts';
import { addedFundingPage } from '../pages/funding.ts';
import { enters, withPast } from './enter.ts';

export function register(fundings: Command): void {
  const add = define(
    fundings,
    'add',
    'add a client’s cash: on its way, or with --deposited in the machine',
    'fundings add alice "3000 GTQ" --any-machine --deposited',
    'fundings add bob "5000 GTQ" --machine Antigua --rate 5%',
    'fundings add bob "500 GTQ" --any-machine --deposited --at "2026-11-20 09:30"',
  )
    .argument('<client>', 'name of the client')
    .argument('<amount>', 'with its currency, like "3000 GTQ"');
  withPast(
    withMachine(add)
      .option(
        '--rate <rate>',
        "a commission rate of its own, like 5% (default: the machine's, or what Lamassu charged)",
      )
      .option('--new-currency', 'confirm a currency that no machine has paid out so far')
      .option('--deposited', 'the cash is in the machine')
      .option('--at <time>', 'since when it is in the machine (default: now)'),
  ).action(enters(['previewAddFunding', 'addOneFunding'], addedFundingPage));
}
