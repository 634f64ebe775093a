import { readFile } from 'node:fs/promises';
import type { RunOptions } from './command.ts';
import { runSql } from './postgres.ts';
import type { World } from './world.ts';

/* Clocks that are wrong: Lamassu's, that of the ledger's server, and this host's, each by itself. */

const preload = new URL('./clock-shift.mjs', import.meta.url).href;

/** A command on a host whose clock is wrong by `ms`, and that has booted since where `boot` names another one. */
export function hostOff(ms: number, boot?: string): RunOptions {
  return {
    node: ['--import', preload],
    env: { CLOCK_SHIFT: `${ms}`, ...(boot === undefined ? {} : { CLOCK_BOOT: boot }) },
  };
}

/** From now on Lamassu's server is wrong by `ms`, for the bridge and for whatever it stamps through `lamassuTime`. */
export async function setLamassuClock(world: World, ms: number): Promise<void> {
  const role = /^user = "(aio_dca_\w+)"$/m.exec(await readFile(world.configFile, 'utf8'))?.[1];
  await world.lamassu.query('drop function if exists public.now()');
  await world.lamassu.query(
    `create function public.now() returns timestamptz language sql stable
       as $$ select pg_catalog.now() + interval '${ms} ms' $$`,
  );
  await world.lamassu.query(`alter role ${role} set search_path = public, pg_catalog`);
}

/** From now on the server of a ledger on PostgreSQL is wrong by `ms`. */
export async function setLedgerClock(url: string, ms: number): Promise<void> {
  await runSql(
    url,
    'drop function if exists public.clock_timestamp()',
    `create function public.clock_timestamp() returns timestamptz language sql volatile
       as $$ select pg_catalog.clock_timestamp() + interval '${ms} ms' $$`,
    `alter database "${new URL(url).pathname.slice(1)}" set search_path = public, pg_catalog`,
  );
}
