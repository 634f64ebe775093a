import { readFileSync } from 'node:fs';
import type { Command, Ran } from '../../support/command.ts';
import { fork } from '../../support/fork.ts';
import type { Phase } from '../../support/lnbits-simulator.ts';
import { until } from '../../support/ssh.ts';
import { isCommit, startWireProxy, type WireProxy } from '../../support/wire-proxy.ts';
import type { World } from '../../support/world.ts';

/* Runs that are suspended (SIGSTOP), each at another point and on its own copy of a world. */

export const POLL = ['poll', '--json'];

/** Before a commit, its transaction is open and holds the ledger's lock. */
export type StopPoint =
  | { at: 'request'; n: number; phase: Phase }
  | { at: 'commit'; n: number; phase: 'before' | 'after' };

export interface Stopped extends Command {
  wake(): void;
}

/** A copy of a world, with a proxy that counts commits where the ledger is on a server. */
export interface Copy {
  world: World;
  proxy: WireProxy | null;
}

const PRELOAD = new URL('../../support/kill-at-commit.mjs', import.meta.url).href;

export async function onCopy<T>(template: World, work: (copy: Copy) => Promise<T>): Promise<T> {
  await using stack = new AsyncDisposableStack();
  const { ledgerUrl } = template;
  const { hostname: host, port } = ledgerUrl.startsWith('sqlite:')
    ? { hostname: '', port: '' }
    : new URL(ledgerUrl);
  const proxy = host === '' ? null : await startWireProxy({ host, port: Number(port) }, isCommit);
  if (proxy) stack.defer(() => proxy.close());
  const world = await fork(template, proxy ? { ledger: proxy.port } : {});
  stack.defer(() => world.stop());
  return await work({ world, proxy });
}

/** How many commits a run on that copy makes. */
export async function commitsOf({ world, proxy }: Copy): Promise<number> {
  const ran = await world.must(POLL, proxy ? {} : atCommit('count:0'));
  return proxy ? proxy.count : Number(/commits: (\d+)/.exec(ran.stderr)?.[1]);
}

/** Starts a run; resolves once it is suspended. LNbits goes on with its request. */
export async function stopAt({ world, proxy }: Copy, point: StopPoint): Promise<Stopped> {
  const inFile = point.at === 'commit' && proxy === null;
  const command = world.start(POLL, inFile ? atCommit(`${point.phase}:${point.n}`, 'SIGSTOP') : {});
  const awake = Promise.withResolvers<undefined>();
  const stop = () => void command.child.kill('SIGSTOP');
  if (point.at === 'request')
    world.simulator().onRequest = (request, phase) => {
      if (request.n === point.n && phase === point.phase) stop();
    };
  else if (proxy) {
    proxy.count = 0;
    proxy.onStatement = async (n, phase) => {
      if (n !== point.n || phase !== point.phase) return undefined;
      stop();
      // A process that is suspended before its commit has not sent it.
      return phase === 'before' ? await awake.promise : undefined;
    };
  }
  await until(() => command.child.exitCode !== null || standsStill(command), 'the run stands still', 120_000);
  world.simulator().onRequest = undefined;
  if (proxy) proxy.onStatement = undefined;
  return {
    ...command,
    wake: () => {
      awake.resolve(undefined);
      command.child.kill('SIGCONT');
    },
  };
}

export function words({ code, stdout, stderr }: Ran): string {
  return `exit ${code}: ${stdout}${stderr}`;
}

/** The state in /proc/PID/stat (proc_pid_stat(5)), after the name. */
function standsStill({ child }: Command): boolean {
  return /^.*\) T/s.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'));
}

function atCommit(at: string, signal: NodeJS.Signals = 'SIGKILL') {
  return { node: ['--import', PRELOAD], env: { KILL_AT_COMMIT: at, AT_COMMIT_SIGNAL: signal } };
}

export type Turn = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets `size` pieces of work go on at once, the others wait for their turn. */
export function turns(size: number): Turn {
  let free = size;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
