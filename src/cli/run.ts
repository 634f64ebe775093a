import type { Command } from 'commander';
import type { Logger } from 'pino';
import pkg from '../../package.json' with { type: 'json' };
import type { Config } from '../config/load.ts';
import { type Cli, makeCli, untilSignal } from './context.ts';

export function register(program: Command): void {
  program
    .command('run')
    .description('the daemon: polls at start and on schedule, until SIGTERM or SIGINT')
    .addHelpText(
      'after',
      '\nPolls on [schedule] poll and at [fixed] times, in the configured time zone. Read the configuration again by\n' +
        'starting it anew.\n\nExample:\n  aio-dca run',
    )
    .action(async (_options: object, command: Command) => {
      const cli = makeCli(command);
      const config = await cli.config();
      const log = await cli.logger(config.log.level);
      const signal = untilSignal();
      const { runDaemon } = await import('../scheduler/daemon.ts');
      const { notifySystemd } = await import('../monitoring/systemd.ts');
      const watched = config.metrics.listen
        ? await serve(config.metrics.listen, cli, config, log)
        : undefined;
      // One after the other: each is a process of its own, and systemd counts the last word.
      let told = Promise.resolve();
      const tell = (state: Parameters<typeof notifySystemd>[0]) => {
        told = told.then(() => notifySystemd(state, process.env, log));
      };
      signal.addEventListener('abort', () => tell('STOPPING=1'));
      try {
        await runDaemon({
          config,
          actor: cli.globals.actor ?? 'daemon',
          log,
          signal,
          withLedger: (work) => cli.withLedger('write', work),
          onReady: () => tell('READY=1'),
          ...(watched && { onRun: watched.onRun }),
        });
      } finally {
        await watched?.close();
        await told;
      }
    });
}

/** The metrics of the ledger and of this daemon's runs at `listen`. */
async function serve(listen: string, cli: Cli, config: Config, log: Logger) {
  const { countRuns } = await import('../monitoring/run-metrics.ts');
  const { ledgerMetrics, together } = await import('../monitoring/metrics.ts');
  const { serveMetrics } = await import('../monitoring/metrics-server.ts');
  const { registry: runs, onRun } = countRuns();
  const read = async () => {
    const ledger = await cli.withLedger('read', (open) => ledgerMetrics(open, config, pkg.version));
    return await together([ledger, runs]);
  };
  let ended = 0;
  return {
    onRun: (run: Parameters<typeof onRun>[0]) => {
      onRun(run);
      ended += 1;
    },
    close: await serveMetrics(listen, read, log, () => ended),
  };
}
