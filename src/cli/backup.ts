import type { Command } from 'commander';
import { groupDigits } from '../dca/money.ts';
import { call, message } from '../lib/message.ts';
import { does, unlessOk } from './command/call.ts';
import { define } from './command/options.ts';
import { fitted } from './terminal/wrap.ts';

export function register(program: Command): void {
  define(program, 'backup', 'copy a SQLite ledger that may be in use into a new file, and check the copy')
    .argument('<file>', 'a file that does not exist yet, or a folder: the name then has the date')
    .option('--keep <days>', 'in a folder: keep the newest days, and remove older copies of this ledger')
    .addHelpText(
      'after',
      '\nThe copy holds the clients’ invoice keys, so only you can read it. To restore it, see docs/operations.md.\n' +
        'Older copies are removed only when the new one is complete and its books balance.\n' +
        '\nExamples:\n  aio-dca backup /var/backups/aio-dca/before-upgrade.sqlite' +
        '\n  aio-dca backup /var/backups/aio-dca --keep 30',
    )
    .action(
      does(
        () => import('../operations/backup.ts'),
        'makeBackup',
        (made) => {
          const copied = `Copied ledger ${made.ledger.id} to ${made.file}`;
          return made.ok
            ? fitted(
                `${copied} (${groupDigits(`${made.bytes}`)} bytes); the copy is sound and its books balance.${removed(made.removed)}`,
                '  ',
              )
            : message`${copied}, but its books do not balance: run ${call('verify')}.`;
        },
        unlessOk,
      ),
    );
}

function removed({ length }: string[]): string {
  return length === 0 ? '' : ` Removed ${length} older ${length === 1 ? 'copy' : 'copies'}.`;
}
