import type { Command } from 'commander';
import { inputOf } from './command/call.ts';
import { define, withRange } from './command/options.ts';
import { entries } from './pages/log.ts';
import { makeCli } from './terminal/context.ts';
import { escapedJson } from './terminal/json.ts';
import { toStdout } from './terminal/stdout.ts';

export function register(program: Command): void {
  withRange(define(program, 'log', 'every change of the ledger by an operator or a run, oldest first'))
    .option('--actor <name>', 'only changes by this operator, timer or daemon')
    .option(
      '--subject <what>',
      'only changes of this client (with fundings and payouts), f12, p118, cash-out or machine',
    )
    .addHelpText(
      'after',
      '\nWith --json the entries have the columns of `aio-dca export changes`.\n\nExamples:\n' +
        '  aio-dca log --from 2026-11-20\n  aio-dca log --subject f12\n  aio-dca log --actor dora --json',
    )
    .action(list);
}

async function list(_options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const { timezone } = await cli.config();
  const { listLog } = await import('../operations/log.ts');
  // Elsewhere `--actor` names who acts. Reading changes nothing, so here it selects changes by actor.
  const { actor, json = false } = cli.globals;
  await cli.perform(
    listLog,
    { ...inputOf(command), actor },
    { take: ({ pages, text }) => toStdout(json ? escaped(text()) : entries(pages, timezone)) },
  );
}

async function* escaped(pieces: AsyncIterable<string>): AsyncGenerator<string, void> {
  for await (const piece of pieces) yield escapedJson(piece);
}
