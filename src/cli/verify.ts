import type { Command } from 'commander';
import type { Verification } from '../ledger/verify.ts';
import { makeCli } from './context.ts';
import { differencesText } from './differences.ts';

export function register(program: Command): void {
  program
    .command('verify')
    .description("add the ledger's books up again from their rows; exit 2 where they differ")
    .addHelpText('after', '\nExamples:\n  aio-dca verify\n  aio-dca verify --json')
    .action(async (_options: object, command: Command) => {
      const cli = makeCli(command);
      const { verifyLedger } = await import('../ledger/verify.ts');
      const found = await cli.withLedger('read', (ledger) => verifyLedger(ledger.db));
      cli.answer(found, verifyText(found));
      if (!found.ok) process.exitCode = 2;
    });
}

function verifyText({ ok, checked, differences }: Verification): string {
  const counted = Object.entries(checked).map(([what, rows]) => `${rows} ${what.replaceAll('_', ' ')}`);
  if (ok) return `The books balance: ${counted.join(', ')}.`;
  return [
    `The books do not balance: ${differences.length} differences in ${counted.join(', ')}.`,
    differencesText(differences),
  ].join('\n');
}
