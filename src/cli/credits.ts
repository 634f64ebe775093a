import { type Command, Option } from 'commander';
import type { CreditView } from '../ledger/credits/operator-actions.ts';
import type { CreditState } from '../ledger/store/schema.ts';
import { parseId } from '../typed/names.ts';
import { makeCli, usage } from './context.ts';
import { parseLimit, tellMore, withLimit } from './limit.ts';
import { clean, formatSats, formatTime, table, wrapped } from './print.ts';

const STATES: CreditState[] = ['intended', 'sending', 'unknown', 'credited', 'held', 'dropped'];

export function register(program: Command): void {
  const credits = program
    .command('credits')
    .description('what LNbits’ superuser put into the source wallet ([lnbits] credit_source)');
  withLimit(credits.command('list').description('the newest credits'))
    .addOption(new Option('--state <state>', 'only those in this state').choices(STATES))
    .addHelpText('after', '\nExample:\n  aio-dca credits list --state held')
    .action(list);
  credits
    .command('show')
    .description('one credit, and the cash-outs that it is for')
    .argument('<id>', 'of the credit, like c3')
    .addHelpText('after', '\nExample:\n  aio-dca credits show c3')
    .action(show);
  credits
    .command('resolve')
    .description('say what became of a credit that is held, or give up one that was not sent')
    .argument('<id>', 'of the credit, like c3')
    .option('--credited', 'it is in the source wallet')
    .option(
      '--payment <hash>',
      'which “Admin credit” of the source wallet it is; or, with --not-credited, is not',
    )
    .option('--not-credited', 'it is not, and never will be: the next run credits its cash-outs anew')
    .requiredOption('--reason <text>', 'how you know, for the log')
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca credits resolve c3 --credited --payment 9f…c2 --reason "the other one was my top-up"\n' +
        '  aio-dca credits resolve c3 --not-credited --reason "LNbits shows none"\n' +
        '  aio-dca credits resolve c4 --not-credited --reason "crediting is off, I fill the wallet myself"',
    )
    .action(resolve);
}

async function list(options: { state?: CreditState; limit?: string }, command: Command): Promise<void> {
  const cli = makeCli(command);
  const limit = parseLimit(options.limit);
  const { timezone } = await cli.config();
  const { listCredits } = await import('../ledger/credits/operator-actions.ts');
  const found = await cli.withLedger('read', ({ db }) => listCredits(db, { state: options.state, limit }));
  cli.answer(
    found.rows.map((row) => {
      const { cash_outs: of, ...shown } = json(row);
      return { ...shown, cash_outs: of.length };
    }),
    found.rows.length === 0
      ? 'No credits.'
      : table(
          ['credit', 'state', 'sats', 'cash-outs', 'recorded', 'why'],
          found.rows.map((row) => [
            ...[`c${row.id}`, row.state, formatSats(row.sats), row.cashOuts.length],
            ...[formatTime(row.created_at, timezone), row.reason],
          ]),
        ),
  );
  tellMore(found);
}

async function show(text: string, _options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const id = parseId('c', text, 'ID');
  const { timezone } = await cli.config();
  const { findCredit } = await import('../ledger/credits/operator-actions.ts');
  const credit = await cli.withLedger('read', ({ db }) => findCredit(db, id));
  cli.answer(json(credit), page(credit, timezone));
}

async function resolve(
  text: string,
  options: { credited?: boolean; notCredited?: boolean; payment?: string; reason: string },
  command: Command,
): Promise<void> {
  const cli = makeCli(command);
  const id = parseId('c', text, 'ID');
  const reason = options.reason.trim();
  const { credited = false, notCredited = false } = options;
  const payment = options.payment?.trim().toLowerCase() ?? null;
  if (reason === '') throw usage('--reason: it is empty.', 'Say how you know: it is kept in the log.');
  if (credited === notCredited) {
    throw usage('--credited, --not-credited: one of them must be given.', 'Say what became of the credit.');
  }
  if (payment !== null && !/^[0-9a-f]{64}$/.test(payment)) {
    throw usage(
      `--payment: ${JSON.stringify(payment)} is not a payment hash.`,
      'It has 64 hexadecimal digits.',
    );
  }
  const config = await cli.config();
  const { resolveCreditByHand } = await import('./resolve-credit.ts');
  const credit = await cli.withLedger('write', (ledger) =>
    resolveCreditByHand({ cli, config, ledger, id, credited, payment, reason }),
  );
  cli.answer(json(credit), page(credit, config.timezone));
}

function json(row: CreditView) {
  return {
    id: `c${row.id}`,
    state: row.state,
    reason: row.reason,
    sats: row.sats,
    wallet_id: row.wallet_id,
    created_at: row.created_at,
    sent_at: row.sent_at,
    credited_at: row.credited_at,
    payment_hash: row.payment_hash,
    cash_outs: row.cashOuts,
  };
}

/** One credit, for a person; the hash stands on a line of its own, to be copied whole. */
function page(row: CreditView, timezone: string): string {
  const when = (at: string) => formatTime(at, timezone);
  return [
    wrapped(
      `Credit c${row.id}: ${formatSats(row.sats)}, ${row.state}${row.reason === null ? '' : `: ${clean(row.reason)}`}`,
    ),
    `Source wallet: ${row.wallet_id}`,
    wrapped(`Recorded ${when(row.created_at)}${row.sent_at === null ? '' : `, sent ${when(row.sent_at)}`}`),
    ...(row.credited_at === null ? [] : [`Credited ${when(row.credited_at)}`]),
    ...(row.payment_hash === null ? [] : [row.payment_hash]),
    table(
      ['cash-out', 'sats'],
      row.cashOuts.map((one) => [one.id, formatSats(one.sats)]),
    ),
    ...(row.state === 'intended'
      ? [`To give it up: aio-dca credits resolve c${row.id} --not-credited --reason "…"`]
      : []),
    ...(row.state === 'held'
      ? [`When you know: aio-dca credits resolve c${row.id} --credited | --not-credited --reason "…"`]
      : []),
  ].join('\n');
}
