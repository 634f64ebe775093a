import type { Command } from 'commander';
import { makeCli, untilSignal } from './context.ts';
import { exitOf } from './exit-codes.ts';
import { paidLines, pollJson } from './pages/poll.ts';
import { waitingLine } from './progress.ts';

export function register(program: Command): void {
  const fixed = program.command('fixed').description('fixed mode: paid at [fixed] times, or now');
  fixed
    .command('run')
    .description('pay now what waits in fixed mode, and whatever else is due; Lamassu is not read')
    .addHelpText(
      'after',
      '\n`run` and `poll` do it by themselves when one of [fixed] times has passed.\n\nExample:\n  aio-dca fixed run',
    )
    .action(run);
}

async function run(_options: object, command: Command): Promise<void> {
  const cli = makeCli(command);
  const config = await cli.config();
  const signal = untilSignal();
  const log = await cli.logger('fatal');
  const onWait = waitingLine(cli.globals.quiet);
  const { payFixed } = await import('../scheduler/fixed.ts');
  const report = await cli.withLedger('write', (ledger) =>
    payFixed({ ledger, config, actor: cli.actor, log, signal, onWait }),
  );
  const { source: _, distributed: __, dry_run: ___, ...json } = pollJson(report);
  cli.answer(json, paidLines(report, config.timezone).join('\n'));
  process.exitCode = exitOf[report.outcome];
}
