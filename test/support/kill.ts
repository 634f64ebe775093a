import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../../src/config/load.ts';
import { openLedger } from '../../src/ledger/open.ts';
import { verifyLedger } from '../../src/ledger/verify.ts';
import { audit } from './auditor.ts';
import { type CommitProxy, startCommitProxy } from './commit-proxy.ts';
import { fork } from './fork.ts';
import type { Hooked, Phase, SeenRequest } from './lnbits-simulator.ts';
import type { World } from './world.ts';

/**
 * When a run is killed. `request`: at its nth request to LNbits: before LNbits handles it, between a payment's debit
 * and its credit, or after it was handled and before the answer. `commit`: right before or after its nth commit.
 */
export type KillPoint =
  | { at: 'request'; n: number; phase: Phase; until?: SlowUntil }
  | { at: 'commit'; n: number; phase: 'before' | 'after' };

/**
 * A payment that goes on at LNbits after its run was killed: until the next run asks for it (`asked`), has been
 * answered (`answered`), or sends it again (`sent`).
 */
export type SlowUntil = 'asked' | 'answered' | 'sent';

/** `[payouts] quiet` of the worlds in which runs are killed. */
export const QUIET = '4 s';
/** How long a payment goes on at the longest: less than the quiet time, as that promises of a real LNbits. */
const SLOW_MS = 3_500;

const NOT_MET = 'the payment was over before the next run met it';

/** Runs that it may take after the kill. */
const MORE_RUNS = 3;

/** What a run does when nobody kills it: the points at which one can. */
export interface Course {
  requests: SeenRequest[];
  commits: number;
}

/** Kills of one world, each on a copy of it. */
export class KillSeries {
  readonly #template: World;
  /** What `start` of a copy takes so that its commits can be counted. */
  readonly #preload: string;

  constructor(template: World) {
    this.#template = template;
    this.#preload = new URL('./kill-at-commit.mjs', import.meta.url).href;
  }

  /** The course of a run on a fresh copy, or of the one after a run was killed at `after`. */
  async course(after?: KillPoint): Promise<Course> {
    return await this.#onCopy(async (world, proxy) => {
      if (after) await this.#kill(world, proxy, after);
      world.simulator().clearLog();
      if (proxy) proxy.commits = 0;
      const ran = await world.aioDca(['poll', '--json'], this.#counting('count:0'));
      const requests = [...world.simulator().requests];
      const commits = proxy ? proxy.commits : Number(/commits: (\d+)/.exec(ran.stderr)?.[1]);
      const problems = [
        ...(ran.code === 0 ? [] : [`exit ${ran.code}: ${ran.stdout}${ran.stderr}`]),
        ...(await judge(world)),
      ];
      if (problems.length > 0) throw new Error(`without a kill:\n${problems.join('\n')}`);
      return { requests, commits };
    });
  }

  /** Kills a run at each of `points`, then runs again until all is done. Answers what went wrong, with its point. */
  async survive(points: KillPoint[][]): Promise<string[]> {
    const wrong: string[] = [];
    const queue = points.values();
    // A killed run often leaves the next one waiting for the quiet time: four at a time keep two cores busy.
    const worker = async () => {
      for (const series of queue) {
        let problems: string[] = [];
        // A machine that is busy with other things starts the next run too late for it to meet a payment.
        for (let tries = 0; tries < 3; tries += 1) {
          problems = await this.#onCopy((world, proxy) => this.#killed(world, proxy, series));
          if (!problems.includes(NOT_MET)) break;
        }
        wrong.push(...problems.map((problem) => `${series.map(describe).join(', then ')}: ${problem}`));
      }
    };
    await Promise.all([worker(), worker(), worker(), worker()]);
    return wrong;
  }

  async #killed(world: World, proxy: CommitProxy | null, series: KillPoint[]): Promise<string[]> {
    const races: Killed['raced'][] = [];
    for (const point of series) {
      const { signal, raced } = await this.#kill(world, proxy, point);
      // How many requests a run has left that meets a payment which goes on, depends on which of the two is faster.
      if (signal !== 'SIGKILL' && races.length === 0) return [`${describe(point)} was not reached`];
      races.push(raced);
    }
    return await finish(world, races);
  }

  async #kill(world: World, proxy: CommitProxy | null, point: KillPoint): Promise<Killed> {
    if (point.at === 'commit') return await this.#killAtCommit(world, proxy, point);
    const { n, phase, until } = point;
    return await killWhen(world, world.simulator(), (request, at) => request.n === n && at === phase, until);
  }

  async #killAtCommit(
    world: World,
    proxy: CommitProxy | null,
    { n, phase }: { n: number; phase: 'before' | 'after' },
  ): Promise<Killed> {
    const command = world.start(['poll', '--json'], this.#counting(`${phase}:${n}`));
    if (proxy) {
      proxy.commits = 0;
      proxy.onCommit = async (seen, at) => {
        if (seen !== n || at !== phase) return undefined;
        command.child.kill('SIGKILL');
        await command.ended;
        return 'drop';
      };
    }
    const { signal } = await command.ended;
    if (proxy) proxy.onCommit = undefined;
    return { signal, raced: () => true };
  }

  #counting(at: string) {
    return this.#template.ledgerUrl.startsWith('sqlite:')
      ? { node: ['--import', this.#preload], env: { KILL_AT_COMMIT: at } }
      : {};
  }

  async #onCopy<T>(work: (world: World, proxy: CommitProxy | null) => Promise<T>): Promise<T> {
    const stack = new AsyncDisposableStack();
    try {
      if (this.#template.ledgerUrl.startsWith('sqlite:')) {
        const world = await fork(this.#template);
        stack.defer(() => world.stop());
        return await work(world, null);
      }
      const { hostname, port } = new URL(this.#template.ledgerUrl);
      const proxy = await startCommitProxy({ host: hostname, port: Number(port) });
      stack.defer(() => proxy.close());
      const world = await fork(this.#template, proxy.port);
      stack.defer(() => world.stop());
      return await work(world, proxy);
    } finally {
      await stack.disposeAsync();
    }
  }
}

/** What the auditor and the program's own `verify` find wrong. */
export async function judge(world: World): Promise<string[]> {
  const { violations } = await audit(world);
  const { url, password } = loadConfig(world.configFile, {}).ledger;
  const ledger = await openLedger({ url, password, use: 'read' });
  try {
    const { differences } = await verifyLedger(ledger.db);
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
  /** Whether the next run met the payment that went on; true where none did. */
  raced(): boolean;
}

/**
 * Starts a run and kills it at the first request and phase that is `hit`; with `until` LNbits then goes on with that
 * request. Resolves when the run is gone.
 */
export async function killWhen<R extends { kind: string; hash: string | null }, P>(
  world: World,
  lnbits: Watched<R, P | 'before' | 'after'>,
  hit: (request: R, phase: P | 'before' | 'after') => boolean,
  until?: SlowUntil,
): Promise<Killed> {
  lnbits.clearLog();
  const command = world.start(['poll', '--json']);
  const over = Promise.withResolvers<void>();
  let raced = until === undefined;
  let slow: string | null = null;
  const met = () => {
    raced = true;
    over.resolve();
  };
  // The payment of a run that was killed before this one may still go on.
  const earlier = lnbits.onRequest;
  lnbits.onRequest = async (request, at) => {
    await earlier?.(request, at);
    if (slow !== null && request.hash === slow) {
      if (until === 'asked' && request.kind === 'find' && at === 'before') met();
      if (until === 'answered' && request.kind === 'find' && at === 'after') met();
      if (until === 'sent' && request.kind === 'pay' && at === 'before') met();
      return;
    }
    if (slow !== null || !hit(request, at)) return;
    slow = request.hash ?? '';
    command.child.kill('SIGKILL');
    await command.ended;
    if (until === undefined) return 'drop';
    await Promise.race([over.promise, sleep(SLOW_MS, undefined, { ref: false })]);
  };
  const { signal } = await command.ended;
  return { signal, raced: () => raced };
}

/** Runs until one has nothing left to do, and says what is wrong then. */
export async function finish(world: World, races: Killed['raced'][] = []): Promise<string[]> {
  let said = '';
  for (let run = 0; run < MORE_RUNS; run += 1) {
    const ran = await world.aioDca(['poll', '--json']);
    if (ran.code === 0) {
      const met = races.every((raced) => raced());
      return [...(met ? [] : [NOT_MET]), ...(await judge(world))];
    }
    said = `exit ${ran.code}: ${ran.stdout}${ran.stderr}`;
  }
  return [`${MORE_RUNS} runs after it: ${said}`];
}

function describe(point: KillPoint): string {
  const slow = point.at === 'request' && point.until ? `, and LNbits goes on until it is ${point.until}` : '';
  return `${point.phase} ${point.at} ${point.n}${slow}`;
}
