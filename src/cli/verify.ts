import type { Command } from 'commander';
import type { Verification } from '../ledger/verify/verify.ts';
import { makeCli } from './context.ts';
import { differencesText } from './pages/differences.ts';
import { counted, wrapped } from './print.ts';

export function register(program: Command): void {
  program
    .command('verify')
    .description("add the ledger's books up again from their rows; exit 2 where they differ")
    .addHelpText('after', '\nExamples:\n  aio-dca verify\n  aio-dca verify --json')
    .action(async (_options: object, command: Command) => {
      const cli = makeCli(command);
      const { verifyLedger } = await import('../ledger/verify/verify.ts');
      const found = await cli.withLedger('read', (ledger) => verifyLedger(ledger.db));
      cli.answer(found, verifyText(found, (await cli.config()).timezone));
      if (!found.ok) process.exitCode = 2;
    });
}

function verifyText({ ok, checked, differences }: Verification, timezone: string): string {
  const rows = Object.entries(checked)
    .map(([what, count]) =>
      counted(count, what.replace('cash_outs', 'cash-outs').replaceAll('_', ' ').slice(0, -1)),
    )
    .join(', ');
  if (ok) return wrapped(`The books balance: ${rows}.`);
  return [
    wrapped(`The books do not balance: ${counted(differences.length, 'difference')} in ${rows}.`),
    differencesText(differences, timezone),
  ].join('\n');
}
