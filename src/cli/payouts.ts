import { type Command, Option } from 'commander';
import { PAYOUT_STATES } from '../views/states.ts';
import { does, lists, local } from './command/call.ts';
import { define, reasonNeeded, reasonOption, withLimit } from './command/options.ts';
import { pausedPayoutsPage, payoutPage, payoutTable, resumedPayoutsPage, statePage } from './pages/payout.ts';
import * as hold from './payouts/hold.ts';
import * as overpaid from './payouts/overpaid.ts';
import * as release from './payouts/release.ts';
import * as resolve from './payouts/resolve.ts';

const operations = () => import('../operations/payouts.ts');

export function register(program: Command): void {
  const payouts = define(program, 'payouts', 'payouts and their payments');
  withLimit(
    define(payouts, 'list', 'the newest payouts', 'payouts list --state held', 'payouts list --client alice'),
  )
    .addOption(new Option('--state <state>', 'only those in this state').choices(PAYOUT_STATES))
    .option('--open', 'only those that are not settled')
    .option('--client <name>', 'only those of this client or commission recipient')
    .action(lists(operations, 'listPayouts', local(payoutTable)));
  define(payouts, 'show', 'one payout, what it pays, and its payments', 'payouts show p118')
    .argument('<id>', 'of the payout, like p118')
    .action(does(operations, 'showPayout', local(payoutPage)));
  hold.register(payouts);
  release.register(payouts);
  reasonOption(define(payouts, 'retry', 'retry a deferred payout', 'payouts retry p118'))
    .argument('<id>', 'of the payout, like p118')
    .action(does(operations, 'retryPayoutById', statePage));
  resolve.register(payouts);
  overpaid.register(payouts);
  reasonNeeded(
    define(
      payouts,
      'pause',
      'stop paying; recording goes on',
      'payouts pause --reason "LNbits is being moved"',
    ),
  ).action(does(operations, 'pausePayouts', local(pausedPayoutsPage)));
  reasonOption(define(payouts, 'resume', 'continue paying', 'payouts resume')).action(
    does(operations, 'resumePayouts', resumedPayoutsPage),
  );
}
