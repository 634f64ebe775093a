import type { Logger } from 'pino';
import type { Config } from '../config/load.ts';
import type { Division } from '../dca/allocate.ts';
import type { CashOut } from '../dca/cash-out.ts';
import { BridgeError } from '../errors.ts';
import type { LamassuRow } from '../lamassu/row.ts';
import { openSource } from '../lamassu/source.ts';
import { type Run, startRun } from '../ledger/lease.ts';
import { seeMachine } from '../ledger/machines.ts';
import type { Db, Ledger, Trx } from '../ledger/open.ts';
import { bindSource, type Mark } from '../ledger/source.ts';
import { dueGroups } from '../payouts/form.ts';
import { now } from '../time.ts';
import { formOptions, type PayReport, pay } from './pay.ts';
import { pagesToRead, type Reading, type ReadReport, readCashOuts, rulesOf } from './read.ts';

export interface PollDeps {
  ledger: Ledger;
  config: Config;
  actor: string;
  log: Logger;
  /** Aborted when the program was asked to stop: the step at hand is finished, no other begun. */
  signal: AbortSignal;
}

export interface Totals {
  cashOuts: number;
  gross: bigint;
  commission: bigint;
  net: bigint;
  own: bigint;
}

export interface PollReport {
  run: bigint | null;
  startedAt: string;
  finishedAt: string;
  outcome: Outcome;
  source: ReadReport;
  distributed: Totals;
  payouts: PayReport;
  problems: BridgeError[];
  /** The exit code, as INTERFACE says: 0, 2, 75 or 78. */
  exitCode: number;
}

/**
 * `ok`: everything was done. `attention`: done, and something new needs a person. `incomplete`: something could not
 * be done now, the next run goes on. `refused`: no retry will help. `stopped`: it was asked to stop.
 */
export type Outcome = 'ok' | 'attention' | 'incomplete' | 'refused' | 'stopped';

/** The plan that a dry run shows. */
export interface Plan {
  report: PollReport;
  cashOuts: { cashOut: CashOut; division: Division }[];
  payouts: { client: string; sats: bigint }[];
  /** Names of the clients. */
  clients: Map<bigint, string>;
}

/**
 * One whole run: read what Lamassu confirmed, distribute it, form what is due into payouts, pay them, and finish what
 * an earlier run left open. Lamassu or LNbits not answering stops only its own half; both are in `problems`.
 * Throws what makes a run impossible: `run/busy`, `run/lost-lease`, `ledger/no-clients`, and failures of the ledger.
 */
export async function poll(deps: PollDeps): Promise<PollReport> {
  const { ledger, config, actor, log } = deps;
  await refuseWithoutClients(ledger.db);
  const startedAt = now();
  const run = await startRun(ledger, 'poll', actor);
  log.info({ run: `r${run.id}` }, 'run begins');
  const signal = AbortSignal.any([deps.signal, run.lost]);
  const problems: BridgeError[] = [];
  const distributed: Totals = { cashOuts: 0, gross: 0n, commission: 0n, net: 0n, own: 0n };
  const onCashOut = (cashOut: CashOut, division: Division) => {
    add(distributed, cashOut, division);
    log.info(
      {
        cash_out: cashOut.id,
        machine: cashOut.machine,
        gross_sats: Number(cashOut.gross),
        net_sats: Number(division.net),
      },
      'cash-out distributed',
    );
  };
  try {
    const source = await readHalf(deps, run, signal, problems, onCashOut);
    const payouts = await pay({ ledger, config, run, signal, problems });
    for (const { code, message } of problems) log.error({ code }, message);
    const report = conclude({
      run: run.id,
      startedAt,
      source,
      distributed,
      payouts,
      problems,
      stopped: deps.signal.aborted,
    });
    await run.finish(report.outcome, summaryOf(report));
    log.info({ run: `r${run.id}`, outcome: report.outcome }, 'run ends');
    return report;
  } catch (error) {
    // A lost lease belongs to the other run already, and a ledger that fails now may not take an ending either.
    await run.finish('failed', null).catch(() => {});
    throw error;
  }
}

/** What `poll` would do now: nothing is written and nothing is paid. LNbits is not asked. */
export async function rehearse(deps: PollDeps): Promise<Plan> {
  const { ledger, config, signal } = deps;
  await refuseWithoutClients(ledger.db);
  const startedAt = now();
  const problems: BridgeError[] = [];
  const read = await readAhead(deps, problems);
  const cashOuts: Plan['cashOuts'] = [];
  const distributed: Totals = { cashOuts: 0, gross: 0n, commission: 0n, net: 0n, own: 0n };
  return ledger.rehearse(async (trx) => {
    const mark = read && (await bind(trx, config, read));
    const source = read
      ? await readCashOuts(
          {
            ...reading(config, trx, (work) => work(trx), mark, null),
            onCashOut: (cashOut, division) => {
              add(distributed, cashOut, division);
              cashOuts.push({ cashOut, division });
            },
            signal,
          },
          read.now,
          read.pages,
        )
      : emptyReport(await markOf(trx, config.lamassu.name));
    const due = await dueGroups(trx, formOptions(config, 0n));
    const names = await trx.selectFrom('recipients').select(['id', 'name']).execute();
    const clients = new Map(names.map((one) => [one.id, one.name]));
    const payouts = due.map((group) => ({ client: clients.get(group.recipient_id) ?? '', sats: group.sats }));
    const none: PayReport = {
      settled: 0,
      satsSettled: 0n,
      planned: 0,
      deferred: 0,
      unknown: 0,
      held: 0,
      fresh: 0,
    };
    const report = conclude({
      run: null,
      startedAt,
      source,
      distributed,
      payouts: none,
      problems,
      stopped: signal.aborted,
    });
    return { report, cashOuts, payouts, clients };
  });
}

async function readHalf(
  deps: PollDeps,
  run: Run,
  signal: AbortSignal,
  problems: BridgeError[],
  onCashOut: Reading['onCashOut'],
): Promise<ReadReport> {
  const { ledger, config } = deps;
  try {
    const source = await openSource(config.lamassu);
    try {
      const machines = await source.machines();
      const mark = await run.write(async (trx) => {
        const bound = await bind(trx, config, source);
        await seeMachines(trx, config, machines);
        return bound;
      });
      const target = {
        ...reading(config, ledger.db, (work) => run.write(work), mark, run.id),
        onCashOut,
        signal,
      };
      const pages = pagesToRead(ledger.db, source, {
        rules: rulesOf(config),
        mark,
        overlapMs: config.lamassu.overlapMs,
      });
      const report = await readCashOuts(target, source.now, pages);
      if (!signal.aborted) {
        await run.write((trx) =>
          trx.updateTable('runs').set({ read_at: now() }).where('id', '=', run.id).execute(),
        );
      }
      return report;
    } finally {
      await source.close();
    }
  } catch (error) {
    if (!(error instanceof BridgeError) || !/^(lamassu|ledger\/source|config)/.test(error.code)) throw error;
    problems.push(error);
    return emptyReport(await markOf(ledger.db, config.lamassu.name));
  }
}

/** Everything that a rehearsal needs of Lamassu, read before the ledger is locked. */
async function readAhead(
  { ledger, config }: PollDeps,
  problems: BridgeError[],
): Promise<{ now: string; systemIdentifier: string | null; pages: LamassuRow[][] } | null> {
  try {
    const source = await openSource(config.lamassu);
    try {
      const mark = await ledger.rehearse((trx) => bind(trx, config, source));
      const options = { rules: rulesOf(config), mark, overlapMs: config.lamassu.overlapMs };
      const pages = await Array.fromAsync(pagesToRead(ledger.db, source, options));
      return { now: source.now, systemIdentifier: source.systemIdentifier, pages };
    } finally {
      await source.close();
    }
  } catch (error) {
    if (!(error instanceof BridgeError) || !/^(lamassu|ledger\/source|config)/.test(error.code)) throw error;
    problems.push(error);
    return null;
  }
}

function reading(
  config: Config,
  db: Db,
  write: Reading['write'],
  mark: Mark | null,
  run: bigint | null,
): Omit<Reading, 'onCashOut' | 'signal'> {
  const { timezone } = config;
  return {
    db,
    write,
    rules: rulesOf(config),
    mark,
    ingest: { timezone, priority: config.allocation.priority, origin: 'lamassu', run },
  };
}

async function bind(
  trx: Trx,
  config: Config,
  source: { systemIdentifier: string | null },
): Promise<Mark | null> {
  const { name, startAt } = config.lamassu;
  const bound = await bindSource(trx, { name, startAt, systemIdentifier: source.systemIdentifier }, now());
  return bound.mark_confirmed_at !== null && bound.mark_id !== null
    ? { confirmedAt: bound.mark_confirmed_at, id: bound.mark_id }
    : null;
}

async function seeMachines(
  trx: Trx,
  config: Config,
  machines: { deviceId: string; name: string | null }[],
): Promise<void> {
  for (const { deviceId, name } of machines)
    await seeMachine(trx, deviceId, config.lamassu.name, now(), name);
}

async function markOf(db: Db, name: string): Promise<Mark | null> {
  const row = await db.selectFrom('sources').selectAll().where('name', '=', name).executeTakeFirst();
  if (!row || row.mark_confirmed_at === null || row.mark_id === null) return null;
  return { confirmedAt: row.mark_confirmed_at, id: row.mark_id };
}

function emptyReport(mark: Mark | null): ReadReport {
  return { read: 0, alreadyProcessed: 0, toReview: 0, mark };
}

async function refuseWithoutClients(db: Db): Promise<void> {
  const client = await db
    .selectFrom('recipients')
    .select('id')
    .where('kind', '=', 'client')
    .executeTakeFirst();
  if (client) return;
  throw new BridgeError(
    'ledger/no-clients',
    'the ledger has no clients, so every cash-out would go to the operator',
    'Check [ledger] url. In a new ledger add them first: `aio-dca clients add NAME --wallet-key-file FILE`.',
  );
}

function add(totals: Totals, cashOut: CashOut, division: Division): void {
  totals.cashOuts += 1;
  totals.gross += cashOut.gross;
  totals.commission += division.commission;
  totals.net += division.net;
  totals.own += division.own.net;
}

function conclude(
  parts: Omit<PollReport, 'finishedAt' | 'outcome' | 'exitCode'> & { stopped: boolean },
): PollReport {
  const { stopped, ...rest } = parts;
  const exits = rest.problems.map((problem) => problem.exitCode);
  const refused = exits.includes(78);
  const incomplete = exits.includes(75) || rest.payouts.deferred > 0;
  const attention = rest.source.toReview > 0 || rest.payouts.fresh > 0;
  const [outcome, exitCode]: [Outcome, number] = refused
    ? ['refused', 78]
    : stopped
      ? ['stopped', 75]
      : incomplete
        ? ['incomplete', 75]
        : attention
          ? ['attention', 2]
          : ['ok', 0];
  return { ...rest, finishedAt: now(), outcome, exitCode };
}

function summaryOf(report: PollReport): unknown {
  return {
    read: report.source.read,
    to_review: report.source.toReview,
    cash_outs: report.distributed.cashOuts,
    net_sats: Number(report.distributed.net),
    settled: report.payouts.settled,
    sats_settled: Number(report.payouts.satsSettled),
    problems: report.problems.map(({ code, message }) => ({ code, message })),
  };
}
