import type { Command } from 'commander';
import { asks, does } from '../command/call.ts';
import { define, reasonOption } from '../command/options.ts';
import { releasedPayoutPage, releaseQuestion, statePage } from '../pages/payout.ts';
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
    .action(
      oneOrAll(
        does(operations, 'releasePayoutById', statePage),
        asks(
          operations,
          ['previewReleaseAll', 'releaseAllPayouts'],
          releaseQuestion,
          (done, _cli, { digest }) => releasedPayoutPage(done, digest),
        ),
      ),
    );
}
