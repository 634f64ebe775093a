import { afterAll, beforeAll, expect, test } from 'vitest';
import { pairMachine } from '../support/lamassu.ts';
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

async function answer(key: string, meanwhile?: () => Promise<unknown>) {
  const terminal = inTerminal(['--config', world.configFile, 'poll'], { columns: 80 });
  await terminal.shows('Continue?');
  await meanwhile?.();
  terminal.type(key);
  return terminal.ended;
}
const cashOuts = async () =>
  (await world.must(['status', '--json'])).json<{ totals: { cash_outs: number } }>().totals.cash_outs;

test('asks on a terminal before the past becomes the own share, only the first time, and does what it showed', async () => {
  const left = await answer(keys.enter);
  expect(left).toMatchObject({ code: 64, screen: expect.stringContaining('usage/declined') });
  expect(left.screen.replace(/\s+│?\s*/g, ' ')).toContain('Of 2 cash-outs since start_at');
  expect(left.screen.replace(/\s+│?\s*/g, ' ')).toContain(
    '8,000.00 GTQ would be your own share, 968,414 sat: 8,000.00 GTQ at 7a1f4c2e, 968,414 sat, in 2 cash-outs: no client had cash for it Did a client have cash in the machine then?',
  );
  // The last line says what to do first.
  expect(left.screen.trimEnd().split('\n').at(-1)?.trim()).toBe(
    '`aio-dca fundings add CLIENT "AMOUNT" --any-machine --deposited --at "…"`',
  );
  expect(await cashOuts()).toBe(0);
  const changed = await answer('y', () => world.insertCashOut());
  expect(changed).toMatchObject({ code: 64, screen: expect.stringContaining('usage/changed') });
  expect(await cashOuts()).toBe(0);
  expect((await answer('y')).screen).toContain('3 new cash-outs');
  expect(await cashOuts()).toBe(3);
  await world.insertCashOut();
  const later = await inTerminal(['--config', world.configFile, 'poll']).ended;
  expect(later.screen).not.toContain('Continue?');
  expect(await cashOuts()).toBe(4);
});

test('names a limit that was reached, and cash that was not there yet', async () => {
  const other = await startWorld({ tunnel: 'direct', ledger: 'postgresql' });
  try {
    await other.must(['migrate']);
    await other.addClient('fred', ['--mode', 'fixed', '--daily-limit', '500 GTQ']);
    await other.addFunding('fred', '5000 GTQ');
    await other.addClient('bob');
    await other.insertCashOut();
    await other.addFunding('bob', '900 GTQ', { at: new Date().toISOString() });
    const terminal = inTerminal(['--config', other.configFile, 'poll'], { columns: 80 });
    await terminal.shows('Continue?');
    terminal.type(keys.enter);
    const screen = (await terminal.ended).screen.replace(/\s+│?\s*/g, ' ');
    expect(screen).toContain('3,500.00 GTQ would be your own share');
    expect(screen).toContain(
      'the daily limit of fred was reached; the cash of bob was not in the machine yet',
    );
    expect(screen).toContain('aio-dca fundings confirm ID --at');
    expect(screen).not.toContain('aio-dca fundings add');
  } finally {
    await other.stop();
  }
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

test('a ledger that nothing has filled has the names of machines from Lamassu', async () => {
  const other = await startWorld({ tunnel: 'direct' });
  try {
    await other.must(['migrate']);
    await other.addClient('alice');
    await pairMachine(other.lamassu, 'Antigua');
    await other.insertCashOut();
    await other.insertCashOut({ dispense_confirmed: false, error: 'cassette empty' });
    const { stdout: plan } = await other.aioDca(['poll', '--dry-run']);
    expect(plan).not.toMatch(/(at|,) 7a1f4c2e/);
    expect(plan.match(/Antigua \(7a1f4c2e\)/g)).toHaveLength(3);
    const terminal = inTerminal(['--config', other.configFile, 'poll'], { columns: 80 });
    await terminal.shows('Continue?');
    terminal.type(keys.enter);
    expect((await terminal.ended).screen.replace(/\s+│?\s*/g, ' ')).toContain(
      '4,000.00 GTQ at Antigua (7a1f4c2e), 484,207 sat, in 1 cash-out',
    );
    // Neither of them wrote what it read.
    expect((await other.must(['machines', 'list', '--json'])).json()).toEqual([]);
  } finally {
    await other.stop();
  }
});
