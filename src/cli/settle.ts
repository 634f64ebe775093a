import { type Command, Option } from 'commander';
import type { Currencies } from '../dca/currency.ts';
import type { Stated } from '../dca/settlement.ts';
import type { CashOutDetail } from '../ledger/cash-outs/view.ts';
import type { Ledger } from '../ledger/store/open.ts';
import type { Draft } from '../operations/settlements.ts';
import { parseAmount, parseRate, parseSats, parseSatsOrNone } from '../typed/numbers.ts';
import { parseTime } from '../typed/times.ts';
import { type Cli, makeCli, usage } from './context.ts';
import { draftPage, question, settleJson, voidJson, voidPage } from './pages/settlement.ts';
import { wrapped } from './print.ts';
import { canAsk } from './prompt.ts';

export function register(program: Command): void {
  program
    .command('settle')
    .description('distribute a cash-out that was settled outside of Lamassu; or undo that with --void')
    .argument('[id]', 'of a cash-out that Lamassu knows')
    .addOption(
      new Option('--external <ref>', 'one that Lamassu never saw, by a reference of your own').conflicts(
        'void',
      ),
    )
    .option(
      '--machine <machine>',
      'where the cash came out: with --external, or where Lamassu names several machines; device id or name',
    )
    .option('--at <time>', 'when it came out, with --external, or where a clock of Lamassu was wrong')
    .option('--fiat <amount>', 'the cash that came out, like "200 USD" (default: what Lamassu counted)')
    .option('--gross <sats>', 'what was paid for that cash (default: its proportion)')
    .addOption(
      new Option(
        '--commission <sats>',
        'the operator’s part of it (default: what Lamassu charged)',
      ).conflicts('rate'),
    )
    .option('--rate <rate>', 'the same as a rate of the gross, like 5.5%')
    .requiredOption('--reason <text>', 'why, for the log')
    .option('--credit', 'its sats have yet to be credited to the source wallet, see docs/settlements.md')
    .option('--new-currency', 'with --external: the machine paid out this currency for the first time')
    .option('--void <id>', 'undo a settlement of which nothing is in a payout yet')
    .option('--dry-run', 'write nothing, show the division')
    .addHelpText(
      'after',
      '\nShows what Lamassu knows and how it will be divided, and asks. The same again changes nothing.\n' +
        '\nExamples:\n  aio-dca settle 3f0c5e --reason "paid 200 of 500, rest refunded" --dry-run\n' +
        '  aio-dca settle 3f0c5e --fiat "500 GTQ" --reason "the rest was paid by hand"\n' +
        '  aio-dca settle --external receipt-17 --machine Antigua --at "2026-11-20 10:15" --fiat "500 GTQ" \\\n' +
        '    --gross "61234 sat" --rate 5.5% --reason "server was down"\n' +
        '  aio-dca settle --void 3f0c5e --reason "wrong amount"',
    )
    .action(run);
}

interface Options {
  external?: string;
  machine?: string;
  at?: string;
  fiat?: string;
  gross?: string;
  commission?: string;
  rate?: string;
  reason: string;
  credit?: boolean;
  newCurrency?: boolean;
  void?: string;
  dryRun?: boolean;
}

async function run(id: string | undefined, options: Options, command: Command): Promise<void> {
  const cli = makeCli(command);
  const reason = options.reason.trim();
  if (reason === '') throw usage('--reason: it is empty.', 'Say in a few words why.');
  const which = [id, options.external, options.void].filter((one) => one !== undefined);
  if (which.length !== 1) {
    throw usage(
      `ID: ${which.length === 0 ? 'no cash-out was named' : 'more than one cash-out was named'}.`,
      'Name it by its id in Lamassu, or with --external, or with --void.',
    );
  }
  if (options.void !== undefined) await undo(cli, options.void, reason, options);
  else if (options.external !== undefined) await external(cli, options.external, reason, options);
  else await known(cli, id ?? '', reason, options);
}

async function known(cli: Cli, text: string, reason: string, options: Options): Promise<void> {
  refuse(options, ['newCurrency'], 'Lamassu tells it; it goes with --external only.');
  const { credit = false, machine: named } = options;
  const config = await cli.config();
  const at = options.at === undefined ? undefined : parseTime(options.at, config.timezone, '--at');
  const { draftSettled } = await import('../operations/settlements.ts');
  const { findRowId } = await import('../operations/lookup-cash-out.ts');
  const { settledBefore } = await import('../ledger/cash-outs/settlement.ts');
  const { findMachine } = await import('../ledger/machines/machines.ts');
  await withClients(cli, options, async (ledger) => {
    const stated = statedBy(options, await cli.currencies(ledger.db));
    const id = await findRowId(config, ledger.db, text.trim());
    const machine =
      named === undefined ? undefined : (await findMachine(ledger.db, named, '--machine')).device_id;
    const before = await settledBefore(ledger.db, {
      id,
      stated,
      credit,
      ...(machine !== undefined && { machine }),
    });
    if (before) return answerBefore(cli, before);
    const words = { stated, reason, credit, machine };
    return agree(cli, ledger, await draftSettled(config, ledger.db, id, words, at), options);
  });
}

async function external(cli: Cli, text: string, reason: string, options: Options): Promise<void> {
  const { machine: named, at: time, credit = false } = options;
  const missing = (['machine', 'at', 'fiat', 'gross'] as const).filter((key) => options[key] === undefined);
  if (options.commission === undefined && options.rate === undefined) {
    throw usage(
      '--commission: an external settlement needs it, or --rate.',
      'Like --commission "3000 sat" or --rate 5.5%.',
    );
  }
  if (missing.length > 0 || named === undefined || time === undefined) {
    throw usage(
      `--${missing[0]}: an external settlement needs ${missing.map((key) => `--${key}`).join(', ')}.`,
      'Nobody else tells; `aio-dca settle --help` has an example.',
    );
  }
  const config = await cli.config();
  const at = parseTime(time, config.timezone, '--at');
  const { draftExternal, externalReference } = await import('../operations/settlements.ts');
  const { settledBefore } = await import('../ledger/cash-outs/settlement.ts');
  const { findMachine } = await import('../ledger/machines/machines.ts');
  const id = externalReference(text);
  await withClients(cli, options, async (ledger) => {
    const stated = statedBy(options, await cli.currencies(ledger.db));
    const machine = (await findMachine(ledger.db, named, '--machine')).device_id;
    const before = await settledBefore(ledger.db, { id, stated, machine, at, credit });
    if (before) return answerBefore(cli, before);
    const words = { stated, reason, credit };
    return agree(cli, ledger, await draftExternal(config, ledger.db, id, { machine, at }, words), options);
  });
}

/** Shows the division and writes it once the person agrees. */
async function agree(cli: Cli, ledger: Ledger, draft: Draft, options: Options): Promise<void> {
  const { dryRun = false, newCurrency = false } = options;
  if (draft.doubt !== null && !newCurrency && !dryRun && (cli.globals.yes || !canAsk())) {
    throw usage(
      `--fiat: is that the right currency? ${draft.doubt}.`,
      'Check --fiat and --machine. Where they are right, add --new-currency.',
    );
  }
  const { previewSettlement, writeSettlement } = await import('../operations/settlements.ts');
  const config = await cli.config();
  if (draft.settlement.credit && !config.lnbits.creditSource) {
    throw usage(
      '--credit: [lnbits] credit_source is off, so nothing would be credited.',
      'Leave it out and see that the source wallet holds these sats; or switch it on first: docs/crediting.md.',
    );
  }
  const who = { actor: cli.actor, run: null };
  const shown = await previewSettlement(ledger, config, draft, who);
  const page = wrapped(draftPage(draft, shown, config.timezone));
  if (dryRun) {
    const text = `Dry run: nothing was written.\n${page}`;
    cli.answer(settleJson(shown, { dryRun, repeated: false, written: false }), text);
    return;
  }
  if (!cli.globals.yes) process.stderr.write(`${page}\n`);
  await cli.confirm(question(draft));
  const agreed = cli.globals.yes ? undefined : shown;
  const done = await writeSettlement(ledger, config, draft, who, agreed);
  const text = `${cli.globals.yes ? `${page}\n` : ''}Settled ${done.cashOut.id}. ${whatFollows(done)}`;
  cli.answer(settleJson(done, { dryRun, repeated: false, written: true }), text);
}

function whatFollows({ cashOut }: CashOutDetail): string {
  return cashOut.net > 0n
    ? 'The next run pays what is due of it.'
    : 'No client’s cash came out with it, so nothing of it is paid to clients.';
}

async function answerBefore(cli: Cli, before: CashOutDetail): Promise<void> {
  const { cashOutPage } = await import('./pages/cash-out.ts');
  const { timezone } = await cli.config();
  cli.answer(
    settleJson(before, { dryRun: false, repeated: true, written: true }),
    `It was settled before with these figures; nothing was changed.\n${cashOutPage(before, timezone)}`,
  );
}

async function undo(cli: Cli, text: string, reason: string, options: Options): Promise<void> {
  refuse(
    options,
    ['machine', 'at', 'fiat', 'gross', 'commission', 'rate', 'credit', 'newCurrency'],
    '--void undoes a settlement as a whole; settle it anew afterwards.',
  );
  const { dryRun = false } = options;
  const config = await cli.config();
  const { timezone } = config;
  const { undoSettlement } = await import('../operations/settlements.ts');
  const { findCashOutId } = await import('../ledger/cash-outs/find-id.ts');
  const who = { actor: cli.actor, run: null };
  await cli.withLedger(dryRun ? 'read' : 'write', async (ledger) => {
    const id = await findCashOutId(ledger.db, text.trim());
    const shown = await ledger.dryRun((trx) => undoSettlement(trx, config, id, reason, who));
    const page = wrapped(voidPage(shown, timezone));
    if (dryRun) {
      cli.answer(voidJson(shown, dryRun, false), `Dry run: nothing was written.\n${page}`);
      return;
    }
    if (!cli.globals.yes) process.stderr.write(`${page}\n`);
    await cli.confirm(`Undo the settlement of ${id}?`);
    const done = await ledger.write((trx) => undoSettlement(trx, config, id, reason, who));
    const told = cli.globals.yes ? `${wrapped(voidPage(done, timezone))}\n` : '';
    cli.answer(voidJson(done, dryRun, true), `${told}Undone: ${id} is not settled any more.`);
  });
}

async function withClients(
  cli: Cli,
  { dryRun }: Options,
  work: (ledger: Ledger) => Promise<void>,
): Promise<void> {
  const { refuseWithoutClients } = await import('../scheduler/setup.ts');
  await cli.withLedger(dryRun ? 'read' : 'write', async (ledger) => {
    await refuseWithoutClients(ledger.db);
    await work(ledger);
  });
}

function statedBy({ fiat, gross, commission, rate }: Options, known: Currencies): Stated {
  return {
    fiat: fiat === undefined ? undefined : parseAmount(fiat, '--fiat', known),
    gross: gross === undefined ? undefined : parseSats(gross, '--gross'),
    commission: commission === undefined ? undefined : parseSatsOrNone(commission, '--commission'),
    rate: rate === undefined ? undefined : parseRate(rate, '--rate'),
  };
}

function refuse(options: Options, keys: (keyof Options)[], hint: string): void {
  const given = keys.find((key) => options[key] !== undefined);
  const option = given?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (option) throw usage(`--${option}: it says nothing here.`, hint);
}
