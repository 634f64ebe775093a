import { BridgeError } from '../errors.ts';
import { markOf } from '../ledger/cash-outs/watermark.ts';
import { pauseOf } from '../ledger/payouts/pause.ts';
import { withLease } from '../ledger/runs/lease.ts';
import { readNames } from '../ledger/store/names-by-id.ts';
import type { Db } from '../ledger/store/open.ts';
import { call, message } from '../lib/message.ts';
import { formOptions, waitsNow } from './due.ts';
import { endOfLog, lastReport, newsOf, payoutsNeedingPeople } from './new-since.ts';
import { pausedSats } from './paused-sats.ts';
import { pay } from './pay-due.ts';
import { logsPayouts, type PollDeps, waits } from './poll.ts';
import { conclude, noRunTotals, outcomeOf, type PollReport, summaryOf } from './report.ts';
import { emptyReport } from './setup.ts';

/**
 * The paying half of a run, with everything in fixed mode due now. Does not read Lamassu.
 * Throws `payouts/paused`, and as `poll` does `run/busy`, `run/lost-lease`, and failures of the ledger.
 */
export async function payFixed({ ledger, config, who, log, signal, onWait }: PollDeps): Promise<PollReport> {
  await refusePaused(ledger.db);
  const startedAt = ledger.clock.now();
  const last = await lastReport(ledger.db);
  return withLease(ledger, { kind: 'fixed', who, outcomeOf }, async (run) => {
    log.info({ run: `r${run.id}` }, 'run of fixed mode begins');
    const problems: BridgeError[] = [];
    const payouts = await pay({
      ledger,
      config,
      run,
      signal: AbortSignal.any([signal, run.lost]),
      problems,
      onWait: waits({ log, onWait }),
      onPaid: logsPayouts(log),
      form: { ...formOptions(config, run.id, ledger.clock.now()), fixedDueAt: ledger.clock.now() },
    });
    const needingPeople = await payoutsNeedingPeople(ledger.db, config.lnbits.creditSource);
    const report = conclude({
      news: { reviews: 0, rows: [], payouts: await newsOf(ledger.db, needingPeople, last) },
      run: run.id,
      ...{ startedAt, finishedAt: ledger.clock.now() },
      source: emptyReport(await markOf(ledger.db, config.lamassu.name)),
      distributed: noRunTotals(),
      payouts,
      paused: await pausedSats(ledger, config),
      ownShares: [],
      waits: await waitsNow(ledger, config),
      names: await readNames(ledger.db),
      problems,
      stopped: signal.aborted,
    });
    await run.finish(report.outcome, summaryOf(report, needingPeople, await endOfLog(ledger.db)));
    log.info({ run: `r${run.id}`, outcome: report.outcome }, 'run of fixed mode ends');
    return report;
  });
}

async function refusePaused(db: Db): Promise<void> {
  const paused = await pauseOf(db);
  if (paused === null) return;
  throw new BridgeError(
    'payouts/paused',
    `paying was paused by ${paused.by} at ${paused.at}: ${paused.reason}`,
    message`${call('payouts.resume')} continues paying; nothing is lost meanwhile.`,
  );
}
