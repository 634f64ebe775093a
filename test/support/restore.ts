import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { ledgerSql } from './ledger-sql.ts';
import { runSql, SERVER_VARIABLE } from './postgres.ts';
import { startWorld, type World, type WorldOptions } from './world.ts';

/* What the tests of a ledger that is restored have in common. */

export const HOUR = 3_600_000;
export const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

export interface Report {
  ok: boolean;
  payments: number;
  cash_outs: number;
  held_credits: number;
  other_runs: number;
  payouts: { id: string; recipient: string; sats: number; state: string; payments: string[] }[];
  differences: { code: string; what: string; ledger: string; other: string; hint: string }[];
}

/** An installation with two clients and one cash-out paid. */
export async function installation(options: WorldOptions = {}): Promise<World> {
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

/** Keeps the present ledger; answers a function that restores it. */
export async function keep(world: World): Promise<() => Promise<void>> {
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
  const server = (...statements: string[]) => runSql(process.env[SERVER_VARIABLE] ?? '', ...statements);
  await server(`create database ${name}_copy template ${name}`);
  onTestFinished(() => server(`drop database ${name}_copy`));
  return () => server(`drop database ${name} with (force)`, `create database ${name} template ${name}_copy`);
}

export const balances = async (world: World) =>
  Object.fromEntries(
    await Promise.all(
      [...world.wallets].map(async ([name, keys]) => [name, await world.balance(keys)] as const),
    ),
  );

/** Everything that a run records of Lamassu. */
export const recorded = async (world: World) => {
  const tables = ['sources', 'cash_outs', 'allocations', 'review', 'watch', 'payouts', 'fundings'];
  return Promise.all(tables.map((name) => ledgerSql(world.ledgerUrl, `select * from ${name} order by 1`)));
};

export const recover = async (world: World, ...args: string[]) => {
  const ran = await world.aioDca(['ledger', 'recover', '--json', ...args]);
  const report = ran.json<Report>();
  return { code: ran.code, ...report };
};
