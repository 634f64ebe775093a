import type { Command } from 'commander';
import { makeCli } from './context.ts';

export function register(program: Command): void {
  program
    .command('backup')
    .description('copy a SQLite ledger that may be in use into a new file, and check the copy')
    .argument('<file>', 'a file that does not exist yet')
    .addHelpText(
      'after',
      '\nIt holds the invoice keys of the clients, and is made readable by you only. How to put it back: docs/operations.md.\n' +
        '\nExample:\n  aio-dca backup /var/backups/aio-dca/$(date +%F).sqlite',
    )
    .action(async (file: string, _options: object, command: Command) => {
      const cli = makeCli(command);
      const { backupLedger } = await import('../ledger/store/backup.ts');
      const made = await cli.withLedger('read', ({ url }) => backupLedger(url, file));
      const { bytes, ledger, verification } = made;
      cli.answer(
        { file: made.file, bytes, ledger, ...verification },
        verification.ok
          ? `Copied ledger ${ledger.id} to ${made.file} (${bytes} bytes); the copy is sound and its books balance.`
          : `Copied ledger ${ledger.id} to ${made.file}, but its books do not balance: run \`aio-dca verify\`.`,
      );
      if (!verification.ok) process.exitCode = 2;
    });
}
