import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../support/world.ts';

const ID = '3f0c5e10-0000-4000-8000-000000000001';

let world: World;

beforeAll(async () => {
  world = await startWorld({ tunnel: 'direct' });
  await world.must(['migrate']);
  for (const name of ['alice', 'bob']) await world.addClient(name);
  await world.addFunding('alice', '3000 GTQ');
  await world.addFunding('bob', '2000 GTQ');
  await world.insertCashOut({ id: ID, confirmed_at: new Date(Date.now() - 20 * 60_000).toISOString() });
  await world.must(['poll']);
});
afterAll(async () => {
  await world.must(['verify']);
  await world.stop();
});

const alice = ['--client', 'alice'];

test('list and show say what a client bought, and nothing of another', async () => {
  const purchase = {
    ...{ id: ID, client: 'alice', machine: expect.any(String), confirmed_at: expect.any(String) },
    ...{ fiat: '2400.00', currency: 'GTQ', gross_sats: 307_440, commission_sats: 16_916, net_sats: 290_524 },
    // 2,400 GTQ for 290,524 sat.
    ...{ price: '826093.54', state: 'paid', payouts: [{ id: 'p1', state: 'settled' }] },
  };
  expect((await world.must(['purchases', 'list', ...alice, '--json'])).json()).toMatchObject([purchase]);
  expect((await world.must(['purchases', 'show', '3f0c5e', ...alice, '--json'])).json()).toMatchObject({
    ...purchase,
    allocations: [{ funding: 'f1', fiat: '2400.00', net_sats: 290_524, payout: 'p1' }],
  });
  const list = (await world.must(['purchases', 'list', ...alice])).stdout;
  const page = (await world.must(['purchases', 'show', ID, ...alice])).stdout;
  expect(list).toContain('2,400.00 GTQ');
  expect(page).toContain('2,400.00 GTQ bought 290,524 sat, at 826,093.54 GTQ per BTC');
  expect(page).toContain('Paid: p1 settled');
  for (const text of [list, page]) {
    expect(text).not.toMatch(/bob|512,400|484,207|4,000/);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  }
});

test('the client has to be named, and to have a part in the cash-out', async () => {
  const refused: [args: string[], says: string][] = [
    [['list'], "required option '--client <name>'"],
    [['list', '--client', 'zoe'], 'there is no client "zoe"'],
    [['show', '4f0c5e', ...alice], 'there is no purchase of alice in cash-out "4f0c5e"'],
    [['show', '3f0', ...alice], 'too short'],
  ];
  for (const [args, says] of refused) {
    const ran = await world.aioDca(['purchases', ...args]);
    expect([ran.code, ran.stderr]).toEqual([64, expect.stringContaining(says)]);
  }
});
