import type { Command } from 'commander';
import type { RunView } from '../views/run.ts';
import { answer } from './call.ts';
import { exitOf } from './exit-codes.ts';
import { dryRunPage, runPage } from './pages/poll.ts';

export function register(program: Command): void {
  program
    .command('poll')
    .description('one whole run: read Lamassu, distribute, pay what is due, finish what is open')
    .option('--dry-run', 'write nothing, pay nothing, show the plan')
    .addHelpText('after', '\nExamples:\n  aio-dca poll --dry-run\n  aio-dca poll --json')
    .action(async ({ dryRun }: { dryRun?: boolean }, command: Command) => {
      const { previewPoll, pollOnce } = await import('../operations/poll.ts');
      const { outcome } = dryRun
        ? await answer(command, previewPoll, {}, async (plan, cli) =>
            dryRunPage(plan, (await cli.config()).timezone),
          )
        : await answer(command, pollOnce, {}, async (run, cli) => {
            // cron mails whatever is printed. So without a terminal, a run in which nothing happened prints nothing.
            const isSilent = !process.stdout.isTTY && nothingHappened(run);
            return isSilent ? '' : runPage(run, (await cli.config()).timezone);
          });
      process.exitCode = exitOf[outcome];
    });
}

function nothingHappened({ source, distributed, payouts, outcome }: RunView): boolean {
  return outcome === 'ok' && distributed.cash_outs === 0 && source.to_review === 0 && payouts.settled === 0;
}
