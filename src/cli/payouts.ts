import { type Command, Option } from 'commander';
import { PAYOUT_STATES } from '../views/states.ts';
import { answer, answerPage, inputOf } from './call.ts';
import { exitCodes } from './exit-codes.ts';
import { reasonOption, withLimit } from './options.ts';
import { registerOverpaid } from './overpaid.ts';
import {
  heldAllPage,
  heldPage,
  pausedPayoutsPage,
  payoutPage,
  payoutTable,
  releasedPayoutPage,
  resumedPayoutsPage,
  statePage,
} from './pages/payout.ts';
import { makeCli, usage } from './terminal/context.ts';
import { counted } from './terminal/print.ts';

export function register(program: Command): void {
  const payouts = program.command('payouts').description('payouts and their payments');
  withLimit(payouts.command('list').description('the newest payouts'))
    .addOption(new Option('--state <state>', 'only those in this state').choices(PAYOUT_STATES))
    .option('--open', 'only those that are not settled')
    .option('--client <name>', 'only those of this client or commission recipient')
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca payouts list --state held\n  aio-dca payouts list --client alice',
    )
    .action(list);
  one(payouts, 'show', 'one payout, what it pays, and its payments').action(show);
  payouts
    .command('hold')
    .description('stop paying a payout until it is released')
    .argument('[id]', 'of the payout, like p118')
    .option(
      '--all',
      'every open payout, and what is due now; `payouts pause` also stops what becomes due later',
    )
    .option('--reason <text>', 'why, for the log', 'held by hand')
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca payouts hold p118 --reason "alice asked to wait"\n' +
        '  aio-dca payouts hold --all --reason "the sums look odd"',
    )
    .action(hold);
  reasonOption(payouts.command('release'))
    .description('continue a held payout: the next run checks what was already sent')
    .argument('[id]', 'of the payout, like p118')
    .option('--all', 'every held payout, whatever the reason')
    .addHelpText('after', '\nExamples:\n  aio-dca payouts release p118\n  aio-dca payouts release --all')
    .action(release);
  reasonOption(one(payouts, 'retry', 'retry a deferred payout')).action(retry);
  one(payouts, 'resolve', 'decide what became of a payment', ' --not-paid --reason "not in the wallet"')
    .option('--payment <hash>', 'the payment, if several are open')
    .option('--paid', 'it arrived, so it is settled')
    .option('--not-paid', 'it did not arrive and never will: the next run pays again')
    .requiredOption('--reason <text>', 'how you know, for the log')
    .action(resolve);
  registerOverpaid(payouts);
  payouts
    .command('pause')
    .description('stop paying; recording goes on')
    .requiredOption('--reason <text>', 'why, for the log')
    .addHelpText('after', '\nExample:\n  aio-dca payouts pause --reason "LNbits is being moved"')
    .action(pause);
  reasonOption(payouts.command('resume'))
    .description('continue paying')
    .addHelpText('after', '\nExample:\n  aio-dca payouts resume')
    .action(resume);
}

function one(payouts: Command, verb: string, description: string, example = ''): Command {
  return payouts
    .command(verb)
    .description(description)
    .argument('<id>', 'of the payout, like p118')
    .addHelpText('after', `\nExample:\n  aio-dca payouts ${verb} p118${example}`);
}

const operations = () => import('../operations/payouts.ts');

async function list(options: object, command: Command): Promise<void> {
  const { listPayouts } = await operations();
  await answerPage(command, listPayouts, inputOf(options), async (rows, cli) =>
    payoutTable(rows, (await cli.config()).timezone),
  );
}

async function show(id: string, _options: object, command: Command): Promise<void> {
  const { showPayout } = await operations();
  await answer(command, showPayout, { id }, async (payout, cli) =>
    payoutPage(payout, (await cli.config()).timezone),
  );
}

async function hold(id: string | undefined, { all }: { all?: boolean }, command: Command): Promise<void> {
  const { holdAllPayouts, holdPayout } = await operations();
  const named = oneOrAll(id, all);
  if (named !== null) {
    await answer(command, holdPayout, { id: named }, statePage);
    return;
  }
  const { problem } = await answer(command, holdAllPayouts, {}, heldAllPage);
  if (problem) process.exitCode = exitCodes[problem.kind];
}

async function release(id: string | undefined, { all }: { all?: boolean }, command: Command): Promise<void> {
  const { previewReleaseAll, releaseAllPayouts, releasePayoutById } = await operations();
  const named = oneOrAll(id, all);
  if (named !== null) {
    await answer(command, releasePayoutById, { id: named }, statePage);
    return;
  }
  const cli = makeCli(command);
  const seen = await cli.perform(previewReleaseAll, {});
  if (seen.held.length === 0) {
    cli.answer({ released: [] }, 'No payout is held.');
    return;
  }
  if (!cli.globals.yes) process.stderr.write(`${heldPage(seen)}\n`);
  await cli.confirm(`Release ${counted(seen.held.length, 'payout')}?`);
  await answer(command, releaseAllPayouts, { digest: seen.digest }, releasedPayoutPage);
}

/** The id of one payout; null for `--all`. */
function oneOrAll(id: string | undefined, all = false): string | null {
  if (all && id !== undefined) throw usage('--all: a payout is given as well.', 'Use one of them.');
  if (!all && id === undefined) throw usage('ID: no payout was given.', 'Give one, like p118, or --all.');
  return id ?? null;
}

async function retry(id: string, _options: object, command: Command): Promise<void> {
  const { retryPayoutById } = await operations();
  await answer(command, retryPayoutById, { id }, statePage);
}

async function resolve(id: string, options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { previewResolvePayout, resolvePayout } = await import('../operations/resolve-payout.ts');
  const input = { id, ...inputOf(options) };
  if (cli.globals.yes) {
    await answer(command, resolvePayout, input, statePage);
    return;
  }
  const { question, digest } = await cli.perform(previewResolvePayout, input);
  if (question !== null) await cli.confirm(question);
  await answer(command, resolvePayout, { ...input, digest }, statePage);
}

async function pause(_options: object, command: Command): Promise<void> {
  const { pausePayouts } = await operations();
  await answer(command, pausePayouts, {}, async (view, cli) =>
    pausedPayoutsPage(view, (await cli.config()).timezone),
  );
}

async function resume(_options: object, command: Command): Promise<void> {
  const { resumePayouts } = await operations();
  await answer(command, resumePayouts, {}, resumedPayoutsPage);
}
