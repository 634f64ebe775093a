import { type Command, Option } from 'commander';
import { CREDIT_STATES } from '../views/states.ts';
import { asks, does, lists, local } from './command/call.ts';
import { define, reasonNeeded, withLimit } from './command/options.ts';
import { creditPage, creditTable } from './pages/credit.ts';

const operations = () => import('../operations/credits.ts');

export function register(program: Command): void {
  const credits = define(
    program,
    'credits',
    'what LNbits’ superuser put into the source wallet ([lnbits] credit_source)',
  );
  withLimit(define(credits, 'list', 'the newest credits', 'credits list --state held'))
    .addOption(new Option('--state <state>', 'only those in this state').choices(CREDIT_STATES))
    .action(lists(operations, 'listCredits', local(creditTable)));
  define(credits, 'show', 'one credit, and the cash-outs that it is for', 'credits show c3')
    .argument('<id>', 'of the credit, like c3')
    .action(does(operations, 'showCredit', local(creditPage)));
  const resolve = define(
    credits,
    'resolve',
    'decide a held credit, or give up one that was not sent',
    'credits resolve c3 --credited --payment 9f…c2 --reason "the other one was my top-up"',
    'credits resolve c3 --not-credited --reason "LNbits shows none"',
    'credits resolve c4 --not-credited --reason "crediting is off, I fill the wallet myself"',
  )
    .argument('<id>', 'of the credit, like c3')
    .option('--credited', 'it is in the source wallet')
    .option(
      '--payment <hash>',
      'the “Admin credit” in the source wallet that is this credit; with --not-credited, one that is not',
    )
    .option('--not-credited', 'it is not there and never will be: the next run credits its cash-outs again');
  reasonNeeded(resolve, 'how you know, for the log').action(
    asks(
      () => import('../operations/resolve-credit.ts'),
      ['previewResolveCredit', 'resolveCredit'],
      ({ question }) => question,
      local(creditPage),
    ),
  );
}
