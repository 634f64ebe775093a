import type { Command } from 'commander';
import { answer, answerPage, inputOf, print } from './call.ts';
import { reasonOption, withLimit } from './options.ts';
import {
  dismissedPage,
  releasedReviewPage,
  reviewPage,
  reviewTable,
  stepOf,
  unseenPage,
} from './pages/review.ts';
import { makeCli } from './terminal/context.ts';

export function register(program: Command): void {
  const review = program
    .command('review')
    .description('rows of Lamassu that are not paid automatically and may need the operator');
  withLimit(review.command('list').description('rows that wait for the operator, newest first'))
    .option('--all', 'also rows that no longer wait')
    .addHelpText('after', '\nExample:\n  aio-dca review list')
    .action(list);
  one(review, 'show')
    .description('one row: why it is here, what Lamassu says now, what the ledger knows, what can be done')
    .addHelpText('after', '\nExample:\n  aio-dca review show 3f0c5e')
    .action(show);
  reasonOption(one(review, 'release'))
    .description(
      'let the next run distribute a row that only its size, its currency or `start_at` holds back',
    )
    .addHelpText('after', '\nExample:\n  aio-dca review release 3f0c5e --reason "asked the customer"')
    .action(release);
  one(review, 'dismiss')
    .description(
      'hide a row that needs no decision; if it becomes eligible, it is still distributed. ' +
        'For a distributed row: accept what Lamassu says of it now',
    )
    .requiredOption('--reason <text>', 'why, for the log')
    .addHelpText('after', '\nExample:\n  aio-dca review dismiss 3f0c5e --reason "refunded on the spot"')
    .action(dismiss);
}

function one(review: Command, verb: string): Command {
  return review.command(verb).argument('<id>', 'its id in Lamassu, or the first 6 characters or more of it');
}

const operations = () => import('../operations/reviews.ts');

async function list(options: object, command: Command): Promise<void> {
  const { listReview } = await operations();
  await answerPage(command, listReview, inputOf(options), async (rows, cli) =>
    reviewTable(rows, (await cli.config()).timezone),
  );
}

async function show(id: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { showReview } = await operations();
  const view = await cli.perform(showReview, { id });
  const { timezone } = await cli.config();
  const { next, ...json } = view;
  await print(cli, { ...json, commands: next.map(stepOf) }, view, () =>
    view.state === null ? unseenPage(view) : reviewPage(view, timezone),
  );
}

async function release(id: string, _options: object, command: Command): Promise<void> {
  const { releaseReview } = await operations();
  await answer(command, releaseReview, { id }, async (view, cli) =>
    releasedReviewPage(view, (await cli.config()).timezone),
  );
}

async function dismiss(id: string, _options: object, command: Command): Promise<void> {
  const { dismissReview } = await operations();
  await answer(command, dismissReview, { id }, dismissedPage);
}
