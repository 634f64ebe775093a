import type { Command } from 'commander';
import { does } from './command/call.ts';
import { define } from './command/options.ts';

export function register(program: Command): void {
  define(program, 'migrate', 'create the ledger, or bring its schema up to date', 'migrate').action(
    does(
      () => import('../operations/migrate.ts'),
      'migrate',
      ({ ledger: { id, url, schema } }) => `Ledger ${id} at ${url} has schema ${schema}.`,
    ),
  );
}
