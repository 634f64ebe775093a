import type { Command } from 'commander';
import { does, local, unlessOk } from './command/call.ts';
import { define } from './command/options.ts';
import { verificationPage } from './pages/verification.ts';

export function register(program: Command): void {
  define(
    program,
    'verify',
    "add the ledger's books up again from their rows; exit 2 if they differ",
    'verify',
    'verify --json',
  ).action(does(() => import('../operations/verify.ts'), 'verify', local(verificationPage), unlessOk));
}
