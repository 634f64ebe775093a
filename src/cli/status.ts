import type { Command } from 'commander';
import { answer } from './call.ts';
import { statusPage } from './pages/status.ts';

export function register(program: Command): void {
  program
    .command('status')
    .description(
      'ledger, mark, last runs, what is owed, and what needs the operator; exit 2 while something does',
    )
    .addHelpText('after', '\nExamples:\n  aio-dca status\n  aio-dca status --json')
    .action(async (_options: object, command: Command) => {
      const { showStatus } = await import('../operations/status.ts');
      const { needs } = await answer(command, showStatus, {}, async (view, cli) =>
        statusPage(view, (await cli.config()).timezone),
      );
      if (needs.length > 0) process.exitCode = 2;
    });
}
