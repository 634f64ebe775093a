import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { fork } from '../../support/fork.ts';
import { type Course, finish, KillSeries, QUIET } from '../../support/kill.ts';
import { startWorld, type World, type WorldOptions } from '../../support/world.ts';
import { long } from '../seed.ts';
import { atCommits, atRequests, isAsked, type Point, tryPoints } from './points.ts';

/*
 * The source wallet holds nothing but what LNbits' superuser credits it with, and the commission has two recipients.
 * Whenever a run is killed, the runs after it finish exactly: what is due is credited once, and paid once.
 */

const ADMIN = ['login', 'account', 'credit'];
let points = 0;

afterAll(() => {
  process.stdout.write(`kill points with credits: ${points}\n`);
});

describe.each<{ name: string; options: WorldOptions; at: (course: Course) => Point[] }>([
  {
    name: 'LNbits 1.6, at each request',
    options: { lnbitsVersion: '1.6.2' },
    at: ({ requests }) => atRequests(requests),
  },
  {
    name: 'LNbits 1.0, at each request of the superuser and each payment',
    options: { lnbitsVersion: '1.0.0' },
    at: ({ requests }) => atRequests(requests.filter(({ kind }) => kind === 'pay' || ADMIN.includes(kind))),
  },
  { name: 'a ledger on SQLite, at each commit', options: { lnbitsVersion: '1.6.2' }, at: atCommits },
  {
    name: 'a ledger on PostgreSQL, at each commit',
    options: { lnbitsVersion: '1.6.2', ledger: 'postgresql' },
    // Each commit once: what comes after it is what comes before the next.
    at: (course) =>
      atCommits(course).filter(
        ({ kills: [kill] }) => kill?.phase !== (kill && kill.n % 2 === 0 ? 'before' : 'after'),
      ),
  },
])('$name', ({ name, options, at }) => {
  const title = 'a killed run credits nothing twice and pays nothing twice';
  test.skipIf(!isAsked(name))(title, { timeout: long ? 3_600_000 : 600_000 }, async () => {
    const world = await twoRecipients(options);
    try {
      const series = new KillSeries(world);
      const course = await series.course();
      expect(course.requests.filter(({ kind }) => kind === 'credit')).toHaveLength(1);
      const { tried, wrong } = await tryPoints(series, { file: 'credit', place: name }, at(course));
      points += tried;
      expect(tried).toBeGreaterThan(0);
      expect(wrong).toEqual([]);
    } finally {
      await world.stop();
    }
  });
});

test.skipIf(!isAsked('LNbits goes on')).concurrent.each([
  ['1.0.0', 'before'],
  ['1.0.0', 'checked'],
  ['1.0.0', 'between'],
  ['1.6.2', 'before'],
  ['1.6.2', 'checked'],
  ['1.6.2', 'between'],
] as const)(
  'LNbits %s goes on with a credit after the run was killed: %s',
  async (version, phase) => {
    const template = await twoRecipients({ lnbitsVersion: version });
    try {
      const world = await fork(template);
      try {
        const command = world.start(['poll', '--json']);
        let killed = false;
        const looked = Promise.withResolvers<void>();
        world.simulator().onRequest = async ({ kind, query }, at) => {
          if (killed && query.has('memo') && at === 'after') looked.resolve();
          if (killed || kind !== 'credit' || at !== phase) return;
          killed = true;
          const over = performance.now() + 3_000;
          command.child.kill('SIGKILL');
          await command.ended;
          // Until the next run has looked for it in vain; on 1.0 it looks after the quiet time only, which is longer.
          await Promise.race([looked.promise, sleep(Math.max(0, over - performance.now()))]);
        };
        const { signal } = await command.ended;
        expect(signal).toBe('SIGKILL');
        expect(await finish(world)).toEqual([]);
      } finally {
        await world.stop();
      }
    } finally {
      await template.stop();
    }
  },
  120_000,
);

async function twoRecipients(options: WorldOptions): Promise<World> {
  const world = await startWorld({ tunnel: 'direct', quiet: QUIET, credit: true, ...options });
  try {
    await world.must(['migrate']);
    await world.addClient('alice');
    await world.addFunding('alice', '3000 GTQ');
    await world.addCommission('owner', 2);
    await world.addCommission('shop', 1);
    // Confirmed after the weights are in force.
    const confirmed_at = new Date().toISOString();
    await world.insertCashOut({ confirmed_at });
    const sats = '192100';
    await world.insertCashOut({
      fiat: '1500.00000',
      crypto_atoms: sats,
      received_crypto_atoms: sats,
      confirmed_at,
    });
    return world;
  } catch (error) {
    await world.stop();
    throw error;
  }
}
