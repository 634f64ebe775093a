import type { Command } from 'commander';
import { define } from './command/options.ts';
import * as copy from './ledger/copy.ts';
import * as recover from './ledger/recover.ts';
import * as source from './ledger/source.ts';

export function register(program: Command): void {
  const ledger = define(
    program,
    'ledger',
    'move the ledger, complete a restored backup, or follow a Lamassu that was moved',
  );
  for (const verb of [recover, copy, source]) verb.register(ledger);
}
