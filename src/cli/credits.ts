import { type Command, Option } from 'commander';
import { CREDIT_STATES } from '../views/states.ts';
import { answer, answerPage, inputOf } from './call.ts';
import { withLimit } from './options.ts';
import { creditPage, creditTable } from './pages/credit.ts';
import { makeCli } from './terminal/context.ts';

export function register(program: Command): void {
  const credits = program
    .command('credits')
    .description('what LNbits’ superuser put into the source wallet ([lnbits] credit_source)');
  withLimit(credits.command('list').description('the newest credits'))
    .addOption(new Option('--state <state>', 'only those in this state').choices(CREDIT_STATES))
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
    .description('decide a held credit, or give up one that was not sent')
    .argument('<id>', 'of the credit, like c3')
    .option('--credited', 'it is in the source wallet')
    .option(
      '--payment <hash>',
      'the “Admin credit” in the source wallet that is this credit; with --not-credited, one that is not',
    )
    .option('--not-credited', 'it is not there and never will be: the next run credits its cash-outs again')
    .requiredOption('--reason <text>', 'how you know, for the log')
    .addHelpText(
      'after',
      '\nExamples:\n  aio-dca credits resolve c3 --credited --payment 9f…c2 --reason "the other one was my top-up"\n' +
        '  aio-dca credits resolve c3 --not-credited --reason "LNbits shows none"\n' +
        '  aio-dca credits resolve c4 --not-credited --reason "crediting is off, I fill the wallet myself"',
    )
    .action(resolve);
}

async function list(options: object, command: Command): Promise<void> {
  const { listCredits } = await import('../operations/credits.ts');
  await answerPage(command, listCredits, inputOf(options), async (rows, cli) =>
    creditTable(rows, (await cli.config()).timezone),
  );
}

async function show(id: string, _options: object, command: Command): Promise<void> {
  const { showCredit } = await import('../operations/credits.ts');
  await answer(command, showCredit, { id }, async (credit, cli) =>
    creditPage(credit, (await cli.config()).timezone),
  );
}

async function resolve(id: string, options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { previewResolveCredit, resolveCredit } = await import('../operations/resolve-credit.ts');
  const input: Record<string, unknown> & { id: string } = { id, ...inputOf(options) };
  if (!cli.globals.yes) {
    const { question, digest } = await cli.perform(previewResolveCredit, input);
    await cli.confirm(question);
    input.digest = digest;
  }
  await answer(command, resolveCredit, input, async (credit) =>
    creditPage(credit, (await cli.config()).timezone),
  );
}
