import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { audit } from '../support/auditor.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import { ledgerKinds } from '../support/ledgers.ts';
import { lnbitsVersions } from '../support/lnbits.ts';
import { SERVER_VARIABLE } from '../support/postgres.ts';
import { startWorld, type World, type WorldOptions } from '../support/world.ts';

const HOUR = 3_600_000;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

interface Report {
  ok: boolean;
  payments: number;
  cash_outs: number;
  payouts: { id: string; recipient: string; sats: number; state: string; payments: string[] }[];
  differences: { code: string; what: string; ledger: string; other: string; hint: string }[];
}

/** An installation with two clients and one cash-out paid. */
async function installation(options: WorldOptions = {}): Promise<World> {
  const world = await startWorld({ tunnel: 'direct', quiet: '100 ms', ...options });
  onTestFinished(() => world.stop());
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.addClient('bob');
  await world.addFunding('alice', '30000 GTQ');
  await world.addFunding('bob', '10000.50 GTQ');
  await world.insertCashOut({ confirmed_at: ago(20 * HOUR) });
  await world.must(['poll']);
  return world;
}

/** Keeps the ledger as it is now; what is answered puts it back. */
async function keep(world: World): Promise<() => Promise<void>> {
  const { ledgerUrl } = world;
  if (ledgerUrl.startsWith('sqlite:')) {
    const file = ledgerUrl.slice('sqlite:'.length);
    const copy = join(world.folder, 'copy.sqlite');
    await world.must(['backup', copy]);
    return async () => {
      for (const suffix of ['-wal', '-shm']) await rm(file + suffix, { force: true });
      await copyFile(copy, file);
    };
  }
  const name = new URL(ledgerUrl).pathname.slice(1);
  const server = async (...statements: string[]) => {
    const client = new pg.Client(process.env[SERVER_VARIABLE]);
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  await server(`create database ${name}_copy template ${name}`);
  onTestFinished(() => server(`drop database ${name}_copy`));
  return () => server(`drop database ${name} with (force)`, `create database ${name} template ${name}_copy`);
}

const balances = async (world: World) =>
  Object.fromEntries(
    await Promise.all(
      [...world.wallets].map(async ([name, keys]) => [name, await world.balance(keys)] as const),
    ),
  );

const recover = async (world: World, ...args: string[]) => {
  const ran = await world.aioDca(['ledger', 'recover', '--json', ...args]);
  return { code: ran.code, ...ran.json<Report>() };
};

/** Nobody was paid twice or too little, and the books balance. */
async function allIsWell(world: World): Promise<void> {
  expect((await audit(world)).violations).toEqual([]);
  expect((await world.must(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
}

describe.each(lnbitsVersions)('the restore drill on LNbits %s', (lnbitsVersion) => {
  test.each(ledgerKinds)('with a ledger in %s: pay, put back, refuse, recover, go on', async (ledger) => {
    const world = await installation({ lnbitsVersion, ledger });
    const putBack = await keep(world);
    await world.insertCashOut({ confirmed_at: ago(10 * HOUR) });
    await world.insertCashOut({
      confirmed_at: ago(9 * HOUR),
      fiat: '300',
      crypto_atoms: 39_000,
      received_crypto_atoms: 39_000,
    });
    await world.must(['poll']);
    await world.insertCashOut({ confirmed_at: ago(3 * HOUR) });
    await world.must(['poll']);
    const paid = await balances(world);

    await putBack();
    const refused = await world.aioDca(['poll', '--json']);
    expect(refused.code).toBe(78);
    expect(refused.json()).toMatchObject({ problems: [{ code: 'ledger/restored' }] });
    expect(await balances(world)).toEqual(paid);

    const told = await recover(world, '--dry-run');
    expect(told).toMatchObject({ code: 0, ok: true, payments: 4, differences: [] });
    expect((await world.aioDca(['poll'])).code).toBe(78);

    expect(await recover(world)).toMatchObject({
      code: 0,
      payments: 4,
      payouts: [
        { id: 'p3', recipient: 'alice', state: 'settled' },
        { id: 'p4', recipient: 'bob', state: 'settled' },
        { id: 'p5', recipient: 'alice', state: 'settled' },
        { id: 'p6', recipient: 'bob', state: 'settled' },
      ],
    });
    expect(await recover(world)).toMatchObject({ code: 0, payments: 0, payouts: [] });
    await world.must(['poll']);
    expect(await balances(world)).toEqual(paid);
    await allIsWell(world);

    // Numbers count on behind what was put back.
    await world.insertCashOut({ confirmed_at: ago(HOUR) });
    expect((await world.must(['poll', '--json'])).json()).toMatchObject({ payouts: { settled: 2 } });
    expect(await ledgerSql(world.ledgerUrl, 'select max(id) as id from payouts')).toEqual([{ id: 8n }]);
    await allIsWell(world);
  });
});

test('a payout that was open in the copy, and paid in parts since, is settled with its parts', async () => {
  const world = await installation({ payouts: 'maximum_sats = 100000' });
  await world.insertCashOut({ confirmed_at: ago(10 * HOUR) });
  world.simulator().rules = [
    {
      when: { kind: 'pay' },
      times: 99,
      fault: { at: 'before', answer: { status: 520, body: { detail: 'Not now.' } } },
    },
  ];
  expect((await world.aioDca(['poll'])).code).toBe(75);
  const putBack = await keep(world);
  // The invoices of the copy die, as after a restart of LNbits: other ones are paid.
  world.simulator().rules = [];
  await world.simulator().restart();
  await world.must(['poll']);
  const paid = await balances(world);
  await putBack();
  await world.insertCashOut({
    confirmed_at: ago(HOUR),
    fiat: '100',
    crypto_atoms: 12_000,
    received_crypto_atoms: 12_000,
  });
  expect((await world.aioDca(['poll'])).code).toBe(78);
  expect(await balances(world)).toEqual(paid);
  const report = await recover(world);
  expect(report.differences).toEqual([]);
  expect(report.payouts.map(({ id, state, payments }) => [id, state, payments.length])).toEqual([
    ['p3', 'settled', 4],
    ['p4', 'settled', 2],
  ]);
  await world.must(['poll']);
  await allIsWell(world);
});
