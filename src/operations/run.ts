import type { Logger } from 'pino';
import { z } from 'zod';
import pkg from '../../package.json' with { type: 'json' };
import type { Config } from '../config/load.ts';
import { ledgerMetrics, together } from '../monitoring/metrics.ts';
import { serveMetrics } from '../monitoring/metrics-server.ts';
import { countRuns } from '../monitoring/run-metrics.ts';
import { notifySystemd } from '../monitoring/systemd.ts';
import { type RunSeen, runDaemon } from '../scheduler/daemon.ts';
import type { Clock } from '../time.ts';
import { operation, type Session } from './operation.ts';

/**
 * Polls at once and then on schedule until the stop signal, tells systemd how it stands, and serves the metrics where
 * `[metrics] listen` says so. What goes wrong in a run is logged. Errors: `metrics/listen`, and that of a first run which
 * no retry helps.
 */
export const keepRunning = operation({
  name: 'run',
  needs: 'config',
  may: [],
  input: z.object({}),
  view: z.object({}),
  run: async ({ config, clock, who: { actor }, withLedger, logger, stopSignal, env }) => {
    const log = await logger(config.log.level);
    const signal = stopSignal();
    const { listen } = config.metrics;
    const watched = listen ? await serve(listen, withLedger, config, { log, clock }) : undefined;
    // One after the other: each is a process of its own, and systemd counts the last word.
    let told = Promise.resolve();
    const tell = (state: Parameters<typeof notifySystemd>[0]) => {
      told = told.then(() => notifySystemd(state, env, log));
    };
    signal.addEventListener('abort', () => tell('STOPPING=1'));
    try {
      await runDaemon({
        ...{ config, clock, actor, log, signal },
        withLedger: (work) => withLedger('write', work),
        onReady: () => tell('READY=1'),
        ...(watched && { onRun: watched.onRun }),
      });
    } finally {
      await watched?.close();
      await told;
    }
    return {};
  },
});

/** The metrics of the ledger and of this daemon's runs at `listen`. */
async function serve(
  listen: string,
  withLedger: Session['withLedger'],
  config: Config,
  by: { log: Logger; clock: Clock },
) {
  const { registry: runs, onRun } = countRuns();
  const read = async () => {
    const ledger = await withLedger('read', (open) => ledgerMetrics(open, config, pkg.version));
    return together([ledger, runs]);
  };
  let ended = 0;
  return {
    onRun: (run: RunSeen) => {
      onRun(run);
      ended += 1;
    },
    close: await serveMetrics(listen, read, by, () => ended),
  };
}
