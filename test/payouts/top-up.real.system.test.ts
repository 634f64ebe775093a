import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finish, QUIET } from '../support/kill.ts';
import { lnbitsVersions } from '../support/lnbits.ts';
import { type ProxiedLnbits, proxied } from '../support/lnbits-proxy.ts';
import { lnbitsAvailable, startLnbits } from '../support/lnbits-real.ts';
import { startWorld, type World } from '../support/world.ts';

/*
 * A real LNbits behind a proxy fills the source wallet: one installation, a new cash-out for each kill, and after each
 * everything that was ever credited and paid is counted again.
 */

describe.each(lnbitsVersions)('LNbits %s, killed while it credits the source wallet', (version) => {
  const skipped = !lnbitsAvailable(version);
  if (skipped) process.stdout.write(`skipped: LNbits ${version} is not installed\n`);
  let world: World;
  let lnbits: ProxiedLnbits;

  beforeAll(async () => {
    if (skipped) return;
    lnbits = await proxied(await startLnbits({ version }));
    world = await startWorld({ tunnel: 'direct', quiet: QUIET, lnbits, credit: true });
    await world.must(['migrate']);
    await world.addClient('alice');
    await world.addFunding('alice', '60000 GTQ');
    await world.addCommission('owner');
  });

  afterAll(async () => {
    await world?.stop();
  });

  test.skipIf(skipped).each<[title: string, phase: 'before' | 'after', goesOn: boolean]>([
    ['it never reaches LNbits', 'before', false],
    ['LNbits did it, and its answer reaches nobody', 'after', false],
    ['it reaches LNbits while the next run is at it', 'before', true],
  ])('%s', async (_, phase, goesOn) => {
    await world.insertCashOut({ confirmed_at: new Date().toISOString() });
    const command = world.start(['poll', '--json']);
    let killed = false;
    lnbits.onRequest = async ({ kind }, at) => {
      if (killed || kind !== 'credit' || at !== phase) return;
      killed = true;
      command.child.kill('SIGKILL');
      await command.ended;
      if (!goesOn) return 'drop';
      await sleep(1_500);
    };
    const { signal } = await command.ended;
    expect(signal).toBe('SIGKILL');
    expect(await finish(world)).toEqual([]);
    lnbits.onRequest = undefined;
  });

  test.skipIf(skipped).each([0, 25])(
    'killed %i ms after LNbits got it, whose connection goes with it',
    async (delayMs) => {
      await world.insertCashOut({ confirmed_at: new Date().toISOString() });
      const command = world.start(['poll', '--json']);
      let killed = false;
      lnbits.onRequest = ({ kind }, phase) => {
        if (killed || kind !== 'credit' || phase !== 'before') return;
        killed = true;
        void sleep(delayMs).then(() => command.child.kill('SIGKILL'));
      };
      await command.ended;
      lnbits.onRequest = undefined;
      expect(killed).toBe(true);
      expect(await finish(world)).toEqual([]);
    },
  );
});
