import type { Command } from 'commander';
import { asks, does, local, unlessDry } from '../command/call.ts';
import { define, reasonNeeded } from '../command/options.ts';
import { sourcePage, sourceQuestion } from '../pages/ledger.ts';

const operations = () => import('../../operations/ledger.ts');

export function register(ledger: Command): void {
  const source = define(
    ledger,
    'source',
    'bind the ledger to a Lamassu database that was upgraded, restored or moved',
  ).requiredOption('--accept <id>', 'its PostgreSQL system identifier, as the run that refused it shows it');
  reasonNeeded(source)
    .option('--dry-run', 'compare, but write nothing')
    .addHelpText(
      'after',
      '\nCompares everything that the ledger distributed with that database, and refuses if any of it is missing or different. ' +
        'Asks before it writes.\n' +
        '\nExample:\n  aio-dca ledger source --accept 7437521938471234567 --reason "PostgreSQL 12 to 15"',
    )
    .action(
      unlessDry(
        does(operations, 'previewSource', local(sourcePage)),
        asks(
          operations,
          ['previewSource', 'acceptSource'],
          local((seen, timezone) => (seen.was === seen.is ? null : sourceQuestion(seen, timezone))),
          local(sourcePage),
        ),
      ),
    );
}
