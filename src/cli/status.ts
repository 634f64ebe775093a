import type { Command } from 'commander';
import pkg from '../../package.json' with { type: 'json' };
import { now } from '../time.ts';
import { makeCli } from './context.ts';
import { needsPerson, type StatusView, statusJson, statusText } from './pages/status.ts';

export function register(program: Command): void {
  program
    .command('status')
    .description(
      'ledger, mark, last runs, what is owed, and what needs a person; exit 2 while something does',
    )
    .addHelpText('after', '\nExamples:\n  aio-dca status\n  aio-dca status --json')
    .action(async (_options: object, command: Command) => {
      const cli = makeCli(command);
      const config = await cli.config();
      const view = await cli.withLedger('read', async (ledger): Promise<StatusView> => {
        const { brokenOff, currentRun } = await import('../ledger/runs/lease.ts');
        const { overview, shortSats } = await import('../monitoring/overview.ts');
        const { sourceBalance } = await import('../monitoring/source-balance.ts');
        const { startProblem } = await import('../lamassu/start.ts');
        const { bestTime } = await import('../ledger/runs/clocks.ts');
        const at = now();
        const asked = sourceBalance(config);
        const view = await overview(ledger.db, config, at);
        const source = await asked;
        return {
          ...view,
          version: pkg.version,
          ledger: { id: ledger.id, url: ledger.url, schema: ledger.schema },
          running: (await currentRun(ledger.db)) ?? null,
          brokenOff: await brokenOff(ledger.db),
          source,
          short: shortSats(view, source),
          start: {
            at: config.lamassu.startAt,
            problem: startProblem(
              config.lamassu.startAt,
              await bestTime(ledger.db),
              view.status.mark === null,
            ),
          },
          creditSource: config.lnbits.creditSource,
          now: at,
        };
      });
      cli.answer(statusJson(view), statusText(view, config.timezone));
      if (needsPerson(view)) process.exitCode = 2;
    });
}
