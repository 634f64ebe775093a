import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startLnbitsSimulator } from '../support/lnbits-simulator.ts';
import { ago, HOUR, installation } from '../support/restore.ts';
import type { World } from '../support/world.ts';

// Each command is a process of its own.
async function pointTo(world: World, url: string): Promise<void> {
  const config = await readFile(world.configFile, 'utf8');
  await writeFile(world.configFile, config.replace(/(?<=\[lnbits\]\nurl = ")[^"]+/, url), { mode: 0o600 });
}

test('LNbits at another address, with the same wallets, needs nothing but its URL', async () => {
  const world = await installation();
  const moved = await startLnbitsSimulator({ like: world.simulator() });
  onTestFinished(() => moved.stop());
  await world.simulator().stop();
  await pointTo(world, moved.url);
  await world.insertCashOut({ confirmed_at: ago(HOUR) });
  expect((await world.must(['poll', '--json'])).json()).toMatchObject({
    payouts: { settled: 2 },
    problems: [],
  });
  expect((await world.aioDca(['reconcile'])).code).toBe(0);
});

test('another LNbits, with other wallets, pays each client with a wallet there once', async () => {
  const world = await installation();
  const other = await startLnbitsSimulator();
  onTestFinished(() => other.stop());
  const source = await other.createUserWallet('source');
  await other.topUp(source.id, 5_000_000n);
  await writeFile(join(world.folder, 'source.adminkey'), source.adminkey, { mode: 0o600 });
  await pointTo(world, other.url);
  const alice = await other.createUserWallet('alice');
  await writeFile(join(world.folder, 'alice.new'), alice.inkey, { mode: 0o600 });
  const key = ['--wallet-key-file', join(world.folder, 'alice.new')];
  await world.must(['clients', 'set', 'alice', ...key, '--new-wallet', '--yes']);
  await world.insertCashOut({ confirmed_at: ago(HOUR) });
  // The new LNbits does not show what the old one paid since a backup: the operator has to declare that none was
  // restored.
  const asks = await world.aioDca(['poll', '--json']);
  expect([asks.code, asks.json()]).toMatchObject([
    75,
    { payouts: { settled: 0, deferred: 1, held: 1 }, problems: [{ code: 'payout/wallet-unseen' }] },
  ]);
  const word = ['ledger', 'recover', '--without-former-wallet'];
  expect((await world.aioDca(word)).code).toBe(64);
  expect((await world.must([...word, '--reason', 'LNbits was replaced'])).stdout).toContain(
    'not asked any more',
  );
  const ran = await world.aioDca(['poll', '--json']);
  expect([ran.code, ran.json()]).toMatchObject([0, { payouts: { settled: 1, held: 1 } }]);
  const [ofAlice, ofBob] = [other.balance(alice.id), 484_207n - other.balance(alice.id)];
  expect(ofAlice).toBe(363_151n);
  const bob = await other.createUserWallet('bob');
  await writeFile(join(world.folder, 'bob.new'), bob.inkey, { mode: 0o600 });
  const bobsKey = ['--wallet-key-file', join(world.folder, 'bob.new')];
  await world.must(['clients', 'set', 'bob', ...bobsKey, '--new-wallet', '--yes']);
  await world.must(['payouts', 'release', '--all', '--yes']);
  expect((await world.must(['poll', '--json'])).json()).toMatchObject({ payouts: { settled: 1, held: 0 } });
  expect(other.balance(bob.id)).toBe(ofBob);
  expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });
});
