import type { Command } from 'commander';
import type { RunView } from '../views/run.ts';
import { does, local, unlessDry } from './command/call.ts';
import { exitOf } from './command/exit-codes.ts';
import { define } from './command/options.ts';
import { dryRunPage, runPage } from './pages/poll.ts';

const operations = () => import('../operations/poll.ts');
const exitCode = ({ outcome }: Pick<RunView, 'outcome'>) => exitOf[outcome];

export function register(program: Command): void {
  define(
    program,
    'poll',
    'one whole run: read Lamassu, distribute, pay what is due, finish what is open',
    'poll --dry-run',
    'poll --json',
  )
    .option('--dry-run', 'write nothing, pay nothing, show the plan')
    .action(
      unlessDry(
        does(operations, 'previewPoll', local(dryRunPage), exitCode),
        does(operations, 'pollOnce', local(unlessSilent), exitCode),
      ),
    );
}

/** cron mails whatever is printed. So without a terminal, a run in which nothing happened prints nothing. */
function unlessSilent(run: RunView, timezone: string): string {
  const { source, distributed, payouts, outcome } = run;
  const nothingHappened =
    outcome === 'ok' && distributed.cash_outs === 0 && source.to_review === 0 && payouts.settled === 0;
  return !process.stdout.isTTY && nothingHappened ? '' : runPage(run, timezone);
}
