import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { CashOut } from '../dca/cash-out.ts';
import { type BridgeError, concerns } from '../errors.ts';
import { type JudgingConfig, judgingOf } from '../judging/judging.ts';
import type { Connect } from '../lamassu/session-cache.ts';
import { openSource } from '../lamassu/source.ts';
import { startProblem } from '../lamassu/start.ts';
import type { RecordedDivision } from '../ledger/cash-outs/ingest.ts';
import { addOwnShare, type OwnShares } from '../ledger/cash-outs/own-shares.ts';
import { markOf, readToEnd } from '../ledger/cash-outs/watermark.ts';
import { keepClocks } from '../ledger/clocks/clocks.ts';
import { findDoubts, openDoubts } from '../ledger/clocks/doubts.ts';
import { commissionSince } from '../ledger/commission/commission.ts';
import type { Asker } from '../ledger/log/log.ts';
import { seeMachines } from '../ledger/machines/register.ts';
import type { Payout } from '../ledger/payouts/payouts.ts';
import { type Run, withLease } from '../ledger/runs/lease.ts';
import { markRead, markSucceeded } from '../ledger/runs/runs.ts';
import { readNames } from '../ledger/store/names-by-id.ts';
import type { Ledger } from '../ledger/store/open.ts';
import { clockProblem, clocksOf, doubtProblem, ledgerClockProblem, readingClocks } from './clocks.ts';
import { type FormConfig, waitsNow } from './due.ts';
import { endOfLog, lastReport, newsOf, payoutsNeedingPeople, reviewsSince } from './new-since.ts';
import { pausedSats } from './paused-sats.ts';
import { checkBeforeRecording, isNotTheLedger, pay } from './pay-due.ts';
import { type Reading, readCashOuts } from './read.ts';
import { add, conclude, noRunTotals, outcomeOf, ownShareOf, type PollReport, summaryOf } from './report.ts';
import { bind, emptyReport, readingOf, refuseWithoutClients } from './setup.ts';
import { pagesToRead } from './window.ts';

/** The settings by which a run reads, distributes and pays. */
export type PollConfig = JudgingConfig & FormConfig & Pick<Config, 'lnbits' | 'allocation'>;

export interface PollDeps {
  ledger: Ledger;
  config: PollConfig;
  who: Asker;
  log: Logger;
  /** Aborted when the program is asked to stop: the run finishes its step and begins no other. */
  signal: AbortSignal;
  /** Called with the milliseconds that a run waits for LNbits' rate limit; by default it is logged. */
  onWait?: ((ms: number) => void) | undefined;
  /** How to reach Lamassu; default: a session of its own. */
  connect?: Connect;
}

/**
 * One whole run: read what Lamassu confirmed, distribute it, form what is due into payouts, pay them, and finish what
 * an earlier run left open. Lamassu or LNbits not answering stops only its own half; both are in `problems`. An older
 * ledger that was restored stops both before anything is recorded, and so does another copy in use. Throws what makes a
 * run impossible: `run/busy`, `run/lost-lease`, `ledger/no-clients`, and failures of the ledger.
 */
export async function poll(deps: PollDeps): Promise<PollReport> {
  const { ledger, config, who, log } = deps;
  const { clock } = ledger;
  await refuseWithoutClients(ledger.db);
  const startedAt = clock.now();
  const last = await lastReport(ledger.db);
  return withLease(ledger, { kind: 'poll', who, source: config.lamassu.name, outcomeOf }, async (run) => {
    log.info({ run: `r${run.id}` }, 'run begins');
    const signal = AbortSignal.any([deps.signal, run.lost]);
    const problems: BridgeError[] = [];
    const distributed = noRunTotals();
    const sharedSince = await commissionSince(ledger.db);
    const ownShares: OwnShares[] = [];
    const onCashOut = (cashOut: CashOut, division: RecordedDivision) => {
      add(distributed, cashOut, division, sharedSince);
      addOwnShare(ownShares, ownShareOf(cashOut, division));
      log.info(
        {
          cash_out: cashOut.id,
          machine: cashOut.machine,
          gross_sats: Number(cashOut.distributed),
          net_sats: Number(division.net),
        },
        'cash-out distributed',
      );
    };
    const source = await readHalf(deps, run, signal, problems, onCashOut);
    const payouts = await pay({
      ledger,
      config,
      run,
      signal,
      problems,
      onWait: waits(deps),
      onPaid: logsPayouts(log),
    });
    for (const { code, message } of problems) log.error({ code }, message);
    const needingPeople = await payoutsNeedingPeople(ledger.db, config.lnbits.creditSource);
    const news = {
      ...(await reviewsSince(ledger.db, last)),
      payouts: await newsOf(ledger.db, needingPeople, last),
    };
    const report = conclude({
      news,
      run: run.id,
      ...{ startedAt, finishedAt: clock.now() },
      source,
      distributed,
      payouts,
      paused: await pausedSats(ledger, config),
      ownShares,
      waits: await waitsNow(ledger, config),
      names: await readNames(ledger.db),
      problems,
      stopped: deps.signal.aborted,
    });
    if (report.succeeded) await run.write((trx) => markSucceeded(trx, run.id));
    await run.finish(report.outcome, summaryOf(report, needingPeople, await endOfLog(ledger.db)));
    log.info({ run: `r${run.id}`, outcome: report.outcome }, 'run ends');
    return report;
  });
}

/** How a run reports that it waits for LNbits' rate limit. */
export function waits({ log, onWait }: Pick<PollDeps, 'log' | 'onWait'>): (ms: number) => void {
  return (
    onWait ??
    ((ms) => log.info({ wait_ms: Math.ceil(ms) }, 'LNbits limits the rate: the run waits and goes on'))
  );
}

/** A line of the log for each payout, as it is settled. */
export function logsPayouts(log: Logger): (payout: Payout) => void {
  return ({ id, kind, recipient, sats }) => {
    const to = kind === 'client' ? { client: recipient.name } : { recipient: recipient.name };
    log.info(
      { payout: `p${id}`, ...to, sats: Number(sats) },
      kind === 'client' ? 'client paid' : 'commission paid',
    );
  };
}

async function readHalf(
  deps: PollDeps,
  run: Run,
  signal: AbortSignal,
  problems: BridgeError[],
  onCashOut: Reading['onCashOut'],
): Promise<PollReport['source']> {
  const { ledger, config } = deps;
  const { clock } = ledger;
  try {
    const judging = await judgingOf(config, ledger.db);
    const source = await openSource(config.lamassu, clock, judging, deps.connect);
    try {
      const machines = await source.machines();
      const clocks = clocksOf(source);
      const { position, doubts, known } = await run.write(async (trx) => {
        const bound = await bind(trx, config.lamassu, source, clock.now());
        const seen = await readingClocks(trx, config.lamassu.name, clocks, bound);
        await keepClocks(trx, run.id, clocks);
        await findDoubts(trx, run.id, clocks);
        await seeMachines(trx, { ...run.who, at: clock.now() }, machines, config.lamassu.name);
        return { position: bound, doubts: await openDoubts(trx), known: seen };
      });
      const lastAction = await source.lastAction();
      const wrong = [clockProblem(clocks), await ledgerClockProblem(ledger), doubtProblem(doubts)];
      wrong.push(startProblem(config.lamassu.startAt, known.latest, position.mark === null));
      problems.push(...wrong.filter((problem) => problem !== null));
      let checked: Promise<unknown> | undefined;
      const write: Reading['write'] = async (work) => {
        checked ??= checkBeforeRecording({ ledger, config, run, signal, problems });
        await checked;
        return run.write(work);
      };
      const behind = new Set<string>();
      const target = {
        ...readingOf(config, ledger, write, position.mark, run.who),
        clocks: { ...known, doubts, behind },
        onCashOut,
        signal,
      };
      const pages = pagesToRead(ledger.db, source, { ...config.lamassu, position, behind });
      const report = await readCashOuts(target, source.now, pages);
      if (!signal.aborted) {
        await run.write(async (trx) => {
          await markRead(trx, run.id, clock.now());
          // The earlier of the two clocks: the other one may be ahead, and rows before it would never be read.
          const [readTo = source.now] = [source.now, clocks.host].sort();
          await readToEnd(trx, config.lamassu.name, { mark: report.mark, readTo, lastAction });
          // The ledger may know an unpaired machine only now.
          const unpaired = machines.filter(({ paired }) => !paired);
          if (unpaired.length > 0)
            await seeMachines(trx, { ...run.who, at: clock.now() }, unpaired, config.lamassu.name);
        });
      }
      return report;
    } finally {
      await source.close();
    }
  } catch (error) {
    if (!concerns(error, 'source') && !isNotTheLedger(error)) throw error;
    problems.push(error);
    return { ...emptyReport(await markOf(ledger.db, config.lamassu.name)), failed: true };
  }
}
