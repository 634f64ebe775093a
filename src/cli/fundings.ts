import { type Command, Option } from 'commander';
import type { z } from 'zod';
import { BridgeError } from '../errors.ts';
import type { Message } from '../lib/message.ts';
import type { Operation } from '../operations/operation.ts';
import type { EnteredFundingView, enteredFundingView, pastView } from '../views/fundings.ts';
import { answer, inputOf, local, print } from './call.ts';
import { reasonOption, takesNegative } from './options.ts';
import {
  addedFundingPage,
  adjustedPage,
  cancelledPage,
  confirmedPage,
  fundingPage,
  fundingsPage,
  movedFundingPage,
  pastLines,
  withdrawnPage,
} from './pages/funding.ts';
import { makeCli } from './terminal/context.ts';
import { wrapped } from './terminal/print.ts';
import { canAsk, choose } from './terminal/prompt.ts';
import { errorInWords, inCommandWords } from './terminal/words.ts';

export function register(program: Command): void {
  fill(
    program.command('fundings').description('clients’ cash, on its way or in a machine (alias: deposits)'),
  );
}

/** The same commands under the name that operators of the older extensions know. */
export function registerAlias(program: Command): void {
  fill(
    program.command('deposits', { hidden: true }).description('clients’ cash, on its way or in a machine'),
  );
}

function fill(fundings: Command): void {
  late(
    fundings
      .command('add')
      .description('add a client’s cash: on its way, or with --deposited in the machine')
      .argument('<client>', 'name of the client')
      .argument('<amount>', 'with its currency, like "3000 GTQ"')
      .addOption(
        new Option('--machine <machine>', 'it serves this machine only: device id or name').conflicts(
          'anyMachine',
        ),
      )
      .option('--any-machine', 'it serves every machine of its currency')
      .option(
        '--rate <rate>',
        "a commission rate of its own, like 5% (default: the machine's, or what Lamassu charged)",
      )
      .option('--new-currency', 'confirm a currency that no machine has paid out so far')
      .option('--deposited', 'the cash is in the machine')
      .option('--at <time>', 'since when it is in the machine (default: now)'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca fundings add alice "3000 GTQ" --deposited\n' +
        '  aio-dca fundings add bob "5000 GTQ" --machine Antigua --rate 5%\n' +
        '  aio-dca fundings add bob "500 GTQ" --any-machine --deposited --at "2026-11-20 09:30"',
    )
    .action(add);
  late(
    fundings
      .command('confirm')
      .description('confirm that cash is in the machine now, or with --at, since when')
      .argument('<id>', 'funding, like f12')
      .option('--counted <amount>', 'the counted amount, like "2950 GTQ" (default: the announced one)')
      .option('--at <time>', 'since when (default: now)'),
  )
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca fundings confirm f12 --counted "2950 GTQ"\n' +
        '  aio-dca fundings confirm f12 --at "2026-11-20 09:30" --no-past',
    )
    .action(confirm);
  reasonOption(fundings.command('cancel'))
    .description('cancel a funding: its cash did not arrive')
    .argument('<id>', 'funding, like f12')
    .addHelpText('after', '\nExample:\n  aio-dca fundings cancel f12 --reason "sent back"')
    .action(cancel);
  fundings
    .command('withdraw')
    .description('withdraw cash from the machine: all that remains, or a part of it')
    .argument('<id>', 'funding, like f12')
    .argument('[amount]', 'with its currency, like "500 GTQ" (default: all that remains)')
    .requiredOption('--reason <text>', 'why, for the log')
    .addHelpText(
      'after',
      '\nExample:\n  aio-dca fundings withdraw f12 "500 GTQ" --reason "client asked for it"',
    )
    .action(withdraw);
  fundings
    .command('adjust')
    .description('correct the amount by a difference, e.g. +50 GTQ or -50 GTQ')
    .argument('<id>', 'funding, like f12')
    .argument('<amount>', 'the difference with its currency, like "-50 GTQ"')
    .requiredOption('--reason <text>', 'why, for the log')
    .addHelpText(
      'after',
      '\nExample:\n  aio-dca fundings adjust f12 "-50 GTQ" --reason "a note was counted twice"',
    )
    .action(adjust);
  reasonOption(fundings.command('move'))
    .description('move a funding to another machine')
    .argument('<id>', 'funding, like f12')
    .addOption(
      new Option('--machine <machine>', 'it serves this machine only: device id or name').conflicts(
        'anyMachine',
      ),
    )
    .option('--any-machine', 'it serves every machine of its currency')
    .addHelpText('after', '\nExample:\n  aio-dca fundings move f12 --machine Centro')
    .action(move);
  fundings
    .command('list')
    .description('all fundings, or those of one client or status')
    .option('--client <name>', 'of this client')
    .addOption(
      new Option('--status <status>', 'in this status').choices([
        'in_flight',
        'deposited',
        'exhausted',
        'cancelled',
        'withdrawn',
      ]),
    )
    .addHelpText('after', '\nExample:\n  aio-dca fundings list --client alice')
    .action(list);
  fundings
    .command('show')
    .description('one funding and what happened to it')
    .argument('<id>', 'funding, like f12')
    .addHelpText('after', '\nExample:\n  aio-dca fundings show f12')
    .action(show);
  for (const command of fundings.commands) takesNegative(command);
}

/** Options that decide what happens to cash-outs that were divided before the cash was entered. */
function late(command: Command): Command {
  return reasonOption(command)
    .option('--from-own', "entered late: give it its part of the operator's own share in past cash-outs")
    .option('--no-past', 'entered late: leave past cash-outs as they are');
}

type Options = Record<string, unknown>;

async function list(options: Options, command: Command): Promise<void> {
  const { listAllFundings } = await import('../operations/fundings.ts');
  await answer(command, listAllFundings, inputOf(options), local(fundingsPage));
}

async function show(id: string, _options: Options, command: Command): Promise<void> {
  const { showFunding } = await import('../operations/fundings.ts');
  await answer(command, showFunding, { id }, local(fundingPage));
}

async function add(client: string, amount: string, options: Options, command: Command): Promise<void> {
  const { addOneFunding, previewAddFunding } = await import('../operations/fundings.ts');
  await enter(
    command,
    [previewAddFunding, addOneFunding],
    { client, amount, ...lateInput(options) },
    addedFundingPage,
  );
}

async function confirm(id: string, options: Options, command: Command): Promise<void> {
  const { confirmOneFunding, previewConfirmFunding } = await import('../operations/fundings.ts');
  await enter(
    command,
    [previewConfirmFunding, confirmOneFunding],
    { id, ...lateInput(options) },
    confirmedPage,
  );
}

/** commander takes `--no-past` for an option `past`. */
function lateInput({ past, ...options }: Options): Options {
  return { ...inputOf(options), no_past: past === false };
}

/**
 * Enters cash. If past cash-outs were divided without it and no option decides about them, it asks on the terminal;
 * without a terminal, the error lists them.
 */
async function enter<Input extends z.ZodType, Agreed extends z.ZodType>(
  command: Command,
  [preview, operation]: [
    Operation<'read', Input, typeof pastView>,
    Operation<'write', Agreed, typeof enteredFundingView>,
  ],
  input: Options,
  page: (view: EnteredFundingView, timezone: string) => string | Message,
): Promise<void> {
  const cli = makeCli(command);
  const perform = (given: Options) => cli.perform(operation, given as z.input<Agreed>);
  const done = await perform(input).catch(async (error: unknown) => {
    if (!(error instanceof BridgeError) || error.next?.operation !== preview.name) throw error;
    const past = await cli.perform(preview, input as z.input<Input>);
    const lines = pastLines(past, (await cli.config()).timezone);
    const told = (text: string) => [text, ...lines].join('\n');
    if (!canAsk()) throw new BridgeError(error.code, told(inCommandWords(error.text)), error.hint, error);
    process.stderr.write(`${wrapped(told(errorInWords(error).message))}\n`);
    const choice = await choose('What should happen to them?', [
      { value: 'from_own', label: "It gets its part out of the operator's own share (--from-own)" },
      { value: 'no_past', label: 'They stay as they are (--no-past)' },
    ]);
    return perform({ ...input, [choice]: true, digest: past.digest });
  });
  await print(cli, done, done, local(page));
}

async function cancel(id: string, _options: Options, command: Command): Promise<void> {
  const { cancelOneFunding } = await import('../operations/fundings.ts');
  await answer(command, cancelOneFunding, { id }, cancelledPage);
}

async function withdraw(
  id: string,
  amount: string | undefined,
  _options: Options,
  command: Command,
): Promise<void> {
  const { withdrawFromFunding } = await import('../operations/fundings.ts');
  await answer(command, withdrawFromFunding, { id, amount }, withdrawnPage);
}

async function adjust(id: string, amount: string, _options: Options, command: Command): Promise<void> {
  const { adjustOneFunding } = await import('../operations/fundings.ts');
  await answer(command, adjustOneFunding, { id, amount }, adjustedPage);
}

async function move(id: string, options: Options, command: Command): Promise<void> {
  const { moveOneFunding } = await import('../operations/fundings.ts');
  await answer(command, moveOneFunding, { id, ...inputOf(options) }, local(movedFundingPage));
}
