import type { Command } from 'commander';
import { does, unlessOk } from './command/call.ts';
import { define } from './command/options.ts';
import { backupPage } from './pages/ledger.ts';

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
    .action(does(() => import('../operations/backup.ts'), 'makeBackup', backupPage, unlessOk));
}
