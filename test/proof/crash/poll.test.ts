import { afterAll, describe, expect, test } from 'vitest';
import { type Course, type KillPoint, KillSeries, QUIET, type SlowUntil } from '../../support/kill.ts';
import { startWorld, type World, type WorldOptions } from '../../support/world.ts';

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
  at: (course: Course, series: KillSeries) => KillPoint[][] | Promise<KillPoint[][]>;
}>([
  {
    name: 'LNbits 1.0, one payout per client, at each request',
    options: { lnbitsVersion: '1.0.0' },
    at: atRequests,
  },
  {
    name: 'LNbits 1.6, one payout per client and cash-out, at each request',
    options: { lnbitsVersion: '1.6.2', payouts: 'batch = "cash-out"' },
    at: atRequests,
  },
  {
    name: 'a ledger on PostgreSQL, at each request that makes something',
    options: { lnbitsVersion: '1.6.2', ledger: 'postgresql' },
    at: ({ requests }) =>
      requests
        .filter(({ kind }) => kind === 'invoice' || kind === 'pay')
        .map(({ n }) => [{ at: 'request', n, phase: 'after' }]),
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
])('$name', ({ options, at }) => {
  test('a killed run loses nothing and pays nothing twice', { timeout: 180_000 }, async () => {
    const world = await threeClients(options);
    try {
      const series = new KillSeries(world);
      const kills = await at(await series.course(), series);
      points += kills.length;
      expect(kills.length).toBeGreaterThan(5);
      expect(await series.survive(kills)).toEqual([]);
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

/** Before and after each request, and each payment going on after the kill, before its debit and before its credit. */
function atRequests({ requests }: Course): KillPoint[][] {
  const payments = requests.filter(({ kind }) => kind === 'pay');
  // Three payments are there in any case: every way of going on is tried on one of them.
  const slow = payments.flatMap(({ n }, index): KillPoint[][] => {
    const until = SLOW[index % SLOW.length] ?? 'sent';
    return [
      [{ at: 'request', n, phase: 'before', until }],
      // Once it is debited, nobody sends it again.
      [{ at: 'request', n, phase: 'between', until: until === 'sent' ? 'answered' : until }],
    ];
  });
  const each = requests.flatMap(({ n }): KillPoint[][] => [
    [{ at: 'request', n, phase: 'before' }],
    [{ at: 'request', n, phase: 'after' }],
  ]);
  return [...each, ...slow];
}

function atCommits({ commits }: Course): KillPoint[][] {
  return Array.from({ length: commits }, (_, index) => index + 1).flatMap((n): KillPoint[][] => [
    [{ at: 'commit', n, phase: 'before' }],
    [{ at: 'commit', n, phase: 'after' }],
  ]);
}

/** The second payment goes on when its run is killed, and so is the next run, at each of its requests. */
async function twice({ requests }: Course, series: KillSeries): Promise<KillPoint[][]> {
  const second = requests.filter(({ kind }) => kind === 'pay')[1];
  if (!second) throw new Error('the course has no second payment');
  const first: KillPoint = { at: 'request', n: second.n, phase: 'before', until: 'answered' };
  const next = await series.course(first);
  return next.requests.flatMap(({ n }): KillPoint[][] => [
    [first, { at: 'request', n, phase: 'before' }],
    [first, { at: 'request', n, phase: 'after' }],
  ]);
}
