import type { Command } from 'commander';
import { does } from './command/call.ts';
import { define } from './command/options.ts';
import { migratedPage } from './pages/ledger.ts';

export function register(program: Command): void {
  define(program, 'migrate', 'create the ledger, or bring its schema up to date', 'migrate').action(
    does(() => import('../operations/migrate.ts'), 'migrate', migratedPage),
  );
}
