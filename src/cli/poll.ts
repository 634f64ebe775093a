import type { Command } from 'commander';
import type { FirstReadingView } from '../views/first-reading.ts';
import type { DryRunView, RunView } from '../views/run.ts';
import { type Action, asks, does, local, type Text, unlessDry } from './command/call.ts';
import { exitOf } from './command/exit-codes.ts';
import { define } from './command/options.ts';
import { canAsk } from './terminal/prompt.ts';

const operations = async () => ({
  ...(await import('../operations/poll.ts')),
  ...(await import('../operations/first-reading.ts')),
});
const pages = () => import('./pages/poll.ts');
const dryRun = async (view: DryRunView, timezone: string) => (await pages()).dryRunPage(view, timezone);
const question = async (seen: FirstReadingView, timezone: string) =>
  (await import('./pages/first-reading.ts')).firstReadingQuestion(seen, timezone);
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
        does(operations, 'previewPoll', local(dryRun), exitCode),
        ifAsked(
          asks(
            operations,
            ['previewFirstReading', 'pollOnce'],
            local(question),
            local(unlessSilent),
            exitCode,
          ),
          does(operations, 'pollOnce', local(unlessSilent), exitCode),
        ),
      ),
    );
}

/**
 * On a terminal, asks before the first run makes past cash-outs the operator's own share. Without a terminal, and with
 * `--yes`, nothing is asked: a timer is never stopped by it.
 */
function ifAsked(ask: Action, run: Action): Action {
  return (...all) => (canAsk() ? ask : run)(...all);
}

/** cron mails whatever is printed. So without a terminal, a run in which nothing happened prints nothing. */
async function unlessSilent(run: RunView, timezone: string): Promise<Text> {
  const { source, distributed, payouts, outcome } = run;
  const nothingHappened =
    outcome === 'ok' && distributed.cash_outs === 0 && source.to_review === 0 && payouts.settled === 0;
  return !process.stdout.isTTY && nothingHappened ? '' : (await pages()).runPage(run, timezone);
}
