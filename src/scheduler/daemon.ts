import cron from 'node-cron';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { BridgeError } from '../errors.ts';
import { type Connect, keepConnection } from '../lamassu/session-cache.ts';
import type { Asker } from '../ledger/log/log.ts';
import type { Ledger } from '../ledger/store/open.ts';
import type { Clock } from '../time.ts';
import { type PollConfig, poll } from './poll.ts';

/** The result of a run, for the daemon's metrics. */
export interface RunSeen {
  outcome: string;
  seconds: number;
  /** The error codes of the run. */
  codes: string[];
}

/** The settings of its runs, and when they are. */
type DaemonConfig = PollConfig & Pick<Config, 'schedule'>;

export interface DaemonDeps {
  config: DaemonConfig;
  clock: Clock;
  who: Asker;
  log: Logger;
  /** Aborted when the program is asked to stop. */
  signal: AbortSignal;
  /** Opens the ledger for one run and closes it afterwards, so the next run reconnects to a server that went away. */
  withLedger<T>(work: (ledger: Ledger) => Promise<T>): Promise<T>;
  /** Called after the first run, when the schedule begins; not if the daemon was asked to stop before. */
  onReady?(): void;
  /** Called after each run with its result. */
  onRun?(run: RunSeen): void;
}

/** When to run, as cron expressions: the schedule, and the times of fixed mode. */
export function cronLines({ schedule, fixed }: Pick<Config, 'schedule' | 'fixed'>): string[] {
  const times = fixed.times.map((time) => {
    const [hour, minute] = time.split(':').map((part) => Number(part));
    return `${minute} ${hour} * * *`;
  });
  return [schedule.poll, ...times];
}

/**
 * Polls at once and then on schedule, until it is asked to stop; the run at hand then finishes its step and leaves
 * the rest to the next. A tick is only a hint: what is due comes from the ledger, and one that falls into a run is
 * skipped. The session with Lamassu stays open in between. A run that fails is logged, and the next tick tries again;
 * only an error of the very first run that no retry will help (`misconfigured`) is thrown.
 */
export async function runDaemon(deps: DaemonDeps): Promise<void> {
  const { config, log, signal } = deps;
  log.info(
    { schedule: config.schedule.poll, fixed: config.fixed.times, timezone: config.timezone },
    'daemon begins',
  );
  signal.addEventListener('abort', () => log.info('asked to stop: the step at hand is finished first'));
  const lamassu = keepConnection();
  try {
    await runOnSchedule(deps, lamassu.connect);
  } finally {
    await lamassu.close();
  }
  log.info('daemon ends');
}

async function runOnSchedule(deps: DaemonDeps, connect: Connect): Promise<void> {
  const { config, log, signal } = deps;
  const refusal = await runOnce(deps, connect);
  if (refusal) throw refusal;
  if (!signal.aborted) deps.onReady?.();
  let running: Promise<unknown> | undefined;
  const tick = () => {
    if (running !== undefined) {
      log.debug('tick skipped: a run is going on');
      return;
    }
    running = runOnce(deps, connect).finally(() => {
      running = undefined;
    });
  };
  const tasks = signal.aborted
    ? []
    : cronLines(config).map((line) =>
        cron.schedule(line, tick, { timezone: config.timezone, logger: quietly(log) }),
      );
  await aborted(signal);
  for (const task of tasks) await task.destroy();
  await running;
}

/** One run; logs its problems. Returns the error that no retry will help, if there is one. */
async function runOnce(deps: DaemonDeps, connect: Connect): Promise<BridgeError | undefined> {
  const { config, clock, who, log, signal } = deps;
  const startedAt = clock.monotonic();
  const seen = (outcome: string, codes: string[]) =>
    deps.onRun?.({ outcome, seconds: (clock.monotonic() - startedAt) / 1000, codes });
  try {
    const report = await deps.withLedger((ledger) => poll({ ledger, config, who, log, signal, connect }));
    seen(
      report.outcome,
      report.problems.map(({ code }) => code),
    );
    return report.problems.find(({ kind }) => kind === 'misconfigured');
  } catch (error) {
    if (!(error instanceof BridgeError)) {
      seen('failed', ['internal/defect']);
      log.error({ err: error }, 'a defect of this program ended the run');
      return undefined;
    }
    const { code, message, hint } = error;
    seen(code === 'run/busy' ? 'busy' : 'failed', [code]);
    if (code === 'run/busy') log.info({ code }, message);
    else log.error({ code, hint }, message);
    return error.kind === 'misconfigured' ? error : undefined;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Drops node-cron's own messages, such as a late tick. */
function quietly(log: Logger) {
  const say = (message: string | Error) => log.debug(`node-cron: ${message}`);
  return { info: say, warn: say, error: say, debug: say };
}
