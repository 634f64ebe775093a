import * as z from 'zod';
import { BridgeError } from '../errors.ts';
import { openLedger } from '../ledger/store/open.ts';
import { notifySystemd } from '../monitoring/systemd.ts';
import { LEDGER } from './errors.ts';
import { operation } from './operation.ts';
import { shareLedger } from './shared-ledger.ts';

/**
 * Serves what the `doors` of the session start, until the stop signal, and tells systemd. Throws the error of opening
 * the ledger if no retry helps; a database that does not answer now is asked again with each request.
 */
export const keepServing = operation({
  name: 'serve',
  needs: 'config',
  may: [],
  errors: [...LEDGER, 'web/listen', 'web/no-site'],
  input: z.strictObject({}),
  view: z.object({}),
  run: async ({ config, clock, logger, stopSignal, env, doors }) => {
    const log = await logger(config.log.level);
    const signal = stopSignal();
    const shared = shareLedger(() => openLedger({ ...config.ledger, clock, use: 'write' }), clock);
    const serving = { config, clock, log, signal, env, withLedger: shared.withLedger };
    const stops: (() => Promise<void>)[] = [];
    try {
      await shared
        .withLedger('read', async () => {})
        .catch((error: unknown) => {
          if (!(error instanceof BridgeError) || error.kind === 'misconfigured') throw error;
          log.error({ err: error }, 'the ledger cannot be opened now');
        });
      for (const start of doors) stops.push(await start(serving));
      await notifySystemd('READY=1', env, log);
      await aborted(signal);
      log.info('asked to stop: what is under way is finished first');
      await notifySystemd('STOPPING=1', env, log);
    } finally {
      for (const stop of stops.reverse()) await stop();
      await shared.close();
    }
    return {};
  },
});

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
