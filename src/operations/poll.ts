import * as z from 'zod';
import { dryRun } from '../scheduler/dry-run.ts';
import { payFixed } from '../scheduler/fixed.ts';
import { poll } from '../scheduler/poll.ts';
import { dryRunView, paidView, runView, viewOfDryRun, viewOfRun } from '../views/run.ts';
import { LEASE, LEDGER } from './errors.ts';
import { assertSameFirstReading, FIRST_READING } from './first-reading.ts';
import { operation } from './operation.ts';

/* One run from end to end, its dry run, and its paying half. Problems are part of the view. */

export const pollOnce = operation({
  name: 'poll',
  needs: 'config',
  may: [],
  errors: [
    ...LEDGER,
    ...LEASE,
    ...FIRST_READING,
    'ledger/restored',
    'ledger/in-use-elsewhere',
    'usage/changed',
  ],
  /** `digest`: of `poll.preview_first`. */
  input: z.strictObject({ digest: z.string().optional() }),
  view: runView,
  run: async ({ config, clock, who, withLedger, logger, stopSignal, onWait }, { digest }) => {
    const signal = stopSignal();
    // Cron would mail a problem twice that is both logged and printed.
    const log = await logger('fatal');
    return viewOfRun(
      await withLedger('write', async (ledger) => {
        await assertSameFirstReading({ config, clock, ledger, who }, digest);
        return poll({ ledger, config, who, log, signal, onWait });
      }),
      config.payouts.minimumSats,
    );
  },
});

/** Nothing is written and nothing is paid. */
export const previewPoll = operation({
  name: 'poll.preview',
  needs: 'config',
  may: [],
  errors: [...LEDGER, 'ledger/currency', 'ledger/source-differs'],
  input: z.strictObject({}),
  view: dryRunView,
  run: async ({ config, withLedger, stopSignal }) => {
    const signal = stopSignal();
    return viewOfDryRun(
      await withLedger('read', (ledger) => dryRun({ ledger, config, signal })),
      config.payouts.minimumSats,
    );
  },
});

/** Pays what waits in fixed mode, and whatever else is due. Lamassu is not read. */
export const runFixed = operation({
  name: 'fixed.run',
  needs: 'config',
  may: [],
  errors: [...LEDGER, ...LEASE, 'payouts/paused'],
  input: z.strictObject({}),
  view: paidView,
  run: async ({ config, who, withLedger, logger, stopSignal, onWait }) => {
    const signal = stopSignal();
    const log = await logger('fatal');
    return viewOfRun(
      await withLedger('write', (ledger) => payFixed({ ledger, config, who, log, signal, onWait })),
      config.payouts.minimumSats,
    );
  },
});
