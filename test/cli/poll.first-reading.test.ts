import { afterAll, beforeAll, expect, test } from 'vitest';
import { inTerminal, keys } from '../support/terminal.ts';
import { startWorld, type World } from '../support/world.ts';

/* The first run of a ledger, whose start lies in the past: what came out before any client's cash was there. */

let world: World;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct' });
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.insertCashOut();
  await world.insertCashOut();
});
afterAll(() => world.stop());

async function answer(key: string) {
  const terminal = inTerminal(['--config', world.configFile, 'poll'], { columns: 80 });
  await terminal.shows('Continue?');
  terminal.type(key);
  return terminal.ended;
}
const cashOuts = async () =>
  (await world.must(['status', '--json'])).json<{ totals: { cash_outs: number } }>().totals.cash_outs;

test('asks on a terminal before the past becomes the own share, and only the first time', async () => {
  const left = await answer(keys.enter);
  expect(left).toMatchObject({ code: 64, screen: expect.stringContaining('usage/declined') });
  if (process.env.SCREENS) console.log(left.screen);
  expect(left.screen.replace(/\s+│?\s*/g, ' ')).toContain('For 8,000.00 GTQ of 2 cash-outs since start_at');
  expect(await cashOuts()).toBe(0);
  expect((await answer('y')).screen).toContain('2 new cash-outs');
  expect(await cashOuts()).toBe(2);
  await world.insertCashOut();
  const later = await inTerminal(['--config', world.configFile, 'poll']).ended;
  expect(later.screen).not.toContain('Continue?');
  expect(await cashOuts()).toBe(3);
});

test('without a terminal nothing is asked, so a timer is never stopped', async () => {
  const other = await startWorld({ tunnel: 'direct' });
  try {
    await other.must(['migrate']);
    await other.addClient('alice');
    await other.insertCashOut();
    expect((await other.must(['poll', '--json'])).json()).toMatchObject({ distributed: { cash_outs: 1 } });
  } finally {
    await other.stop();
  }
});
