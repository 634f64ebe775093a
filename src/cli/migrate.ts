import type { Command } from 'commander';
import { answer } from './call.ts';

export function register(program: Command): void {
  program
    .command('migrate')
    .description('create the ledger, or bring its schema up to date')
    .addHelpText('after', '\nExample:\n  aio-dca migrate')
    .action(async (_options: object, command: Command) => {
      const { migrate } = await import('../operations/migrate.ts');
      await answer(
        command,
        migrate,
        {},
        ({ ledger: { id, url, schema } }) => `Ledger ${id} at ${url} has schema ${schema}.`,
      );
    });
}
