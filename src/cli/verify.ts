import type { Command } from 'commander';
import { answer } from './call.ts';
import { verificationPage } from './pages/verification.ts';

export function register(program: Command): void {
  program
    .command('verify')
    .description("add the ledger's books up again from their rows; exit 2 if they differ")
    .addHelpText('after', '\nExamples:\n  aio-dca verify\n  aio-dca verify --json')
    .action(async (_options: object, command: Command) => {
      const { verify } = await import('../operations/verify.ts');
      const { ok } = await answer(command, verify, {}, async (found, cli) =>
        verificationPage(found, (await cli.config()).timezone),
      );
      if (!ok) process.exitCode = 2;
    });
}
