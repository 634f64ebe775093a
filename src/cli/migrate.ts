import type { Command } from 'commander';
import { makeCli } from './context.ts';

export function register(program: Command): void {
  program
    .command('migrate')
    .description('create the ledger, or bring its schema up to date')
    .addHelpText('after', '\nExample:\n  aio-dca migrate')
    .action(async (_options: object, command: Command) => {
      const cli = makeCli(command);
      await cli.withLedger('create', async ({ id, url, schema }) => {
        cli.answer({ ledger: { id, url, schema } }, `Ledger ${id} at ${url} has schema ${schema}.`);
      });
    });
}
