import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../src/config/load.ts';
import { openLedger } from '../../src/ledger/store/open.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { systemClock } from '../../src/time.ts';
import { audit } from './auditor.ts';
import { fork } from './fork.ts';
import type { Hooked, Phase, SeenRequest } from './lnbits-simulator.ts';
import { isCommit, isQuery, startWireProxy, type WirePhase, type WireProxy } from './wire-proxy.ts';
import type { World } from './world.ts';

/**
 * When a command is killed. `request`: at its nth request to LNbits: before LNbits handles it, when it has checked a
 * payment, between a payment's debit and its credit, after it was handled and before the answer, or in the middle of
 * the answer. `query`: before its nth query reaches Lamassu, when Lamassu has answered, or in the middle of the answer.
 * `commit`: right before or after its nth commit to the ledger, or in the middle: of what SQLite writes for it, or of
 * what PostgreSQL answers.
 */
export type KillPoint =
  | { at: 'request'; n: number; phase: Phase; until?: SlowUntil }
  | { at: 'query' | 'commit'; n: number; phase: WirePhase };

/**
 * A payment that goes on at LNbits after its run was killed: until the next run asks for it (`asked`), has been
 * answered (`answered`), or sends it again (`sent`); or, whatever the next run does, as long as a payment may (`over`).
 */
export type SlowUntil = 'asked' | 'answered' | 'sent' | 'over';

/** `[payouts] quiet` of the worlds in which runs are killed. */
export const QUIET = '4 s';
/** How long a payment goes on at the longest: less than the quiet time, as that promises of a real LNbits. */
const SLOW_MS = 3_500;

const NOT_MET = 'the payment was over before the next run met it';

/** Runs that it may take after the kill. */
const MORE_RUNS = 3;

/** What a command does when it is not killed: its possible kill points. */
export interface Course {
  requests: SeenRequest[];
  queries: number;
  commits: number;
}

/** The faults after these kills. */
interface Wrong {
  kills: KillPoint[];
  problem: string;
}

/** The killed command, and the steps afterwards. */
export interface Killing {
  /** `poll` by default; it is run again until it exits 0. */
  command?: string[];
  /** Once it has; each has to exit 0. */
  next?: string[][];
  /** The rows of Lamassu that are settled by hand in the end. */
  settled?: string[];
}

const POLL = ['poll', '--json'];

/** One copy of a world, with a proxy before each of its databases. */
interface Copy {
  world: World;
  lamassu: WireProxy;
  /** Null if the ledger is a file. */
  ledger: WireProxy | null;
}

/** Kills of one world, each on a copy of it. */
export class KillSeries {
  readonly #template: World;
  readonly #killing: Killing;
  readonly #command: string[];
  /** What `start` of a copy takes so that its commits can be counted. */
  readonly #preload: string;

  constructor(template: World, killing: Killing = {}) {
    this.#template = template;
    this.#killing = killing;
    this.#command = killing.command ?? POLL;
    this.#preload = new URL('./kill-at-commit.mjs', import.meta.url).href;
  }

  /** The course of the command on a fresh copy, or of the one after it was killed at `after`. */
  async course(after?: KillPoint): Promise<Course> {
    return await this.#onCopy(async (copy) => {
      const { world, lamassu, ledger } = copy;
      if (after) await this.#kill(copy, after);
      world.simulator().clearLog();
      lamassu.count = 0;
      if (ledger) ledger.count = 0;
      const ran = await world.aioDca(this.#command, this.#counting('count:0'));
      const requests = [...world.simulator().requests];
      const queries = lamassu.count;
      const commits = ledger ? ledger.count : Number(/commits: (\d+)/.exec(ran.stderr)?.[1]);
      const problems = [
        // The first run that meets a row for the operator reports it.
        ...(ran.code === 0 || ran.code === 2 ? [] : [`exit ${ran.code}: ${ran.stdout}${ran.stderr}`]),
        ...(await finish(world, [], this.#killing)),
      ];
      if (problems.length > 0) throw new Error(`without a kill:\n${problems.join('\n')}`);
      return { requests, queries, commits };
    });
  }

  /** Kills the command at each of `points`, then runs until all is done. Answers what went wrong. */
  async survive(points: KillPoint[][]): Promise<Wrong[]> {
    const wrong: Wrong[] = [];
    const missed: KillPoint[][] = [];
    const blame = (kills: KillPoint[], problems: string[]) =>
      wrong.push(...problems.map((problem) => ({ kills, problem })));
    const queue = points.values();
    // A killed run often leaves the next one waiting for the quiet time: four at a time keep two cores busy.
    const worker = async () => {
      for (const series of queue) {
        const problems = await this.#onCopy((copy) => this.#killed(copy, series));
        if (problems.includes(NOT_MET)) missed.push(series);
        else blame(series, problems);
      }
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    // A machine that is busy with other things starts the next run too late for it to meet a payment.
    for (const series of missed) {
      let problems = [NOT_MET];
      for (let tries = 0; tries < 5 && problems.includes(NOT_MET); tries += 1)
        problems = await this.#onCopy((copy) => this.#killed(copy, series));
      blame(series, problems);
    }
    return wrong;
  }

  async #killed(copy: Copy, series: KillPoint[]): Promise<string[]> {
    const races: Killed['raced'][] = [];
    for (const point of series) {
      const { signal, raced } = await this.#kill(copy, point);
      // How many requests a run has left that meets a payment which goes on, depends on which of the two is faster.
      if (signal !== 'SIGKILL' && races.length === 0) return ['was not reached'];
      races.push(raced);
    }
    return await finish(copy.world, races, this.#killing);
  }

  async #kill({ world, lamassu, ledger }: Copy, point: KillPoint): Promise<Killed> {
    if (point.at === 'request') {
      const { n, phase, until } = point;
      const hit = (request: SeenRequest, at: Phase) => request.n === n && at === phase;
      return await killWhen(world, world.simulator(), hit, until, this.#command);
    }
    const { at, n, phase } = point;
    const proxy = at === 'query' ? lamassu : ledger;
    const options = at === 'commit' ? this.#counting(`${phase}:${n}`) : {};
    const command = world.start(this.#command, options);
    if (proxy) {
      proxy.count = 0;
      proxy.onStatement = async (seen, now) => {
        if (seen !== n || now !== phase) return undefined;
        command.child.kill('SIGKILL');
        await command.ended;
        return 'drop';
      };
    }
    const { signal } = await command.ended;
    if (proxy) proxy.onStatement = undefined;
    return { signal, raced: () => true };
  }

  #counting(at: string) {
    return this.#template.ledgerUrl.startsWith('sqlite:')
      ? { node: ['--import', this.#preload], env: { KILL_AT_COMMIT: at } }
      : {};
  }

  async #onCopy<T>(work: (copy: Copy) => Promise<T>): Promise<T> {
    const stack = new AsyncDisposableStack();
    const inFrontOf = async (url: string, counts: typeof isCommit) => {
      const { hostname: host, port } = new URL(url);
      const proxy = await startWireProxy({ host, port: Number(port) }, counts);
      stack.defer(() => proxy.close());
      return proxy;
    };
    try {
      const { ledgerUrl } = this.#template;
      const lamassu = await inFrontOf(this.#template.lamassu.url, isQuery);
      const ledger = ledgerUrl.startsWith('sqlite:') ? null : await inFrontOf(ledgerUrl, isCommit);
      const ports = { lamassu: lamassu.port, ...(ledger && { ledger: ledger.port }) };
      const world = await fork(this.#template, ports);
      stack.defer(() => world.stop());
      return await work({ world, lamassu, ledger });
    } finally {
      await stack.disposeAsync();
    }
  }
}

/** What the auditor and the program's own `verify` find wrong. */
async function judge(world: World, settled: string[]): Promise<string[]> {
  const { violations } = await audit(world, { settled });
  const { url, password } = loadConfig(world.configFile, {}).ledger;
  const ledger = await openLedger({ clock: systemClock, url, password, use: 'read' });
  try {
    const { differences } = await verifyLedger(ledger);
    return [
      ...violations.map(({ kind, what }) => `${kind}: ${what}`),
      ...differences.map(({ code, what }) => `verify: ${code}: ${what}`),
    ];
  } finally {
    await ledger.close();
  }
}

/** What a simulator and a proxied real LNbits both offer. */
interface Watched<R, P> {
  onRequest: ((request: R, phase: P) => Hooked | Promise<Hooked>) | undefined;
  clearLog(): void;
}

export interface Killed {
  signal: NodeJS.Signals | null;
  /** Whether the next run met the payment that went on; true if none did. */
  raced(): boolean;
}

/**
 * Starts a command and kills it at the first request and phase that is `hit`; with `until` LNbits then goes on with
 * that request. Resolves when the command is gone.
 */
export async function killWhen<R extends { kind: string; hash: string | null }, P>(
  world: World,
  lnbits: Watched<R, P | 'before' | 'after'>,
  hit: (request: R, phase: P | 'before' | 'after') => boolean,
  until?: SlowUntil,
  args = POLL,
): Promise<Killed> {
  lnbits.clearLog();
  const command = world.start(args);
  const seen = Promise.withResolvers<void>();
  let raced = until === undefined;
  let slow: string | null = null;
  let goingOn = false;
  const met = () => {
    raced ||= goingOn;
    if (until !== 'over') seen.resolve();
  };
  // The payment of a run that was killed before this one may still go on.
  const earlier = lnbits.onRequest;
  lnbits.onRequest = async (request, at) => {
    await earlier?.(request, at);
    if (slow !== null && request.hash === slow) {
      if ((until === 'asked' || until === 'over') && request.kind === 'find' && at === 'before') met();
      if (until === 'answered' && request.kind === 'find' && at === 'after') met();
      if (until === 'sent' && request.kind === 'pay' && at === 'before') met();
      return;
    }
    if (slow !== null || !hit(request, at)) return;
    slow = request.hash ?? '';
    const over = performance.now() + SLOW_MS;
    command.child.kill('SIGKILL');
    await command.ended;
    if (until === undefined) return 'drop';
    goingOn = true;
    const left = Math.max(0, over - performance.now());
    await Promise.race([seen.promise, sleep(left, undefined, { ref: false })]);
    goingOn = false;
  };
  const { signal } = await command.ended;
  return { signal, raced: () => raced };
}

/** Runs the command until it has nothing left to do, then the rest, and says what is wrong then. */
export async function finish(
  world: World,
  races: Killed['raced'][] = [],
  { command = POLL, next = [], settled = [] }: Killing = {},
): Promise<string[]> {
  let said = '';
  for (let run = 0; run < MORE_RUNS; run += 1) {
    const ran = await world.aioDca(command);
    if (ran.code === 0) {
      const met = races.every((raced) => raced());
      for (const args of next) {
        const { code, stdout, stderr } = await world.aioDca(args);
        if (code !== 0) return [`${args.join(' ')} after it: exit ${code}: ${stdout}${stderr}`];
      }
      return [...(met ? [] : [NOT_MET]), ...(await judge(world, settled))];
    }
    said = `exit ${ran.code}: ${ran.stdout}${ran.stderr}`;
  }
  return [`${MORE_RUNS} runs after it: ${said}`];
}

/** Names of kills: to read, and to try one alone. */
export function inWords(kills: KillPoint[]): string {
  const words = kills.map((point) => {
    const slow =
      point.at === 'request' && point.until ? `, and LNbits goes on until it is ${point.until}` : '';
    return `${point.phase} ${point.at} ${point.n}${slow}`;
  });
  return words.join(', then ');
}
