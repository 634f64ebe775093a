import type { Command } from 'commander';
import { formatDecimal } from '../dca/money.ts';
import type { ReviewDetail, ReviewView } from '../ledger/views.ts';
import { makeCli } from './context.ts';
import { parseLimit, tellMore, withLimit } from './limit.ts';
import { clean, formatFiat, formatSats, formatTime, table } from './print.ts';

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
    .description('one row: why it is here, what Lamassu said, and what the ledger knows')
    .argument('<id>', 'its id in Lamassu, or the first 6 characters or more of it')
    .addHelpText('after', '\nExample:\n  aio-dca review show 3f0c5e')
    .action(show);
}

async function list(options: { limit?: string; all?: boolean }, command: Command): Promise<void> {
  const cli = makeCli(command);
  const limit = parseLimit(options.limit);
  const { listReview } = await import('../ledger/views.ts');
  const { timezone } = await cli.config();
  const page = await cli.withLedger('read', ({ db }) =>
    listReview(db, limit, { closed: options.all ?? false }),
  );
  const rows = page.rows.map((row) => [
    formatTime(row.since, timezone),
    row.cash_out_id.slice(0, 8),
    row.state,
    row.reason,
    row.detail,
  ]);
  const columns = ['since', 'row', 'state', 'reason', 'what'];
  cli.answer(page.rows.map(reviewJson), rows.length > 0 ? table(columns, rows) : 'Nothing is in review.');
  tellMore(page);
}

async function show(id: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { showReview } = await import('../ledger/views.ts');
  const { timezone } = await cli.config();
  const found = await cli.withLedger('read', ({ db }) => showReview(db, id));
  const json = {
    ...reviewJson(found.review),
    lamassu: lamassuOf(found.review),
    ledger: ledgerJson(found),
    commands: [],
  };
  cli.answer(json, reviewPage(found, timezone));
}

function reviewJson(row: ReviewView) {
  return {
    id: row.cash_out_id,
    source: row.source,
    machine: row.machine,
    reason: row.reason,
    detail: row.detail,
    state: row.state,
    since: row.since,
    closed_at: row.closed_at,
    closed_by: row.closed_by,
    closed_reason: row.closed_reason,
  };
}

function lamassuOf(row: ReviewView): Record<string, string | null> {
  return JSON.parse(row.lamassu) as Record<string, string | null>;
}

/** What was distributed of it, if it was; else whether it is looked at again. */
function ledgerJson({ cashOut, watchedSince }: ReviewDetail) {
  return {
    watched_since: watchedSince,
    cash_out: cashOut && {
      id: cashOut.id,
      machine: cashOut.machine,
      confirmed_at: cashOut.confirmed_at,
      processed_at: cashOut.processed_at,
      fiat: formatDecimal(cashOut.fiat, cashOut.digits),
      currency: cashOut.currency,
      gross_sats: cashOut.gross,
    },
  };
}

/** One row, for a person. */
function reviewPage(found: ReviewDetail, timezone: string): string {
  const { review, cashOut, watchedSince } = found;
  const when = (at: string) => formatTime(at, timezone);
  const said = Object.entries(lamassuOf(review)).filter(([, value]) => value !== null);
  return [
    `${review.cash_out_id}: ${review.reason}, ${review.state}, since ${when(review.since)}`,
    clean(review.detail),
    ...(review.closed_at
      ? [
          `Closed ${when(review.closed_at)} by ${clean(review.closed_by ?? '')}: ${clean(review.closed_reason ?? '')}`,
        ]
      : []),
    cashOut
      ? `The ledger distributed ${formatFiat(cashOut.fiat, cashOut.digits, cashOut.currency)} for ${formatSats(cashOut.gross)} at ${when(cashOut.processed_at)}.`
      : 'The ledger has distributed nothing of it.',
    ...(watchedSince ? [`It is looked at again in every run, since ${when(watchedSince)}.`] : []),
    table(['Lamassu said', ''], said),
  ].join('\n');
}
