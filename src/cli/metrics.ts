import type { Command } from 'commander';
import pkg from '../../package.json' with { type: 'json' };
import { makeCli } from './context.ts';

export function register(program: Command): void {
  program
    .command('metrics')
    .description('the ledger and the source wallet in numbers, as Prometheus text')
    .addHelpText(
      'after',
      '\nThe daemon serves the same at http://ADDRESS/metrics where [metrics] listen is set. Without a daemon, let cron\n' +
        "write them for node_exporter's textfile collector.\n\nExamples:\n  aio-dca metrics\n  aio-dca metrics --json",
    )
    .action(async (_options: object, command: Command) => {
      const cli = makeCli(command);
      const config = await cli.config();
      const { ledgerMetrics } = await import('../monitoring/metrics.ts');
      const registry = await cli.withLedger('read', (ledger) => ledgerMetrics(ledger, config, pkg.version));
      const json = (await registry.getMetricsAsJSON()).map(({ name, help, type, values }) => ({
        name,
        help,
        type,
        values: values.map(({ labels, value }) => ({ labels, value })),
      }));
      cli.answer(json, (await registry.metrics()).trimEnd());
    });
}
