import type { Command } from 'commander';
import type { PollReport } from '../scheduler/report.ts';
import { makeCli, untilSignal } from './context.ts';
import { exitOf } from './exit-codes.ts';
import { planJson, planText, pollJson, pollText } from './pages/poll.ts';
import { waitingLine } from './progress.ts';

export function register(program: Command): void {
  program
    .command('poll')
    .description('one whole run: read Lamassu, distribute, pay what is due, finish what is open')
    .option('--dry-run', 'write nothing, pay nothing, show the plan')
    .addHelpText('after', '\nExamples:\n  aio-dca poll --dry-run\n  aio-dca poll --json')
    .action(async (options: { dryRun?: boolean }, command: Command) => {
      const cli = makeCli(command);
      const config = await cli.config();
      const signal = untilSignal();
      // What went wrong is in the answer; told twice it would also be mailed twice.
      const log = await cli.logger('fatal');
      if (options.dryRun) {
        const { dryRun } = await import('../scheduler/dry-run.ts');
        const plan = await cli.withLedger('read', (ledger) =>
          dryRun({ ledger, config, actor: cli.actor, log, signal }),
        );
        cli.answer(planJson(plan), planText(plan, config.timezone));
        process.exitCode = exitOf[plan.report.outcome];
        return;
      }
      const onWait = waitingLine(cli.globals.quiet);
      const { poll } = await import('../scheduler/poll.ts');
      const report = await cli.withLedger('write', (ledger) =>
        poll({ ledger, config, actor: cli.actor, log, signal, onWait }),
      );
      // Cron mails whatever is printed: without a terminal a run in which nothing happened says nothing.
      const silent = !process.stdout.isTTY && nothingHappened(report);
      cli.answer(pollJson(report), silent ? '' : pollText(report, config.timezone));
      process.exitCode = exitOf[report.outcome];
    });
}

function nothingHappened({ source, distributed, payouts, outcome }: PollReport): boolean {
  return outcome === 'ok' && distributed.cashOuts === 0 && source.toReview === 0 && payouts.settled === 0;
}
