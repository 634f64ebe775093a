import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../support/world.ts';

/*
 * A client gets another wallet while a payout in parts has arrived in part: what the command reports, and where the
 * sats go.
 */

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

test('sats that arrived stay, the rest goes to the new wallet, and the books balance', async () => {
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
    'Add --new-wallet to send everything that was not sent yet there.',
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

test('refused sats go to the new wallet, and are reported as refused, also in JSON', async () => {
  await world.addClient('bob');
  await world.addFunding('bob', '30000 GTQ');
  const bob = world.wallets.get('bob');
  if (!bob) throw new Error('no wallet of bob');
  await world.insertCashOut();
  const answer = { status: 520, body: { detail: 'Daily limit reached.', status: 'failed' } };
  world.simulator().rules = [{ when: { kind: 'pay' }, fault: { at: 'before', answer }, times: 9 }];
  expect((await world.aioDca(['poll'])).code).toBe(75);
  world.simulator().rules = [];
  const set = async (n: number, ...more: string[]) => {
    const wallet = await world.lnbits.createUserWallet(`bob ${n}`);
    const file = join(world.folder, `bob${n}.key`);
    await writeFile(file, wallet.inkey, { mode: 0o600 });
    return {
      wallet,
      ran: await world.must(['clients', 'set', 'bob', '--wallet-key-file', file, '--new-wallet', ...more]),
    };
  };
  const { ran } = await set(2);
  expect(ran.stdout.replace(/\s+/g, ' ')).toMatch(
    /p\d+: 59,397 sat go to the new wallet, 200,000 sat were refused by LNbits, and go to the new wallet once both wallets show that nothing was paid\./,
  );
  const { wallet, ran: again } = await set(3, '--json');
  const [open] = again.json<{ open_payouts: Record<string, number>[] }>().open_payouts;
  expect(open).toMatchObject({ former_wallet_sats: 0, new_wallet_sats: 259_397, refused_sats: 200_000 });
  await world.must(['poll']);
  expect(await world.balance(bob)).toBe(0n);
  expect(await world.balance(wallet)).toBe(259_397n);
  await world.must(['verify']);
  await world.must(['reconcile']);
});
