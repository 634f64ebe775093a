import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Command, Ran } from '../../support/command.ts';
import { fork } from '../../support/fork.ts';
import { finish, QUIET } from '../../support/kill.ts';
import { ledgerSql } from '../../support/ledger-sql.ts';
import { ledgerKinds } from '../../support/ledgers.ts';
import type { Phase, SeenRequest } from '../../support/lnbits-simulator.ts';
import { until } from '../../support/ssh.ts';
import { isCommit, startWireProxy, type WireProxy } from '../../support/wire-proxy.ts';
import { startWorld, type World } from '../../support/world.ts';
import { chanceOf } from '../chance.ts';
import { long } from '../seed.ts';

/*
 * A run that stands still (SIGSTOP) in any state of a payment until its lease has expired. Another run takes over, and
 * the first one wakes up when that is done, or in the middle of it. What it does then pays nobody twice, and everything
 * is as it must be in the end. All of them stand still at once, so that the lease is waited for once.
 */

type StopPoint = { at: 'request'; n: number; phase: Phase } | { at: 'commit'; n: number; phase: 'after' };

interface Stop {
  name: string;
  /** Not left out where there is no time for all of them. */
  always: boolean;
  point: StopPoint;
}

const POLL = ['poll', '--json'];
const PRELOAD = new URL('../../support/kill-at-commit.mjs', import.meta.url).href;
/** Of the points that may be left out, how many are tried where there is no time for all. */
const SHARE = 0.2;

const ONLY = process.env.AIO_DCA_PROOF_POINT;

test.concurrent.each(ledgerKinds)(
  'a ledger on %s: a run that wakes up after another one took its place does no harm',
  { timeout: 1_200_000 },
  async (ledger) => {
    if (ONLY !== undefined && !ONLY.startsWith(`${ledger}: `)) return;
    const world = await twoClients(ledger);
    try {
      const all = stopsOf(ledger, await courseOf(world));
      const chosen = all.filter(({ name, always }) =>
        ONLY === undefined ? long || always || chanceOf(name)() < SHARE : name === ONLY,
      );
      expect(chosen.length, ONLY).toBeGreaterThan(0);
      const turn = turns(3);
      const ends = await Promise.all(chosen.map((stop) => tryStop(world, stop, turn)));
      const lost = ends.filter((end) => end.lostLease).length;
      const wrong = ends.flatMap(({ problems }, index) =>
        problems.map((problem) => `AIO_DCA_PROOF_POINT='${chosen[index]?.name}': ${problem}`),
      );
      process.stdout.write(
        `${ledger}: stopped at ${chosen.length} of ${all.length} points, ${lost} lost their lease, ${wrong.length} problems\n`,
      );
      expect(wrong).toEqual([]);
      if (ONLY === undefined) expect(lost).toBeGreaterThan(chosen.length / 2);
    } finally {
      await world.stop();
    }
  },
);

async function twoClients(ledger: (typeof ledgerKinds)[number]): Promise<World> {
  const world = await startWorld({ ledger, tunnel: 'direct', quiet: QUIET });
  try {
    await world.must(['migrate']);
    for (const client of ['alice', 'bob']) {
      await world.addClient(client);
      await world.addFunding(client, '3000 GTQ');
    }
    await world.insertCashOut();
    // Its copies share a role, of which a run that stands still may hold a session.
    const [, role] = /^user = "(aio_dca_\w+)"$/m.exec(readFileSync(world.configFile, 'utf8')) ?? [];
    await world.lamassu.query(`alter role ${role} connection limit -1`);
    return world;
  } catch (error) {
    await world.stop();
    throw error;
  }
}

/** What a run does that nobody disturbs. */
async function courseOf(template: World): Promise<{ requests: SeenRequest[]; commits: number }> {
  return await onCopy(template, async (world, proxy) => {
    const options = proxy ? {} : atCommit('count:0');
    const ran = await world.must(POLL, options);
    const commits = proxy ? proxy.count : Number(/commits: (\d+)/.exec(ran.stderr)?.[1]);
    return { requests: [...world.simulator().requests], commits };
  });
}

function stopsOf(
  ledger: string,
  { requests, commits }: { requests: SeenRequest[]; commits: number },
): Stop[] {
  const phases = (kind: SeenRequest['kind']): Phase[] =>
    kind === 'pay' ? ['before', 'between', 'after'] : ['before', 'after'];
  const firstPay = requests.find(({ kind }) => kind === 'pay')?.n ?? 0;
  return [
    ...requests.flatMap(({ n, kind }) =>
      phases(kind).map(
        (phase): Stop => ({
          name: `${ledger}: ${phase} request ${n} (${kind})`,
          // The invoice, the payment and the look at it; the second payment's are like the first one's.
          always: Math.abs(n - firstPay) <= 1,
          point: { at: 'request', n, phase },
        }),
      ),
    ),
    // After the last one the lease is given back.
    ...Array.from(
      { length: commits - 1 },
      (_, index): Stop => ({
        name: `${ledger}: after commit ${index + 1}`,
        always: index < commits / 2,
        point: { at: 'commit', n: index + 1, phase: 'after' },
      }),
    ),
  ];
}

interface End {
  problems: string[];
  /** Whether the stopped run noticed, once awake, that another one had taken its place. */
  lostLease: boolean;
}

async function tryStop(template: World, { name, point }: Stop, turn: Turn): Promise<End> {
  return await onCopy(template, async (world, proxy) => {
    const stopped = await turn(() => stopAt(world, proxy, point));
    try {
      const [lease] = await ledgerSql(world.ledgerUrl, 'select run_id, expires_at from lease');
      if (!lease)
        return { problems: [`it was over before: ${words(await stopped.ended)}`], lostLease: false };
      const expires = Date.parse(`${lease.expires_at}`);
      await until(() => Date.now() > expires, 'the lease expires', 60_000);
      return await turn(() => takeOver(world, stopped, chanceOf(`${name}, woken`)() < 0.5));
    } finally {
      stopped.child.kill('SIGKILL');
      await stopped.ended;
    }
  });
}

/** Starts a run; resolves once it stands still. What it asked LNbits for goes on without it. */
async function stopAt(world: World, proxy: WireProxy | null, point: StopPoint): Promise<Command> {
  const inFile = point.at === 'commit' && proxy === null;
  const command = world.start(POLL, inFile ? atCommit(`${point.phase}:${point.n}`, 'SIGSTOP') : {});
  const stop = () => void command.child.kill('SIGSTOP');
  if (point.at === 'request')
    world.simulator().onRequest = (request, phase) => {
      if (request.n === point.n && phase === point.phase) stop();
    };
  else if (proxy) {
    proxy.count = 0;
    proxy.onStatement = async (n, phase) => {
      if (n === point.n && phase === point.phase) stop();
      return undefined;
    };
  }
  await until(() => command.child.exitCode !== null || standsStill(command), 'the run stands still');
  world.simulator().onRequest = undefined;
  if (proxy) proxy.onStatement = undefined;
  return command;
}

/** Another run does the work; the first one wakes up after it, or at its first payment. */
async function takeOver(world: World, stopped: Command, meanwhile: boolean): Promise<End> {
  const problems: string[] = [];
  const wake = () => void stopped.child.kill('SIGCONT');
  if (meanwhile)
    world.simulator().onRequest = ({ kind }, phase) => {
      if ((kind === 'pay' || kind === 'find') && phase === 'before') wake();
    };
  const other = await world.aioDca(POLL);
  wake();
  const first = await stopped.ended;
  for (const ran of [other, first]) if (ran.code !== 0 && ran.code !== 75) problems.push(words(ran));
  problems.push(...(await finish(world)));
  return { problems, lostLease: first.stdout.includes('"run/lost-lease"') };
}

function words({ code, stdout, stderr }: Ran): string {
  return `exit ${code}: ${stdout}${stderr}`;
}

/** The state in /proc/PID/stat (proc_pid_stat(5)), after the name. */
function standsStill({ child }: Command): boolean {
  return /^.*\) T/s.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'));
}

function atCommit(at: string, signal: NodeJS.Signals = 'SIGKILL') {
  return { node: ['--import', PRELOAD], env: { KILL_AT_COMMIT: at, AT_COMMIT_SIGNAL: signal } };
}

/** A copy of the world, with a proxy that counts commits where the ledger is on a server. */
async function onCopy<T>(
  template: World,
  work: (world: World, proxy: WireProxy | null) => Promise<T>,
): Promise<T> {
  await using stack = new AsyncDisposableStack();
  const { ledgerUrl } = template;
  const { hostname: host, port } = ledgerUrl.startsWith('sqlite:')
    ? { hostname: '', port: '' }
    : new URL(ledgerUrl);
  const proxy = host === '' ? null : await startWireProxy({ host, port: Number(port) }, isCommit);
  if (proxy) stack.defer(() => proxy.close());
  const world = await fork(template, proxy ? { ledger: proxy.port } : {});
  stack.defer(() => world.stop());
  return await work(world, proxy);
}

type Turn = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets `size` pieces of work go on at once, the others wait for their turn. */
function turns(size: number): Turn {
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
