import { type Command, Option } from 'commander';
import type { z } from 'zod';
import type { Operation } from '../operations/operation.ts';
import type { settlementView } from '../views/settlements.ts';
import { inputOf } from './call.ts';
import {
  proposalPage,
  settledBeforePage,
  settledPage,
  settleQuestion,
  voidPage,
} from './pages/settlement.ts';
import { type Cli, makeCli, usage } from './terminal/context.ts';
import { canAsk } from './terminal/prompt.ts';

export function register(program: Command): void {
  program
    .command('settle')
    .description('distribute a cash-out that was settled outside of Lamassu; --void undoes that')
    .argument('[id]', 'of a cash-out that Lamassu knows')
    .addOption(
      new Option('--external <ref>', 'a cash-out that Lamassu never saw, by your own reference').conflicts(
        'void',
      ),
    )
    .option(
      '--machine <machine>',
      'the machine that paid out: with --external, or if Lamassu names several; device id or name',
    )
    .option('--at <time>', 'when the cash came out: with --external, or if Lamassu’s clock was wrong')
    .option('--fiat <amount>', 'the cash that came out, like "200 USD" (default: what Lamassu counted)')
    .option(
      '--gross <sats>',
      'what the layperson paid for that cash (default: the same share of what was paid as of the cash)',
    )
    .addOption(
      new Option(
        '--commission <sats>',
        'the operator’s part of the sats (default: what Lamassu charged)',
      ).conflicts('rate'),
    )
    .option('--rate <rate>', 'the operator’s part as a rate of the gross, like 5.5%')
    .requiredOption('--reason <text>', 'why, for the log')
    .option('--credit', 'credit its sats to the source wallet, see docs/settlements.md')
    .option('--new-currency', 'with --external: the machine paid out this currency for the first time')
    .option('--void <id>', 'undo a settlement of which nothing is in a payout yet')
    .option('--dry-run', 'write nothing, show the division')
    .addHelpText(
      'after',
      '\nShows what Lamassu knows and how the sats will be divided, then asks. Repeating it changes nothing.\n' +
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
  void?: string;
  newCurrency?: boolean;
  dryRun?: boolean;
  [figure: string]: unknown;
}

const DRY_RUN = 'Dry run: nothing was written.';

async function run(id: string | undefined, options: Options, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { external, void: undone, dryRun = false, ...figures } = options;
  const which = [id, external, undone].filter((one) => one !== undefined);
  if (which.length !== 1) {
    throw usage(
      `ID: ${which.length === 0 ? 'no cash-out was given' : 'more than one cash-out was given'}.`,
      'Give its id in Lamassu, or use --external or --void.',
    );
  }
  const operations = await import('../operations/settlements.ts');
  if (undone !== undefined) {
    refuse(figures, NOT_WITH_VOID, '--void undoes the whole settlement; settle it again afterwards.');
    await undo(cli, undone, dryRun);
  } else if (external === undefined) {
    refuse(figures, ['newCurrency'], 'Lamassu tells it; use it only with --external.');
    const { previewSettle, settleCashOut } = operations;
    await settle(cli, previewSettle, settleCashOut, { id, ...inputOf(figures) }, dryRun);
  } else {
    const { previewExternal, settleExternal } = operations;
    await settle(cli, previewExternal, settleExternal, { reference: external, ...inputOf(figures) }, dryRun);
  }
}

/** Shows the division, and writes it once the operator agrees. */
async function settle<Input extends z.ZodType, Agreed extends z.ZodType>(
  cli: Cli,
  preview: Operation<'read', Input, typeof settlementView>,
  apply: Operation<'write', Agreed, typeof settlementView>,
  input: Record<string, unknown>,
  dryRun: boolean,
): Promise<void> {
  const { timezone } = await cli.config();
  const perform = (more: object = {}) => cli.perform(apply, { ...input, ...more } as z.input<Agreed>);
  if (cli.globals.yes && !dryRun) {
    const done = await perform();
    const text = done.already_settled
      ? settledBeforePage(done, timezone)
      : `${proposalPage(done, timezone)}\n${settledPage(done)}`;
    cli.answer(done, text);
    return;
  }
  const seen = await cli.perform(preview, input as z.input<Input>);
  if (seen.already_settled) {
    cli.answer(seen, settledBeforePage(seen, timezone));
    return;
  }
  const page = proposalPage(seen, timezone);
  if (dryRun) {
    cli.answer(seen, `${DRY_RUN}\n${page}`);
    return;
  }
  const doubt = seen.proposal?.currency_doubt ?? null;
  if (doubt !== null && input.new_currency !== true && !canAsk()) {
    const { doubtfulCurrency } = await import('../operations/settlements.ts');
    throw doubtfulCurrency(doubt);
  }
  process.stderr.write(`${page}\n`);
  await cli.confirm(settleQuestion(seen));
  const done = await perform({ digest: seen.digest, new_currency: true });
  cli.answer(done, done.already_settled ? settledBeforePage(done, timezone) : settledPage(done));
}

async function undo(cli: Cli, id: string, dryRun: boolean): Promise<void> {
  const { previewVoid, voidSettled } = await import('../operations/settlements.ts');
  const { timezone } = await cli.config();
  if (cli.globals.yes && !dryRun) {
    const done = await cli.perform(voidSettled, { id });
    cli.answer(done, `${voidPage(done, timezone)}\n${undoneLine(done.id)}`);
    return;
  }
  const { digest, ...seen } = await cli.perform(previewVoid, { id });
  const page = voidPage({ ...seen, digest }, timezone);
  if (dryRun) {
    cli.answer({ ...seen, digest }, `${DRY_RUN}\n${page}`);
    return;
  }
  process.stderr.write(`${page}\n`);
  await cli.confirm(`Undo the settlement of ${seen.id}?`);
  const done = await cli.perform(voidSettled, { id: seen.id, ...(digest !== null && { digest }) });
  cli.answer(done, undoneLine(done.id));
}

function undoneLine(id: string): string {
  return `Undone: ${id} is no longer settled.`;
}

const NOT_WITH_VOID = ['machine', 'at', 'fiat', 'gross', 'commission', 'rate', 'credit', 'newCurrency'];

function refuse(options: Record<string, unknown>, names: string[], hint: string): void {
  const given = names.find((name) => options[name] !== undefined);
  const option = given?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  if (option) throw usage(`--${option}: it has no effect here.`, hint);
}
