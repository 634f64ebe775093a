import type { Command } from 'commander';
import { asks, unlessOk } from '../command/call.ts';
import { define } from '../command/options.ts';
import { copiedPage, copyQuestion } from '../pages/ledger.ts';

export function register(ledger: Command): void {
  define(ledger, 'copy', 'move the ledger to another place, and retire the old one in the same step')
    .requiredOption(
      '--to <url>',
      'sqlite:PATH or postgresql://user@host/database; no ledger may be there yet',
    )
    .option('--to-password-file <file>', 'the password for a database on PostgreSQL')
    .addHelpText(
      'after',
      '\nNothing else can change the ledger meanwhile. If it is interrupted, the same command continues it.\n' +
        '\nExample:\n  aio-dca ledger copy --to postgresql://aio_dca@db.example.org/aio_dca --to-password-file db.password',
    )
    .action(
      asks(
        () => import('../../operations/ledger.ts'),
        ['previewCopy', 'copy'],
        copyQuestion,
        async (done, cli) => copiedPage(done, (await cli.config()).file),
        unlessOk,
      ),
    );
}
