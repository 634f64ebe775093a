import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../support/world.ts';

/* A client gets another wallet while a payout in parts has arrived in part: what is told of it, and where it goes. */

interface Client {
  metrics: Record<string, Record<string, number | string | null>>;
  open_payouts?: object[];
}

let world: World;

beforeAll(async () => {
  world = await startWorld({
    ...{ tunnel: 'direct', quiet: '1 ms', ledger: 'postgresql' },
    ...{ sats: 250_000n, payouts: 'maximum_sats = 200000' },
  });
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.addFunding('alice', '30000 GTQ');
});
afterAll(() => world.stop());

test('what arrived is received, the rest goes to the new wallet, and the books balance', async () => {
  const alice = world.wallets.get('alice');
  if (!alice) throw new Error('no wallet of alice');
  await world.insertCashOut();
  expect((await world.aioDca(['poll'])).code).toBe(75);
  const show = async () => (await world.must(['clients', 'show', 'alice', '--json'])).json<Client>();
  expect((await show()).metrics.GTQ).toMatchObject({
    ...{ sats_stacked: 200_000, waiting_sats: 284_207, purchases: 0 },
    // Of 4,000.00 GTQ for 484,207 sat.
    ...{ fiat_spent: '1652.18', waiting_fiat: '2347.82' },
  });
  expect((await world.must(['clients', 'list'])).stdout).toMatch(/200,000 sat │ 284,207 sat/);

  const other = await world.lnbits.createUserWallet('alice 2');
  const file = join(world.folder, 'alice2.key');
  await writeFile(file, other.inkey, { mode: 0o600 });
  const set = ['clients', 'set', 'alice', '--wallet-key-file', file];
  expect((await world.aioDca(set)).stderr).toContain(
    'Add --new-wallet if whatever was not sent yet shall go there.',
  );
  const changed = await world.must([...set, '--new-wallet']);
  expect(changed.stdout.replace(/\s+/g, ' ')).toContain(
    'p1: 200,000 sat have arrived in a former wallet, 284,207 sat go to the new wallet.',
  );
  // Not said again where nothing changes.
  expect((await world.must([...set, '--json'])).json<Client>().open_payouts).toBeUndefined();

  await world.lnbits.topUp(world.source.id, 1_000_000n);
  await world.must(['poll']);
  expect([await world.balance(alice), await world.balance(other)]).toEqual([200_000n, 284_207n]);
  expect((await show()).metrics.GTQ).toMatchObject({
    ...{ sats_stacked: 484_207, fiat_spent: '4000.00', waiting_sats: 0, waiting_fiat: '0.00', purchases: 1 },
  });
  await world.must(['verify']);
  await world.must(['reconcile']);
});
