import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createLamassu, insertCashOut } from '../support/lamassu.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { ledgerKinds } from '../support/ledgers.ts';
import { startPostgres } from '../support/postgres.ts';
import { ago, balances, HOUR, installation, keep, recover } from '../support/restore.ts';
import type { World } from '../support/world.ts';

// Each command is a process of its own.
vi.setConfig({ testTimeout: 240_000 });

const booksBalance = async (world: World) =>
  expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });

test.each(ledgerKinds)('commission payouts are recovered, in %s', async (ledger) => {
  const world = await installation({ ledger });
  await world.addCommission('ops', 3);
  await world.addCommission('tech', 1);
  const putBack = await keep(world);
  await world.insertCashOut({ confirmed_at: new Date().toISOString() });
  await world.must(['poll']);
  const paid = await balances(world);
  expect(paid.ops).toBeGreaterThan(0n);
  await putBack();
  expect((await world.aioDca(['poll'])).code).toBe(78);
  const report = await recover(world);
  expect(report).toMatchObject({ code: 0, payments: 4, differences: [] });
  expect(report.payouts.map(({ recipient, state }) => [recipient, state]).sort()).toEqual([
    ['alice', 'settled'],
    ['bob', 'settled'],
    ['ops', 'settled'],
    ['tech', 'settled'],
  ]);
  await world.must(['poll']);
  expect(await balances(world)).toEqual(paid);
  await booksBalance(world);
});

test.each(['1.0.0', '1.6.2'] as const)(
  'if a client has another wallet since, each payment is booked for the wallet that received it, at LNbits %s',
  async (lnbitsVersion) => {
    const world = await installation({ lnbitsVersion });
    const first = world.wallets.get('alice');
    const putBack = await keep(world);
    await world.insertCashOut({ confirmed_at: ago(10 * HOUR) });
    await world.must(['poll']);
    const second = await world.lnbits.createUserWallet('alice 2');
    const file = join(world.folder, 'alice2.key');
    await writeFile(file, second.inkey, { mode: 0o600 });
    const set = () => world.must(['clients', 'set', 'alice', '--wallet-key-file', file, '--new-wallet']);
    await set();
    await world.insertCashOut({ confirmed_at: ago(5 * HOUR) });
    await world.must(['poll']);
    const paid = [await balances(world), await world.balance(second)];
    await putBack();
    await set();
    expect(await recover(world)).toMatchObject({ code: 0, payments: 4, differences: [] });
    const payouts = (await world.must(['payouts', 'list', '--json'])).json<
      { id: string; recipient: string; state: string }[]
    >();
    expect(payouts.map(({ state }) => state)).toEqual(payouts.map(() => 'settled'));
    const into = await ledgerSql(
      world.ledgerUrl,
      `select distinct client_wallet_id as id from payments join payouts on payouts.id = payout_id
         join recipients on recipients.id = recipient_id where name = 'alice'`,
      [],
    );
    expect(new Set(into.map(({ id }) => id))).toEqual(new Set([first?.id, second.id]));
    await world.must(['poll']);
    expect([await balances(world), await world.balance(second)]).toEqual(paid);
    await world.must(['verify']);
    await world.must(['reconcile']);
  },
);

test('a paid part of the own share that went to late cash is recovered', async () => {
  const world = await installation();
  await world.must(['fundings', 'withdraw', 'f2', '--reason', 'asked for', '--yes']);
  // More than alice has left: the rest is the own share.
  await world.insertCashOut({
    ...{ confirmed_at: ago(10 * HOUR), fiat: '30000' },
    ...{ crypto_atoms: 3_900_000, received_crypto_atoms: 3_900_000 },
  });
  await world.must(['poll']);
  const putBack = await keep(world);
  const late = ['fundings', 'add', 'bob', '500 GTQ', '--any-machine', '--deposited', '--at', ago(15 * HOUR)];
  await world.must([...late, '--from-own', '--yes']);
  await world.must(['poll']);
  const paid = await balances(world);
  await putBack();
  await world.insertCashOut({ confirmed_at: ago(HOUR) });
  expect((await world.aioDca(['poll'])).code).toBe(78);
  const told = await recover(world);
  expect([told.code, told.differences.map((one) => one.code)]).toEqual([2, ['recover/does-not-fit']]);
  await world.must([...late, '--from-own', '--yes']);
  expect(await recover(world)).toMatchObject({
    ...{ code: 0, payments: 1, differences: [] },
    payouts: [{ recipient: 'bob', state: 'settled' }],
  });
  await world.must(['poll']);
  expect((await balances(world)).bob).toBe(paid.bob);
  await booksBalance(world);
});

test('a payment that was given up but arrives late is noticed before and after a restore', async () => {
  const world = await installation();
  const { simulator } = world;
  await world.insertCashOut({ confirmed_at: ago(10 * HOUR) });
  simulator().rules = [
    {
      when: { kind: 'pay' },
      times: 99,
      fault: { at: 'before', answer: { status: 520, body: { detail: 'Not now.' } } },
    },
  ];
  expect((await world.aioDca(['poll'])).code).toBe(75);
  const putBack = await keep(world);
  simulator().rules = [];
  // Every invoice fails with the restart, so new ones are paid.
  await simulator().restart();
  await world.must(['poll']);
  const [dead] = await ledgerSql(
    world.ledgerUrl,
    "select payment_hash, payout_id, bolt11, client_wallet_id from payments where state = 'dead' order by id",
  );
  const { payment_hash, bolt11, client_wallet_id, payout_id } = dead as Record<string, string>;
  const extra = simulator()
    .payments(world.source.id)
    .find((one) => one.extra.payout === `p${payout_id}`)?.extra;
  // The first invoice is revived in LNbits, and is paid as the bridge would have.
  simulator().change(`${client_wallet_id}`, `${payment_hash}`, { status: 'pending' });
  const answer = await fetch(`${world.lnbits.url}/api/v1/payments`, {
    method: 'POST',
    headers: { 'X-Api-Key': world.source.adminkey, 'content-type': 'application/json' },
    body: JSON.stringify({ out: true, bolt11, extra }),
  });
  expect(answer.status).toBe(201);
  const reconciled = await world.aioDca(['reconcile', '--json']);
  expect(reconciled.code).toBe(2);
  const { differences } = reconciled.json<{ differences: { code: string; what: string }[] }>();
  expect(differences.filter((one) => one.code.startsWith('payment/'))).toMatchObject([
    { code: 'payment/dead-paid', what: expect.stringContaining(`${payment_hash}`) },
  ]);

  const paid = await balances(world);
  await putBack();
  expect((await world.aioDca(['poll'])).code).toBe(78);
  const told = await recover(world);
  expect(told.code).toBe(2);
  expect(told.differences).toMatchObject([
    { code: 'recover/paid-twice', other: expect.stringContaining(`${payment_hash}`) },
  ]);
  const held = await recover(world, '--hold', '--reason', 'paid twice by hand');
  expect(held).toMatchObject({ code: 0, differences: [] });
  expect(held.payouts.find((one) => one.id === `p${payout_id}`)?.state).toBe('held');
  await world.aioDca(['poll']);
  expect(await balances(world)).toEqual(paid);
  await booksBalance(world);
});

test('payouts of the cash-outs of two Lamassu servers need the configurations of both', async () => {
  const world = await installation();
  const server = await startPostgres();
  onTestFinished(() => server.stop());
  const south = await createLamassu(server.url);
  onTestFinished(() => south.end());
  const { hostname, port, username, password, pathname } = new URL(server.url);
  const config = await readFile(world.configFile, 'utf8');
  const file = join(world.folder, 'south.toml');
  const lamassu = [
    ...['[lamassu]', 'name = "south"', `host = "${hostname}"`, `port = ${port}`],
    ...[`database = "${pathname.slice(1)}"`, `user = "${username}"`, `password = "${password}"`],
    `start_at = "${ago(30 * 24 * HOUR)}"`,
  ];
  const other = config.replace(/\[lamassu\][^[]*/, `${lamassu.join('\n')}\n\n`);
  await writeFile(file, other, { mode: 0o600 });
  const southern = (args: string[]) => world.must(['--config', file, ...args]);

  const putBack = await keep(world);
  // Each server's run also pays what the other's left open, so the first run is paused.
  await world.must(['payouts', 'pause', '--reason', 'both first']);
  await world.insertCashOut({ confirmed_at: ago(10 * HOUR) });
  await insertCashOut(south, { confirmed_at: ago(9 * HOUR), device_id: 'south-1' });
  await world.insertCashOut({ confirmed_at: ago(8 * HOUR) });
  await world.must(['poll']);
  await southern(['poll']);
  await world.must(['payouts', 'resume']);
  await southern(['poll']);
  const paid = await balances(world);

  await putBack();
  for (const args of [['poll'], ['--config', file, 'poll']]) expect((await world.aioDca(args)).code).toBe(78);
  const told = await recover(world, '--dry-run');
  expect(told.code).toBe(2);
  expect(told.differences[0]?.ledger).toContain('which the ledger does not have');
  const same = await world.aioDca(['ledger', 'recover', '--other-config', world.configFile]);
  expect([same.code, same.stderr]).toEqual([64, expect.stringContaining('--other-config: ')]);
  expect(await recover(world, '--other-config', file)).toMatchObject({
    ...{ code: 0, payments: 2, cash_outs: 3, differences: [] },
  });
  await world.must(['poll']);
  await southern(['poll']);
  expect(await balances(world)).toEqual(paid);
  await booksBalance(world);
});

test('`payouts hold --all` on an older copy forms nothing, so later payments can still be recovered', async () => {
  const world = await installation();
  await world.insertCashOut({ confirmed_at: ago(10 * HOUR) });
  await world.must(['payouts', 'pause', '--reason', 'to be distributed only']);
  await world.must(['poll']);
  const putBack = await keep(world);
  await world.must(['payouts', 'resume']);
  await world.must(['poll']);
  const paid = await balances(world);

  await putBack();
  for (const unreachable of [false, true]) {
    if (unreachable) await world.simulator().stop();
    const held = await world.aioDca(['payouts', 'hold', '--all', '--json']);
    if (unreachable)
      expect([held.code, held.json()]).toEqual([
        75,
        { held: [], due_sats: 484_207, problem: expect.objectContaining({ code: 'lnbits/unreachable' }) },
      ]);
    else expect([held.code, held.json()]).toMatchObject([78, { error: { code: 'ledger/restored' } }]);
    if (unreachable) {
      expect((await world.aioDca(['payouts', 'hold', '--all'])).stdout).toContain('Not held: 484,207 sat');
      await world.simulator().start();
    }
  }
  expect(await ledgerSql(world.ledgerUrl, "select id from payouts where state <> 'settled'")).toEqual([]);
  await world.must(['payouts', 'resume']);
  expect(await recover(world)).toMatchObject({ code: 0, payments: 2, other_runs: 1, differences: [] });
  await world.must(['poll']);
  expect(await balances(world)).toEqual(paid);
  await booksBalance(world);
});

test.each([
  ['formed', true],
  ['not formed', false],
])('a payout that was split is recovered, into a copy in which it was %s yet', async (_name, formed) => {
  const world = await installation();
  const shown = ['alice', 'bob'].map((name) => world.wallets.get(name)?.id);
  const configure = async (sats: number) => {
    const text = (await readFile(world.configFile, 'utf8')).replace(/^maximum_sats = .*\n/m, '');
    await writeFile(world.configFile, text.replace('[payouts]\n', `[payouts]\nmaximum_sats = ${sats}\n`));
  };
  const tooMuch = {
    when: ({ kind, walletId }: { kind: string; walletId: string | null }) =>
      kind === 'invoice' && walletId === shown[0],
    times: 99,
    fault: { at: 'before' as const, answer: { status: 520, body: { detail: 'Too high.' } } },
  };
  let putBack = formed ? undefined : await keep(world);
  await world.insertCashOut({ confirmed_at: ago(10 * HOUR) });
  world.simulator().rules = [tooMuch];
  expect((await world.aioDca(['poll'])).code).toBe(75);
  putBack ??= await keep(world);
  world.simulator().rules = [];
  await configure(100_000);
  // The last of its parts is not paid yet when the copy is restored.
  world.simulator().rules = [
    {
      ...tooMuch,
      when: (request) => tooMuch.when(request) && world.simulator().payments(shown[0] ?? '').length > 3,
    },
  ];
  await world.aioDca(['poll']);
  await putBack();
  world.simulator().rules = [];
  expect((await world.aioDca(['poll'])).code).toBe(78);
  expect(await recover(world)).toMatchObject({ code: 0, differences: [] });
  await world.must(['poll']);
  await booksBalance(world);
  expect(await world.must(['reconcile', '--json'])).toMatchObject({ code: 0 });
});
