import { Readable } from 'node:stream';
import { type Command, Option } from 'commander';
import { define } from '../command/options.ts';
import { makeCli } from '../terminal/context.ts';
import { toStdout } from '../terminal/stdout.ts';

export function register(clients: Command): void {
  define(
    clients,
    'statement',
    'what happened to one client’s cash and sats in a month; for the client',
    'clients statement alice --month 2026-11',
    'clients statement alice --month 2026-11 --format html --lang es > alice.html',
  )
    .argument('<name>')
    .requiredOption('--month <month>', 'a local month, like 2026-11')
    .addOption(
      new Option('--format <format>', 'html is one page to print (default: text)').choices([
        'text',
        'csv',
        'html',
      ]),
    )
    .addOption(new Option('--lang <language>', 'English or Spanish').choices(['en', 'es']).default('en'))
    .action(statement);
}

interface StatementOptions {
  month: string;
  format?: 'text' | 'csv' | 'html';
  lang: 'en' | 'es';
}

async function statement(name: string, options: StatementOptions, command: Command): Promise<void> {
  const { showStatement } = await import('../../operations/statements.ts');
  const { month, format, lang } = options;
  const cli = makeCli(command);
  const { json = false, quiet = false } = cli.globals;
  const asked = json ? format : (format ?? 'text');
  const view = await cli.perform(showStatement, { name, month, lang, ...(asked && { format: asked }) });
  if (json) cli.answer(view, '');
  else if (!quiet) await toStdout(Readable.from([view.document ?? '']));
}
