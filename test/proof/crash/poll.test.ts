import { afterAll, describe, expect, test } from 'vitest';
import { type Course, type KillPoint, KillSeries, QUIET, type SlowUntil } from '../../support/kill.ts';
import { startWorld, type World, type WorldOptions } from '../../support/world.ts';
import { long } from '../seed.ts';
import { always, atCommits, atRequests, isAsked, type Point, tryPoints } from './points.ts';

/*
 * Whenever a run is killed, the runs after it finish exactly: each client holds what is due, to the sat. Three
 * clients and two cash-outs, of which the second takes more cash than the clients have left.
 */

const SLOW: SlowUntil[] = ['asked', 'answered', 'sent'];
let points = 0;

afterAll(() => {
  process.stdout.write(`kill points: ${points}\n`);
});

describe.each<{
  name: string;
  options: WorldOptions;
  at: (course: Course, series: KillSeries) => Point[] | Promise<Point[]>;
}>([
  {
    name: 'LNbits 1.0, one payout per client, at each request',
    options: { lnbitsVersion: '1.0.0' },
    at: withPayments,
  },
  {
    name: 'LNbits 1.6, one payout per client and cash-out, at each request',
    options: { lnbitsVersion: '1.6.2', payouts: 'batch = "cash-out"' },
    at: withPayments,
  },
  {
    name: 'a ledger on PostgreSQL, at each request that makes something',
    options: { lnbitsVersion: '1.6.2', ledger: 'postgresql' },
    at: ({ requests }) =>
      requests
        .filter(({ kind }) => kind === 'invoice' || kind === 'pay')
        .map(({ n }) => always({ at: 'request', n, phase: 'after' })),
  },
  { name: 'a ledger on SQLite, at each commit', options: { lnbitsVersion: '1.0.0' }, at: atCommits },
  {
    name: 'a ledger on PostgreSQL, at each commit',
    options: { lnbitsVersion: '1.6.2', ledger: 'postgresql' },
    at: atCommits,
  },
  {
    name: 'LNbits 1.0, the run after a kill in the middle of a payment killed as well, at each request',
    options: { lnbitsVersion: '1.0.0' },
    at: twice,
  },
])('$name', ({ name, options, at }) => {
  const title = 'a killed run loses nothing and pays nothing twice';
  test.skipIf(!isAsked(name))(title, { timeout: long ? 3_600_000 : 600_000 }, async () => {
    const world = await threeClients(options);
    try {
      const series = new KillSeries(world);
      const all = await at(await series.course(), series);
      expect(all.length).toBeGreaterThan(5);
      const { tried, wrong } = await tryPoints(series, { file: 'poll', place: name }, all);
      points += tried;
      expect(tried).toBeGreaterThan(0);
      expect(wrong).toEqual([]);
    } finally {
      await world.stop();
    }
  });
});

async function threeClients(options: WorldOptions): Promise<World> {
  const world = await startWorld({ tunnel: 'direct', quiet: QUIET, ...options });
  try {
    await world.must(['migrate']);
    for (const [name, cash] of [
      ['alice', '3000 GTQ'],
      ['bob', '1500 GTQ'],
      ['carol', '800 GTQ'],
    ] as const) {
      await world.addClient(name);
      await world.addFunding(name, cash);
    }
    await world.insertCashOut();
    await world.insertCashOut({
      fiat: '1500.00000',
      crypto_atoms: '192100',
      received_crypto_atoms: '192100',
      confirmed_at: new Date(Date.now() - 600_000).toISOString(),
    });
    return world;
  } catch (error) {
    await world.stop();
    throw error;
  }
}

/** Each request, and each payment going on after the kill: before its check, its debit and its credit. */
function withPayments({ requests }: Course): Point[] {
  const payments = requests.filter(({ kind }) => kind === 'pay');
  // Three payments are there in any case: every way of going on is tried on one of them.
  const slow = payments.flatMap(({ n }, index): Point[] => {
    const until = SLOW[index % SLOW.length] ?? 'sent';
    return [
      always({ at: 'request', n, phase: 'before', until }),
      { kills: [{ at: 'request', n, phase: 'checked', until }], kind: 'checked', share: 0 },
      // Once it is debited, nobody sends it again.
      always({ at: 'request', n, phase: 'between', until: until === 'sent' ? 'answered' : until }),
    ];
  });
  return [...atRequests(requests), ...slow];
}

/** The second payment goes on when its run is killed, and so is the next run, at each of its requests. */
async function twice({ requests }: Course, series: KillSeries): Promise<Point[]> {
  const second = requests.filter(({ kind }) => kind === 'pay')[1];
  if (!second) throw new Error('the course has no second payment');
  const first: KillPoint = { at: 'request', n: second.n, phase: 'before', until: 'answered' };
  const next = await series.course(first);
  // Each waits for the quiet time of the first: of what is not always tried, one will do.
  return atRequests(next.requests).map(({ kills, share }) => ({
    kills: [first, ...kills],
    kind: 'second',
    share,
  }));
}
