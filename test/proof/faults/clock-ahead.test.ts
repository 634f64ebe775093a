import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { RunOptions } from '../../support/command.ts';
import { finish } from '../../support/kill.ts';
import { lnbitsVersions } from '../../support/lnbits.ts';
import { startWorld, type World } from '../../support/world.ts';

/*
 * Clocks that are ahead while LNbits is still at what an earlier run asked for, and a Lamassu whose own clock is ahead
 * for a run.
 */

vi.setConfig({ testTimeout: 120_000 });

const HOUR = 3_600_000;
const preload = new URL('../../support/clock-shift.mjs', import.meta.url).href;
const hourAhead: RunOptions = { node: ['--import', preload], env: { CLOCK_SHIFT: `${HOUR}` } };

/** Longer than LNbits takes for what it still has to do, by any clock that is right. */
const QUIET = '6 s';
const STILL_MS = 1_500;

async function alicesWorld(options: Parameters<typeof startWorld>[0]): Promise<World> {
  const world = await startWorld({ tunnel: 'direct', quiet: QUIET, ...options });
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.addFunding('alice', '60000 GTQ');
  return world;
}

/**
 * A run is killed as LNbits is at its request, which goes on until somebody has looked or `waits`, and a while longer.
 */
async function killedAt(
  world: World,
  kind: 'pay' | 'credit',
  at: 'before' | 'checked',
  waits?: Promise<void>,
): Promise<void> {
  const lnbits = world.simulator();
  const command = world.start(['poll', '--json']);
  const looked = Promise.withResolvers<void>();
  let killed = false;
  lnbits.onRequest = async (request, phase) => {
    if (killed && phase === 'after' && ['find', 'list'].includes(request.kind)) looked.resolve();
    if (killed || request.kind !== kind || phase !== at) return;
    killed = true;
    command.child.kill('SIGKILL');
    await (waits ?? looked.promise);
    await sleep(STILL_MS);
  };
  expect((await command.ended).signal).toBe('SIGKILL');
}

describe.concurrent.each(lnbitsVersions)(
  'LNbits %s is still working on it, and the next run has a clock an hour ahead',
  (lnbitsVersion) => {
    test('a payment', async () => {
      await using stack = new AsyncDisposableStack();
      const world = await alicesWorld({ lnbitsVersion });
      stack.defer(() => world.stop());
      await world.insertCashOut();
      await killedAt(world, 'pay', 'checked');
      await world.aioDca(['poll', '--json'], hourAhead);
      expect(await finish(world)).toEqual([]);
    });

    test('a credit of the source wallet', async () => {
      await using stack = new AsyncDisposableStack();
      const world = await alicesWorld({ lnbitsVersion, credit: true });
      stack.defer(() => world.stop());
      await world.insertCashOut();
      await killedAt(world, 'credit', 'before');
      await world.aioDca(['poll', '--json'], hourAhead);
      expect(await finish(world)).toEqual([]);
    });

    test.each([
      ['a payment', 'pay', 'checked', ['payouts', 'resolve', 'p1', '--not-paid']],
      ['a credit', 'credit', 'before', ['credits', 'resolve', 'c1', '--not-credited', '--yes']],
    ] as const)('the operator decides about %s by such a clock', async (_, kind, at, command) => {
      await using stack = new AsyncDisposableStack();
      const world = await alicesWorld({ lnbitsVersion, credit: kind === 'credit' });
      stack.defer(() => world.stop());
      await world.insertCashOut();
      const waits = Promise.withResolvers<void>();
      await killedAt(world, kind, at, waits.promise);
      const said = world.start([...command, '--reason', 'nothing there'], hourAhead);
      said.child.stderr?.on('data', (text: string) => {
        if (text.includes('Waiting 6 s')) waits.resolve();
      });
      await said.ended;
      waits.resolve();
      expect(await finish(world)).toEqual([]);
    });
  },
);

describe.concurrent.each([
  { overlap: '1 hour', hours: 24 },
  { overlap: '7 days', hours: 24 * 8 },
])("an overlap of $overlap, and Lamassu's clock $hours hours ahead for a run", ({ overlap, hours }) => {
  test('rows confirmed after it was corrected are read', async () => {
    await using stack = new AsyncDisposableStack();
    const world = await alicesWorld({ lamassu: `overlap = "${overlap}"` });
    stack.defer(() => world.stop());
    const role = /^user = "(aio_dca_\w+)"$/m.exec(await readFile(world.configFile, 'utf8'))?.[1];
    const confirmed = (ms: number) =>
      world.insertCashOut({ confirmed_at: new Date(Date.now() + ms).toISOString() });
    await world.lamassu.query(
      `create function public.now() returns timestamptz language sql stable
         as $$ select pg_catalog.now() + interval '${hours} hours' $$`,
    );
    await world.lamassu.query(`alter role ${role} set search_path = public, pg_catalog`);
    await confirmed(hours * HOUR - 1_000);
    await world.aioDca(['poll', '--json']);
    await world.lamassu.query(`alter role ${role} reset search_path`);
    await world.lamassu.query('drop function public.now()');
    const doctor = await world.aioDca(['doctor', '--json']);
    expect(doctor.stdout).toContain("which Lamassu's clock has not reached");
    await confirmed(-1_000);
    await world.aioDca(['poll', '--json']);
    expect(await finish(world)).toEqual([]);
  });
});
