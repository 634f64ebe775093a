import type { Command } from 'commander';
import { type Action, asks, does, local } from '../command/call.ts';
import { define, reasonNeeded, reasonOption, withMachine } from '../command/options.ts';
import { adjustedPage, cancelledPage, movedFundingPage } from '../pages/funding.ts';
import { withdrawalQuestion, withdrawnPage } from '../pages/withdrawal.ts';

const operations = () => import('../../operations/fundings.ts');
const withdrawal = () => import('../../operations/withdraw-funding.ts');
const withdraw = does(withdrawal, 'withdrawFromFunding', local(withdrawnPage));
const askToWithdraw = asks(
  withdrawal,
  ['previewWithdrawal', 'withdrawFromFunding'],
  local(withdrawalQuestion),
  local(withdrawnPage),
);
const withdrawOrAsk: Action = (...all) => (all[1] === undefined ? askToWithdraw : withdraw)(...all);

export function register(fundings: Command): void {
  const one = (verb: string, description: string, example: string) =>
    define(fundings, verb, description, `fundings ${verb} f12 ${example}`).argument(
      '<id>',
      'funding, like f12',
    );
  reasonOption(one('cancel', 'cancel a funding: its cash did not arrive', '--reason "sent back"')).action(
    does(operations, 'cancelOneFunding', local(cancelledPage)),
  );
  reasonNeeded(
    one(
      'withdraw',
      'withdraw cash from the machine: all that remains (asks first), or a part of it',
      '"500 GTQ" --reason "client asked for it"',
    ),
  )
    .argument('[amount]', 'with its currency, like "500 GTQ" (default: all that remains)')
    .action(withdrawOrAsk);
  reasonNeeded(
    one(
      'adjust',
      'correct the amount by a difference, like +50 GTQ or -50 GTQ',
      '"-50 GTQ" --reason "a note was counted twice"',
    ),
  )
    .argument('<amount>', 'the difference with its currency, like "-50 GTQ"')
    .action(does(operations, 'adjustOneFunding', local(adjustedPage)));
  withMachine(reasonOption(one('move', 'move a funding to another machine', '--machine Centro'))).action(
    does(operations, 'moveOneFunding', local(movedFundingPage)),
  );
}
