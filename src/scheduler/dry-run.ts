import type { Config } from '../config/config.ts';
import type { CashOut } from '../dca/cash-out.ts';
import { type BridgeError, concerns } from '../errors.ts';
import { type JudgingConfig, judgingOf } from '../judging/judging.ts';
import type { LamassuMachine } from '../lamassu/database.ts';
import { openSource } from '../lamassu/source.ts';
import { startProblem } from '../lamassu/start.ts';
import type { RecordedDivision } from '../ledger/cash-outs/ingest.ts';
import { addOwnShare, type OwnShares } from '../ledger/cash-outs/own-shares.ts';
import { markOf } from '../ledger/cash-outs/watermark.ts';
import { doubtsAt } from '../ledger/clocks/doubts.ts';
import { commissionSince } from '../ledger/commission/commission.ts';
import { neededSats } from '../ledger/credits/plan.ts';
import { OPERATOR, type Who } from '../ledger/log/log.ts';
import { seeMachines } from '../ledger/machines/register.ts';
import { dueGroups } from '../ledger/payouts/form.ts';
import { feeOn, feeRate } from '../ledger/payouts/service-fee.ts';
import { readNames } from '../ledger/store/names-by-id.ts';
import type { Ledger, Trx } from '../ledger/store/open.ts';
import type { Clock, Instant } from '../time.ts';
import { clockProblem, clocksOf, readingClocks } from './clocks.ts';
import { formOptions, waitsNow } from './due.ts';
import { type ReviewNews, ROWS_NAMED } from './new-since.ts';
import { pausedSats } from './paused-sats.ts';
import type { PayReport } from './pay-due.ts';
import type { PollDeps } from './poll.ts';
import { type JudgedRow, type Reading, type ReadReport, readCashOuts } from './read.ts';
import { add, conclude, noRunTotals, ownShareOf, type PollReport } from './report.ts';
import { bind, emptyReport, hasClients, readingOf } from './setup.ts';
import { pagesToRead } from './window.ts';

/** The plan that a dry run shows. */
export interface Plan {
  report: PollReport;
  cashOuts: { cashOut: CashOut; division: RecordedDivision }[];
  /** What the source wallet would be credited with first. */
  creditSats: bigint;
  payouts: { client: string; sats: bigint }[];
  /** The ledger has no clients, so a run would refuse. */
  noClients: boolean;
}

/** What `poll` would do now. Writes nothing, pays nothing, and does not use LNbits. */
export async function dryRun(deps: Pick<PollDeps, 'ledger' | 'config' | 'signal'>): Promise<Plan> {
  const { ledger, config, signal } = deps;
  const { clock } = ledger;
  const startedAt = clock.now();
  const who: Who = { principal: OPERATOR, actor: 'dry run', run: null, clock };
  const problems: BridgeError[] = [];
  const read = await readAhead(deps, problems);
  const cashOuts: Plan['cashOuts'] = [];
  const distributed = noRunTotals();
  const ownShares: OwnShares[] = [];
  const rows: ReviewNews[] = [];
  const sharedSince = await commissionSince(ledger.db);
  return ledger.dryRun(async (trx) => {
    const source: PollReport['source'] = read
      ? await distributeAhead(trx, { config, clock, who, signal }, read, {
          onCashOut: (cashOut, division) => {
            add(distributed, cashOut, division, sharedSince);
            addOwnShare(ownShares, ownShareOf(cashOut, division));
            cashOuts.push({ cashOut, division });
          },
          onReview: ({ cashOutId: id, machine, reason, detail }) => {
            if (rows.length < ROWS_NAMED) rows.push({ id, machine, reason, detail });
          },
        })
      : { ...emptyReport(await markOf(trx, config.lamassu.name)), failed: true };
    const due = await dueGroups(trx, formOptions(config, 0n, clock.now()));
    const names = await readNames(trx);
    const payouts = due.map((group) => ({
      client: names.recipients.get(group.recipient_id) ?? '',
      sats: group.sats,
    }));
    const none: PayReport = {
      settled: 0,
      satsSettled: 0n,
      satsCredited: 0n,
      reached: true,
      planned: 0,
      deferred: 0,
      unknown: 0,
      held: 0,
    };
    const report = conclude({
      news: { reviews: source.toReview, rows, payouts: [] },
      run: null,
      ...{ startedAt, finishedAt: clock.now() },
      source,
      distributed,
      payouts: none,
      paused: await pausedSats({ db: trx, clock }, config),
      ...{ ownShares, names },
      waits: await waitsNow({ db: trx, clock }, config),
      problems,
      stopped: signal.aborted,
    });
    const creditSats = config.lnbits.creditSource && due.length > 0 ? await neededWithFee(trx) : 0n;
    return { report, cashOuts, creditSats, payouts, noClients: !(await hasClients(trx)) };
  });
}

/** Lamassu's rows that a run would read, all of them in memory. */
export interface ReadAhead {
  now: Instant;
  systemIdentifier: string | null;
  machines: LamassuMachine[];
  pages: JudgedRow[][];
  clocks: Awaited<ReturnType<typeof readingClocks>>;
  behind: Set<string>;
}

/** Everything that a dry run needs of Lamassu, read before the ledger is locked; null if it could not be read. */
export async function readAhead(
  { ledger, config }: { ledger: Pick<Ledger, 'db' | 'clock' | 'dryRun'>; config: JudgingConfig },
  problems: BridgeError[],
): Promise<ReadAhead | null> {
  const { clock } = ledger;
  try {
    const source = await openSource(config.lamassu, clock, await judgingOf(config, ledger.db));
    try {
      const position = await ledger.dryRun((trx) => bind(trx, config.lamassu, source, clock.now()));
      const clocks = clocksOf(source);
      const problem = clockProblem(clocks);
      const behind = new Set<string>();
      const known = await readingClocks(ledger.db, config.lamassu.name, clocks, position);
      const start = startProblem(config.lamassu.startAt, known.latest, position.mark === null);
      problems.push(...[problem, start].filter((one) => one !== null));
      const pages = await Array.fromAsync(
        pagesToRead(ledger.db, source, { ...config.lamassu, position, behind }),
      );
      const { now: at, systemIdentifier } = source;
      return { now: at, systemIdentifier, machines: await source.machines(), pages, clocks: known, behind };
    } finally {
      await source.close();
    }
  } catch (error) {
    if (!concerns(error, 'source')) throw error;
    problems.push(error);
    return null;
  }
}

/** Distributes what was read ahead as a run would. The transaction is one that will be rolled back. */
export async function distributeAhead(
  trx: Trx,
  { config, clock, who, signal }: Ahead,
  read: ReadAhead,
  on: Pick<Reading, 'onCashOut' | 'onReview'>,
): Promise<ReadReport> {
  const { mark } = await bind(trx, config.lamassu, read, clock.now());
  // As a run does, so that the plan has the names of machines that the ledger does not know yet.
  const see = () => seeMachines(trx, { ...who, at: clock.now() }, read.machines, config.lamassu.name);
  await see();
  const doubts = await doubtsAt(trx, read.clocks.latest);
  const reading = {
    ...readingOf(config, { db: trx, clock }, (work) => work(trx), mark, who),
    clocks: { ...read.clocks, doubts, behind: read.behind },
    ...{ ...on, signal },
  };
  const report = await readCashOuts(reading, read.now, read.pages);
  // The ledger may know an unpaired machine only now.
  await see();
  return report;
}

interface Ahead {
  config: Pick<Config, 'timezone' | 'lamassu' | 'allocation'>;
  clock: Clock;
  who: Who;
  signal: AbortSignal;
}

/** What a run would credit: what is needed, and LNbits' service fee on it. */
async function neededWithFee(trx: Trx): Promise<bigint> {
  const needed = await neededSats(trx);
  return needed + feeOn(needed, await feeRate(trx));
}
