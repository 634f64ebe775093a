import type { Command } from 'commander';
import { now } from '../time.ts';
import { makeCli, usage } from './context.ts';
import { parseLimit, tellMore, withLimit } from './limit.ts';
import { clean, formatTime, shortId, table, wrapped } from './print.ts';

export function register(program: Command): void {
  const review = program
    .command('review')
    .description('rows of Lamassu that are not paid by themselves and may need a person');
  withLimit(review.command('list').description('what waits for a person, newest first'))
    .option('--all', 'also what does not wait any more')
    .addHelpText('after', '\nExample:\n  aio-dca review list')
    .action(list);
  review
    .command('show')
    .description('one row: why it is here, what Lamassu says now, what the ledger knows, what can be done')
    .argument('<id>', 'its id in Lamassu, or the first 6 characters or more of it')
    .addHelpText('after', '\nExample:\n  aio-dca review show 3f0c5e')
    .action(show);
  review
    .command('release')
    .description(
      'let the next run distribute a row that only its size, its currency or `start_at` holds back',
    )
    .argument('<id>', 'its id in Lamassu, or the first 6 characters or more of it')
    .option('--reason <text>', 'why, for the log')
    .addHelpText('after', '\nExample:\n  aio-dca review release 3f0c5e --reason "asked the customer"')
    .action(release);
  review
    .command('dismiss')
    .description(
      'hide a row that nobody has to look at; if it becomes eligible it is distributed all the same. ' +
        'Of a row that the ledger distributed: accept what Lamassu says of it now',
    )
    .argument('<id>', 'its id in Lamassu, or the first 6 characters or more of it')
    .requiredOption('--reason <text>', 'why, for the log')
    .addHelpText('after', '\nExample:\n  aio-dca review dismiss 3f0c5e --reason "refunded on the spot"')
    .action(dismiss);
}

async function list(options: { limit?: string; all?: boolean }, command: Command): Promise<void> {
  const cli = makeCli(command);
  const limit = parseLimit(options.limit);
  const { listReview } = await import('../ledger/cash-outs/review-view.ts');
  const { age, reviewJson } = await import('./pages/review.ts');
  const { timezone } = await cli.config();
  const page = await cli.withLedger('read', ({ db }) =>
    listReview(db, limit, { closed: options.all ?? false }),
  );
  const at = now();
  const rows = page.rows.map((row) => [
    formatTime(row.since, timezone).slice(0, 16),
    age(row, at),
    shortId(row.cash_out_id),
    row.state,
    row.reason,
    row.detail,
  ]);
  const columns = ['since', 'age', 'row', 'state', 'reason', 'what'];
  cli.answer(
    page.rows.map((row) => reviewJson(row, at)),
    rows.length > 0 ? table(columns, rows) : 'Nothing is in review.',
  );
  tellMore(page);
}

async function show(text: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const config = await cli.config();
  const { cashOutDetail } = await import('../ledger/cash-outs/view.ts');
  const { findReview } = await import('../ledger/cash-outs/review-view.ts');
  const { findRowId } = await import('../operations/lookup-cash-out.ts');
  const { look, lookUnseen } = await import('../operations/reviews.ts');
  const { reviewDetailJson, reviewPage, unseenJson, unseenPage } = await import('./pages/review.ts');
  await cli.withLedger('read', async ({ db }) => {
    const id = await findRowId(config, db, text.trim());
    const found = await findReview(db, id);
    if (found) {
      const seen = await look(config, db, found.review);
      cli.answer(reviewDetailJson(found, seen, now()), reviewPage(found, seen, config.timezone));
      return;
    }
    if (await cashOutDetail(db, id)) {
      throw usage(
        `ID: ${id} was distributed and never came into review.`,
        `\`aio-dca cash-outs show ${id}\` shows how it was divided.`,
      );
    }
    const unseen = await lookUnseen(config, db, id);
    cli.answer(unseenJson(unseen), unseenPage(unseen));
  });
}

async function release(text: string, options: { reason?: string }, command: Command): Promise<void> {
  const cli = makeCli(command);
  const config = await cli.config();
  const scheduler = await import('../operations/reviews.ts');
  const { findRowId } = await import('../operations/lookup-cash-out.ts');
  const { showReview } = await import('../ledger/cash-outs/review-view.ts');
  const { reviewJson } = await import('./pages/review.ts');
  const { fresh, last, review } = await cli.withLedger('write', async (ledger) => {
    const id = await findRowId(config, ledger.db, text.trim());
    const who = { actor: cli.actor, run: null };
    const released = await scheduler.release(config, ledger, id, who, options.reason?.trim() || undefined);
    const last = await ledger.db
      .selectFrom('log')
      .select(['at', 'actor', 'reason'])
      .where('subject', '=', id)
      .where('action', '=', 'review release')
      .orderBy('id', 'desc')
      .executeTakeFirst();
    return { fresh: released, last, ...(await showReview(ledger.db, id)) };
  });
  cli.answer(
    reviewJson(review, now()),
    fresh || !last
      ? `${review.cash_out_id} is released: the next run distributes it.`
      : wrapped(
          `${review.cash_out_id} was released already, by ${last.actor} at ${formatTime(last.at, config.timezone)}` +
            `${last.reason === null ? '' : ` (${clean(last.reason)})`}; nothing was written. The next run distributes it.`,
        ),
  );
}

async function dismiss(text: string, options: { reason: string }, command: Command): Promise<void> {
  const cli = makeCli(command);
  const reason = options.reason.trim();
  if (reason === '')
    throw usage('--reason: it is empty.', 'Say in a few words why nobody has to look at it.');
  const config = await cli.config();
  const scheduler = await import('../operations/reviews.ts');
  const { findRowId } = await import('../operations/lookup-cash-out.ts');
  const { showReview } = await import('../ledger/cash-outs/review-view.ts');
  const { reviewJson } = await import('./pages/review.ts');
  const { fresh, review, cashOut } = await cli.withLedger('write', async (ledger) => {
    const id = await findRowId(config, ledger.db, text.trim());
    const who = { actor: cli.actor, run: null };
    const dismissed = await scheduler.dismiss(config, ledger, id, who, reason);
    return { fresh: dismissed, ...(await showReview(ledger.db, id)) };
  });
  const { cash_out_id: id } = review;
  const accepted = cashOut !== null && review.reason === 'changed';
  cli.answer(
    reviewJson(review, now()),
    accepted
      ? `What Lamassu says of ${id} ${fresh ? 'is' : 'was'} accepted${fresh ? '' : ' before'}; ${cashOut.origin === 'settled' ? 'the settlement' : 'what was distributed'} stands as it is.`
      : `${id} ${fresh ? 'is hidden' : 'was hidden before'}; if it becomes eligible it is distributed all the same.`,
  );
}
