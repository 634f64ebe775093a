import type { Logger } from 'pino';
import * as z from 'zod';
import pkg from '../../package.json' with { type: 'json' };
import { ledgerMetrics, together } from '../monitoring/metrics.ts';
import { serveMetrics } from '../monitoring/metrics-server.ts';
import type { OverviewConfig } from '../monitoring/overview.ts';
import { countRuns } from '../monitoring/run-metrics.ts';
import { notifySystemd } from '../monitoring/systemd.ts';
import { type RunSeen, runDaemon } from '../scheduler/daemon.ts';
import type { Clock } from '../time.ts';
import { LEDGER, LNBITS, SOURCE_ERRORS } from './errors.ts';
import { operation, type Session } from './operation.ts';

/**
 * Polls at once and then on schedule until the stop signal, notifies systemd, and serves the metrics at `[metrics]
 * listen`, if set. The errors of a run are logged. Throws `metrics/listen`, and the error of a first run if no retry
 * helps.
 */
export const keepRunning = operation({
  name: 'run',
  needs: 'config',
  may: [],
  errors: [
    ...LEDGER,
    ...LNBITS,
    ...SOURCE_ERRORS,
    'ledger/no-clients',
    'ledger/currency',
    'ledger/restored',
    'ledger/in-use-elsewhere',
    'ledger/wallet-differs',
    'lnbits/restored',
    'lnbits/superuser',
    'metrics/listen',
  ],
  input: z.strictObject({}),
  view: z.object({}),
  run: async ({ config, clock, who, withLedger, logger, stopSignal, env }) => {
    const log = await logger(config.log.level);
    const signal = stopSignal();
    const { listen } = config.metrics;
    const watched = listen ? await serve(listen, withLedger, config, { log, clock }) : undefined;
    // One after the other: each is its own process, and systemd keeps the last one.
    let told = Promise.resolve();
    const tell = (state: Parameters<typeof notifySystemd>[0]) => {
      told = told.then(() => notifySystemd(state, env, log));
    };
    signal.addEventListener('abort', () => tell('STOPPING=1'));
    try {
      await runDaemon({
        ...{ config, clock, who, log, signal },
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

/** Serves the metrics of the ledger and of this daemon's runs at `listen`. */
async function serve(
  listen: string,
  withLedger: Session['withLedger'],
  config: OverviewConfig,
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
