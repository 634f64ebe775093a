import { expect, test } from 'vitest';
import { finish } from '../../support/kill.ts';
import { ledgerSql } from '../../support/ledger-sql.ts';
import { type LedgerKind, ledgerKinds } from '../../support/ledgers.ts';
import { type LnbitsVersion, lnbitsVersions } from '../../support/lnbits.ts';
import type { Phase, SeenRequest } from '../../support/lnbits-simulator.ts';
import { until } from '../../support/ssh.ts';
import type { World } from '../../support/world.ts';
import { chanceOf } from '../chance.ts';
import { long, seed } from '../seed.ts';
import { type Day, startDay } from './days.ts';
import {
  commitsOf,
  onCopy,
  POLL,
  type StopPoint,
  type Stopped,
  stopAt,
  type Turn,
  turns,
  words,
} from './stop.ts';

/*
 * A run that is suspended (SIGSTOP) in any state of a payment until its lease has expired. Another run takes over, and
 * the first one wakes up when that is done, or in the middle of it. It pays nobody twice then, and in the end
 * everything is right. Many are suspended at once, so the tests wait for the lease only once.
 */

interface Stop {
  name: string;
  /** Not left out where there is no time for all of them. */
  always: boolean;
  point: StopPoint;
}

interface Case {
  ledger: LedgerKind;
  lnbits: LnbitsVersion;
  day: Day;
}

const ALL: Case[] = ledgerKinds.flatMap((ledger) =>
  lnbitsVersions.flatMap((lnbits) => [
    { ledger, lnbits, day: 'fresh' as const },
    { ledger, lnbits, day: 'troubled' as const },
  ]),
);
const CASES = ALL.filter(
  ({ ledger, lnbits, day }) =>
    long || (lnbits === '1.6.2') === (day === 'fresh' ? true : ledger === 'postgresql'),
);
/** Of the points that may be left out, how many are tried where there is no time for all. */
const SOME = 5;
const MOST_TRIES = 3;
/** Each takes the memory of a process. */
const standing = turns(60);
/** The other run is that far, at the most, when the first one wakes up meanwhile. */
const LATEST_LOOK = 6;

const ONLY = process.env.AIO_DCA_PROOF_POINT;

test.concurrent.each(CASES)(
  'a ledger on $ledger, LNbits $lnbits, a $day day: a run that wakes up after another one took its place does no harm',
  { timeout: long ? 7_200_000 : 1_200_000 },
  async ({ ledger, lnbits, day }) => {
    const title = `${ledger}, LNbits ${lnbits}, ${day}`;
    if (ONLY !== undefined && !ONLY.startsWith(`${title}: `)) return;
    const world = await startDay(ledger, lnbits, day);
    try {
      const all = stopsOf(title, day, await courseOf(world));
      const chosen = ONLY === undefined ? choose(all) : all.filter(({ name }) => name === ONLY);
      expect(chosen.length, ONLY).toBeGreaterThan(0);
      // They wait for most of the time: on a troubled day, and for what the run whose place they take may still send.
      const turn = turns(6);
      const ends = await Promise.all(chosen.map((stop) => standing(() => tryStop(world, stop, turn))));
      const lost = ends.filter((end) => end.lostLease).length;
      const wrong = ends.flatMap(({ problems }, index) =>
        problems.map(
          (problem) => `AIO_DCA_PROOF_SEED=${seed} AIO_DCA_PROOF_POINT='${chosen[index]?.name}': ${problem}`,
        ),
      );
      process.stdout.write(
        `${title}: stopped at ${chosen.length} of ${all.length} points, ${lost} lost their lease, ${wrong.length} problems\n`,
      );
      expect(wrong).toEqual([]);
      if (ONLY === undefined) expect(lost).toBeGreaterThan(chosen.length / 2);
    } finally {
      await world.stop();
    }
  },
);

function choose(stops: Stop[]): Stop[] {
  if (long) return stops;
  const others = stops
    .filter(({ always }) => !always)
    .map((stop) => ({ stop, rank: chanceOf(stop.name)() }))
    .sort((a, b) => a.rank - b.rank);
  return [...stops.filter(({ always }) => always), ...others.slice(0, SOME).map(({ stop }) => stop)];
}

interface Course {
  /** The phases of its requests that come to pass: LNbits does not begin with each payment that it is asked for. */
  requests: { n: number; kind: SeenRequest['kind']; phase: Phase }[];
  commits: number;
}

/** What a run does that nobody disturbs. */
async function courseOf(template: World): Promise<Course> {
  return await onCopy(template, async (copy) => {
    const requests: Course['requests'] = [];
    copy.world.simulator().onRequest = ({ n, kind }, phase) => void requests.push({ n, kind, phase });
    return { commits: await commitsOf(copy), requests };
  });
}

function stopsOf(title: string, day: Day, { requests, commits }: Course): Stop[] {
  const firstPay = requests.find(({ kind }) => kind === 'pay')?.n ?? 0;
  return [
    ...requests.map(
      ({ n, kind, phase }): Stop => ({
        name: `${title}: ${phase} request ${n} (${kind})`,
        // The invoice, the payment and the look at it; the second payment's are like the first one's.
        always: day === 'fresh' && Math.abs(n - firstPay) <= 1,
        point: { at: 'request', n, phase },
      }),
    ),
    // After the last one the lease is given back.
    ...Array.from(
      { length: commits - 1 },
      (_, index): Stop => ({
        name: `${title}: after commit ${index + 1}`,
        always: day === 'fresh' && index < commits / 2,
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

async function tryStop(template: World, stop: Stop, turn: Turn): Promise<End> {
  // A busy machine may be so slow that the quiet time is over before a run has looked at all: it asks for less then.
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    const end = await stopOnce(template, stop, turn);
    if (end) return end;
  }
  return { problems: ['the run was over before'], lostLease: false };
}

/** Undefined if the run was over before it came to that point. */
async function stopOnce(template: World, { name, point }: Stop, turn: Turn): Promise<End | undefined> {
  return await onCopy(template, async (copy) => {
    const { world } = copy;
    const stopped = await turn(() => stopAt(copy, point));
    try {
      const [lease] = await ledgerSql(world.ledgerUrl, 'select run_id, expires_at from lease');
      if (!lease) return undefined;
      const expires = Date.parse(`${lease.expires_at}`);
      await until(() => Date.now() > expires, 'the lease expires', 60_000);
      return await turn(() => takeOver(world, stopped, chanceOf(`${name}, woken`)));
    } finally {
      stopped.child.kill('SIGKILL');
      await stopped.ended;
    }
  });
}

/** Another run does the work; the first one wakes up after it, or at one of its payments or looks. */
async function takeOver(world: World, stopped: Stopped, chance: () => number): Promise<End> {
  const problems: string[] = [];
  let left = chance() < 0.5 ? 1 + Math.floor(chance() * LATEST_LOOK) : Number.POSITIVE_INFINITY;
  world.simulator().onRequest = ({ kind }, phase) => {
    if ((kind !== 'pay' && kind !== 'find') || phase !== 'before') return;
    left -= 1;
    if (left === 0) stopped.wake();
  };
  const other = await world.aioDca(POLL);
  stopped.wake();
  const first = await stopped.ended;
  for (const ran of [other, first]) if (ran.code !== 0 && ran.code !== 75) problems.push(words(ran));
  problems.push(...(await finish(world)));
  return { problems, lostLease: first.stdout.includes('"run/lost-lease"') };
}
