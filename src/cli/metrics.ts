import type { Command } from 'commander';
import { define } from './command/options.ts';
import { makeCli } from './terminal/context.ts';

export function register(program: Command): void {
  define(program, 'metrics', 'the ledger and the source wallet in numbers, as Prometheus text')
    .addHelpText(
      'after',
      '\nThe daemon serves the same at http://ADDRESS/metrics where [metrics] listen is set. Without a daemon, let cron ' +
        "write them for node_exporter's textfile collector.\n\nExamples:\n  aio-dca metrics\n  aio-dca metrics --json",
    )
    .action(async (_options: object, command: Command) => {
      const cli = makeCli(command);
      const { showMetrics } = await import('../operations/metrics.ts');
      const { metrics, text } = await cli.perform(showMetrics, {});
      cli.answer(metrics, text);
    });
}
