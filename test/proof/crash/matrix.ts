import { expect, test } from 'vitest';
import {
  type Course,
  type Killing,
  type KillPoint,
  KillSeries,
  QUIET,
  type SlowUntil,
} from '../../support/kill.ts';
import { insertAction } from '../../support/lamassu.ts';
import type { LnbitsVersion } from '../../support/lnbits.ts';
import { startWorld, type World } from '../../support/world.ts';
import { long } from '../seed.ts';
import { isAsked, type Point, tryPoints, upTo } from './points.ts';

/*
 * A day of a bridge with everything that it pays, command by command. Each command is killed at every request to
 * LNbits, every query to Lamassu and every commit of the ledger, each time on a copy of the installation as the
 * commands before it left it; then it runs again until it has nothing left to do, what waits is paid, and the auditor
 * counts.
 */

/** A command of the day: what happened at the machine before it, and what follows it. */
interface Step {
  name: string;
  before(day: Day): Promise<unknown>;
  /** `poll` where it is left out. */
  command?(day: Day): string[];
  /** What the day still needs after it to leave nothing open. */
  next: string[][];
  /** What is settled by hand when all is done. */
  settled: 'jammed'[];
}

/** The cash-outs that do not simply succeed. */
interface Day {
  world: World;
  jammed: string;
  late: string;
}

const HOUR_MS = 3_600_000;
const hoursAgo = (hours: number) => new Date(Date.now() - hours * HOUR_MS).toISOString();
const FIXED_RUN = ['fixed', 'run', '--json'];

const STEPS: Step[] = [
  { name: 'first poll', before: async () => {}, next: [FIXED_RUN], settled: [] },
  {
    name: 'settle',
    before: async () => {},
    command: ({ jammed }) => ['settle', jammed, '--reason', 'the notes were counted', '--yes', '--json'],
    next: [['poll', '--json'], FIXED_RUN],
    settled: ['jammed'],
  },
  {
    name: 'late redeem',
    before: async ({ world, late }) => {
      await world.lamassu.query('update cash_out_txs set dispense_confirmed = true where id = $1', [late]);
      await sell(world, '2000', '256200');
    },
    next: [FIXED_RUN],
    settled: ['jammed'],
  },
  {
    name: 'fixed run',
    before: async () => {},
    command: () => FIXED_RUN,
    next: [['poll', '--json']],
    settled: ['jammed'],
  },
  {
    name: 'last poll',
    // More cash than the clients have left.
    before: ({ world }) => sell(world, '4000', '512400'),
    next: [FIXED_RUN],
    settled: ['jammed'],
  },
];

/** Defines the test of one installation: `ledger` on that LNbits. */
export function killsOfADay(ledger: 'sqlite' | 'postgresql', lnbitsVersion: LnbitsVersion): void {
  const installation = `${ledger} ${lnbitsVersion}`;
  test.skipIf(!isAsked(installation))(
    `a ledger on ${ledger} with LNbits ${lnbitsVersion}: whatever is killed, nothing is lost and nothing paid twice`,
    { timeout: long ? 7_200_000 : 1_200_000 },
    async () => {
      const day = await startDay(ledger, lnbitsVersion);
      const wrong: string[] = [];
      let tried = 0;
      let all = 0;
      try {
        for (const step of STEPS) {
          await step.before(day);
          const killing: Killing = {
            ...(step.command && { command: step.command(day) }),
            next: step.next,
            settled: step.settled.map((name) => day[name]),
          };
          const series = new KillSeries(day.world, killing);
          const points = pointsOf(await series.course(), SHARES[ledger]);
          const where = { file: 'matrix', place: `${installation}: ${step.name}` };
          const found = await tryPoints(series, where, points);
          all += points.length;
          tried += found.tried;
          wrong.push(...found.wrong);
          const { code, stdout, stderr } = await day.world.aioDca(killing.command ?? ['poll', '--json']);
          if (code !== 0 && code !== 2) throw new Error(`${step.name}: exit ${code}: ${stdout}${stderr}`);
        }
      } finally {
        await day.world.stop();
      }
      process.stdout.write(`${installation}: crash points: ${tried} of ${all}\n`);
      expect(tried).toBeGreaterThan(0);
      expect(wrong).toEqual([]);
    },
  );
}

/**
 * How much is tried where not everything is, besides one of each kind in each command. Of the moments before a commit
 * all: what comes after one is what comes before the next, but for LNbits and Lamassu. PostgreSQL takes twice as long
 * for a copy.
 */
const SHARES = {
  sqlite: { commits: 1, others: 0.03 },
  postgresql: { commits: 0.4, others: 0 },
};

function pointsOf({ requests, queries, commits }: Course, shares: (typeof SHARES)['sqlite']): Point[] {
  const slow: SlowUntil[] = ['asked', 'answered', 'sent', 'over'];
  const others = (kind: string, point: KillPoint): Point => ({ kills: [point], kind, share: shares.others });
  return [
    ...requests.flatMap(({ n, kind }) => [
      others(`before ${kind}`, { at: 'request', n, phase: 'before' }),
      others(`after ${kind}`, { at: 'request', n, phase: 'after' }),
      others('half', { at: 'request', n, phase: 'half' }),
      ...(kind !== 'pay'
        ? []
        : slow.flatMap((until) => [
            others(`until ${until}`, { at: 'request', n, phase: 'before', until }),
            others(`until ${until}`, { at: 'request', n, phase: 'checked', until }),
            // Once it is debited, nobody sends it again.
            ...(until === 'sent'
              ? []
              : [others('between', { at: 'request', n, phase: 'between', until } as const)]),
          ])),
    ]),
    ...upTo(queries).flatMap((n) =>
      (['before', 'after', 'half'] as const).map((phase) =>
        others(`${phase} query`, { at: 'query', n, phase }),
      ),
    ),
    ...upTo(commits).flatMap((n) => [
      {
        kills: [{ at: 'commit', n, phase: 'before' } as const],
        kind: 'before commit',
        share: shares.commits,
      },
      others('half commit', { at: 'commit', n, phase: 'half' }),
      others('after commit', { at: 'commit', n, phase: 'after' }),
    ]),
  ];
}

async function startDay(ledger: 'sqlite' | 'postgresql', lnbitsVersion: LnbitsVersion): Promise<Day> {
  // Fixed mode is due long before and long after the day, and by command in between.
  const due = new Intl.DateTimeFormat('sv-SE', { timeZone: 'America/Guatemala', timeStyle: 'short' });
  const world = await startWorld({
    ...{ ledger, lnbitsVersion, tunnel: 'direct', quiet: QUIET },
    // Narrow enough that the late redeem lies behind it, where only its id finds it.
    lamassu: 'overlap = "1 hour"',
    payouts: 'maximum_sats = 200000',
    config: `[fixed]\ntimes = ["${due.format(new Date(Date.now() + 12 * HOUR_MS))}"]`,
  });
  try {
    await world.must(['migrate']);
    await world.addClient('alice');
    await world.addClient('bob');
    await world.addClient('fay', ['--mode', 'fixed', '--daily-limit', '600 GTQ']);
    await world.addFunding('alice', '6000 GTQ');
    await world.addFunding('bob', '3000 GTQ');
    await world.addFunding('fay', '2500 GTQ');
    await world.addCommission('owner', 2);
    await world.addCommission('shop', 1);
    // Further back than a poll reads again: a mark that ran ahead of it would lose it.
    await sell(world, '1000', '128100', { confirmed_at: hoursAgo(5) });
    await sell(world, '4000', '512400');
    const jammed = await sell(world, '1000', '128100', { dispense_confirmed: false, error: 'jam' });
    const notes = { denomination_1: 200, dispensed_1: 2 };
    await insertAction(world.lamassu, { tx_id: jammed, action: 'dispenseError', ...notes });
    const late = await sell(world, '1500', '192100', {
      dispense_confirmed: false,
      confirmed_at: hoursAgo(3),
    });
    return { world, jammed, late };
  } catch (error) {
    await world.stop();
    throw error;
  }
}

/** A cash-out of this moment: after the commission recipients came. */
function sell(world: World, fiat: string, sats: string, columns: Columns = {}): Promise<string> {
  const confirmed_at = new Date().toISOString();
  const paid = { crypto_atoms: sats, received_crypto_atoms: sats };
  return world.insertCashOut({ fiat, ...paid, confirmed_at, ...columns });
}

type Columns = Parameters<World['insertCashOut']>[0];
