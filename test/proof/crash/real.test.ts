import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finish, killWhen, QUIET, type SlowUntil } from '../../support/kill.ts';
import { lnbitsVersions } from '../../support/lnbits.ts';
import { type ProxiedLnbits, proxied } from '../../support/lnbits-proxy.ts';
import { lnbitsAvailable, startLnbits } from '../../support/lnbits-real.ts';
import { startWorld, type World } from '../../support/world.ts';

/*
 * The kills of poll.test.ts while a payment goes on, against a real LNbits behind a proxy: one installation, a new
 * cash-out for each kill, and after each everything that was ever paid is counted again.
 */

describe.each(lnbitsVersions)('LNbits %s, killed while a payment goes on', (version) => {
  const skipped = !lnbitsAvailable(version);
  if (skipped) process.stdout.write(`skipped: LNbits ${version} is not installed\n`);
  let world: World;
  let lnbits: ProxiedLnbits;

  beforeAll(async () => {
    if (skipped) return;
    lnbits = await proxied(await startLnbits({ version }));
    world = await startWorld({ tunnel: 'direct', quiet: QUIET, lnbits });
    await world.must(['migrate']);
    for (const name of ['alice', 'bob', 'carol']) {
      await world.addClient(name);
      await world.addFunding(name, '60000 GTQ');
    }
  });

  afterAll(async () => {
    await world?.stop();
  });

  test.skipIf(skipped).each<[title: string, nth: number, SlowUntil | undefined]>([
    ['payment 2 of the killed run never reaches LNbits', 2, undefined],
    ['payment 2 reaches LNbits when the next run asks for it', 2, 'asked'],
    ['payment 3 reaches LNbits when the next run was told that there is nothing', 3, 'answered'],
    ['payment 1 reaches LNbits when the next run was told that there is nothing', 1, 'answered'],
    ['payment 2 reaches LNbits when the next run sends it again', 2, 'sent'],
    // Again where the machine was too busy for the next run to meet the payment; what was paid twice stays found.
  ])('%s', { retry: 2 }, async (_, nth, until) => {
    await world.insertCashOut();
    let payments = 0;
    const hit = (kind: string, phase: string) => {
      if (kind === 'pay' && phase === 'before') payments += 1;
      return payments === nth;
    };
    const { signal, raced } = await killWhen(world, lnbits, ({ kind }, phase) => hit(kind, phase), until);
    expect(signal).toBe('SIGKILL');
    expect(await finish(world, [raced])).toEqual([]);
  });

  test.skipIf(skipped).each([0, 15, 30, 50])(
    'killed %i ms after LNbits got the second payment, whose connection goes with it',
    async (delayMs) => {
      await world.insertCashOut();
      const command = world.start(['poll', '--json']);
      let payments = 0;
      lnbits.onRequest = ({ kind }, phase) => {
        if (kind !== 'pay' || phase !== 'before') return;
        payments += 1;
        if (payments === 2) void sleep(delayMs).then(() => command.child.kill('SIGKILL'));
      };
      const { signal } = await command.ended;
      lnbits.onRequest = undefined;
      expect(signal).toBe('SIGKILL');
      expect(await finish(world)).toEqual([]);
    },
  );
});
