import type { Command } from 'commander';
import { call, message } from '../lib/message.ts';
import { answer } from './call.ts';

export function register(program: Command): void {
  program
    .command('backup')
    .description('copy a SQLite ledger that may be in use into a new file, and check the copy')
    .argument('<file>', 'a file that does not exist yet')
    .addHelpText(
      'after',
      '\nThe copy holds the clients’ invoice keys, so only you can read it. To restore it, see docs/operations.md.\n' +
        '\nExample:\n  aio-dca backup /var/backups/aio-dca/$(date +%F).sqlite',
    )
    .action(async (file: string, _options: object, command: Command) => {
      const { makeBackup } = await import('../operations/backup.ts');
      const { ok } = await answer(command, makeBackup, { file }, (made) => {
        const copied = `Copied ledger ${made.ledger.id} to ${made.file}`;
        return made.ok
          ? `${copied} (${made.bytes} bytes); the copy is sound and its books balance.`
          : message`${copied}, but its books do not balance: run ${call('verify')}.`;
      });
      if (!ok) process.exitCode = 2;
    });
}
