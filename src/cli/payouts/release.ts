import type { Command } from 'commander';
import { does, print } from '../command/call.ts';
import { define, reasonOption } from '../command/options.ts';
import { heldPage, releasedPayoutPage, statePage } from '../pages/payout.ts';
import { makeCli } from '../terminal/context.ts';
import { counted } from '../terminal/figures.ts';
import { oneOrAll } from './one-or-all.ts';

const operations = () => import('../../operations/payouts.ts');

export function register(payouts: Command): void {
  const release = define(
    payouts,
    'release',
    'continue a held payout: the next run checks what was already sent',
    'payouts release p118',
    'payouts release --all',
  );
  reasonOption(release)
    .argument('[id]', 'of the payout, like p118')
    .option('--all', 'every held payout, whatever the reason')
    .action(oneOrAll(does(operations, 'releasePayoutById', statePage), releaseAll));
}

async function releaseAll(...given: unknown[]): Promise<void> {
  const cli = makeCli(given.at(-1) as Command);
  const { previewReleaseAll, releaseAllPayouts } = await operations();
  const seen = await cli.perform(previewReleaseAll, {});
  if (seen.held.length === 0) {
    cli.answer({ released: [] }, 'No payout is held.');
    return;
  }
  if (!cli.globals.yes) process.stderr.write(`${heldPage(seen)}\n`);
  await cli.confirm(`Release ${counted(seen.held.length, 'payout')}?`);
  const done = await cli.perform(releaseAllPayouts, { digest: seen.digest });
  await print(cli, done, done, releasedPayoutPage);
}
