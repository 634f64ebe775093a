import type { Command } from 'commander';
import { answer } from './call.ts';
import { exitOf } from './exit-codes.ts';
import { paidLines } from './pages/poll.ts';

export function register(program: Command): void {
  const fixed = program.command('fixed').description('fixed mode: paid at [fixed] times, or now');
  fixed
    .command('run')
    .description('pay now what waits in fixed mode and what else is due; does not read Lamassu')
    .addHelpText(
      'after',
      '\n`run` and `poll` do this automatically at each of [fixed] times.\n\nExample:\n  aio-dca fixed run',
    )
    .action(run);
}

async function run(_options: object, command: Command): Promise<void> {
  const { runFixed } = await import('../operations/poll.ts');
  const { outcome } = await answer(command, runFixed, {}, async (paid, cli) =>
    paidLines(paid, (await cli.config()).timezone).join('\n'),
  );
  process.exitCode = exitOf[outcome];
}
