import type { Command } from 'commander';
import { does, lists, local } from './command/call.ts';
import { define, reasonNeeded, reasonOption, withLimit } from './command/options.ts';
import { dismissedPage, releasedReviewPage, reviewTable } from './pages/review.ts';
import { showRow } from './review/show-row.ts';

const operations = () => import('../operations/reviews.ts');

export function register(program: Command): void {
  const review = define(
    program,
    'review',
    'rows of Lamassu that are not paid automatically and may need the operator',
  );
  withLimit(define(review, 'list', 'rows that wait for the operator, newest first', 'review list'))
    .option('--all', 'also rows that no longer wait')
    .action(lists(operations, 'listReview', local(reviewTable)));
  one(
    review,
    'show',
    'one row: why it is here, what Lamassu says now, what the ledger knows, what can be done',
  ).action(showRow);
  reasonOption(
    one(
      review,
      'release',
      'let the next run distribute a row that only its size, its currency or `start_at` holds back',
      ' --reason "asked the customer"',
    ),
  ).action(does(operations, 'releaseReview', local(releasedReviewPage)));
  reasonNeeded(
    one(
      review,
      'dismiss',
      'hide a row that needs no decision; if it becomes eligible, it is still distributed. ' +
        'For a distributed row: accept what Lamassu says of it now',
      ' --reason "refunded on the spot"',
    ),
  ).action(does(operations, 'dismissReview', dismissedPage));
}

function one(review: Command, verb: string, description: string, example = ''): Command {
  return define(review, verb, description, `review ${verb} 3f0c5e${example}`).argument(
    '<id>',
    'its id in Lamassu, or the first 6 characters or more of it',
  );
}
