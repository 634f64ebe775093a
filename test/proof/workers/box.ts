import { expect } from 'vitest';
import type { Ran } from '../../support/command.ts';
import { MACHINE } from '../../support/lamassu.ts';
import { ledgerSql } from '../../support/ledger-sql.ts';
import type { World } from '../../support/world.ts';

/*
 * Cash that several operators change at the same moment, each by a command that reads it and writes it back. No machine
 * pays out its currency, so that nothing else changes it.
 */

export interface Box {
  id: string;
  /** What all changes of it come to, in minor units. */
  amount: bigint;
  withdrawn: bigint;
  machine: string | null;
  /** Cash on its way that was entered and not confirmed yet. */
  announced: string | null;
  /** What was confirmed, with what was counted. */
  counted: { id: string; minor: bigint }[];
}

const WHOLE = 100n;

export async function openBox(world: World): Promise<Box> {
  const id = await world.addFunding('alice', '100000 USD');
  return { id, amount: 100_000n * WHOLE, withdrawn: 0n, machine: null, announced: null, counted: [] };
}

/** Two operators at once: one withdraws something, the other makes one change after the other, round by round. */
export function reachIn(world: World, box: Box, chance: () => number, round: number): Promise<Ran>[] {
  const others = [withdraw, announce, adjust, confirm, withdraw, adjust, move, withdraw];
  const other = others[round % others.length] ?? withdraw;
  return [withdraw(world, box, chance), other(world, box, chance)];
}

async function withdraw(world: World, box: Box, chance: () => number): Promise<Ran> {
  const usd = someUsd(chance);
  const ran = await world.aioDca(['fundings', 'withdraw', box.id, `${usd} USD`, '--reason', 'asked for it']);
  if (ran.code === 0) box.withdrawn += usd * WHOLE;
  return ran;
}

async function adjust(world: World, box: Box, chance: () => number): Promise<Ran> {
  const usd = chance() < 0.5 ? someUsd(chance) : -someUsd(chance);
  const ran = await world.aioDca(['fundings', 'adjust', box.id, `${usd} USD`, '--reason', 'counted again']);
  if (ran.code === 0) box.amount += usd * WHOLE;
  return ran;
}

async function announce(world: World, box: Box): Promise<Ran> {
  const options = ['--any-machine', '--new-currency', '--json'];
  const ran = await world.aioDca(['fundings', 'add', 'bob', '1000 USD', ...options]);
  if (ran.code === 0) box.announced = ran.json<{ id: string }>().id;
  return ran;
}

async function confirm(world: World, box: Box, chance: () => number): Promise<Ran> {
  const { announced: id } = box;
  if (id === null) throw new Error('nothing is on its way');
  const usd = someUsd(chance);
  const ran = await world.aioDca(['fundings', 'confirm', id, '--counted', `${usd} USD`]);
  if (ran.code === 0) box.counted.push({ id, minor: usd * WHOLE });
  return ran;
}

async function move(world: World, box: Box): Promise<Ran> {
  const machine = box.machine === null ? MACHINE : null;
  const where = machine === null ? ['--any-machine'] : ['--machine', machine];
  const ran = await world.aioDca(['fundings', 'move', box.id, ...where]);
  if (ran.code === 0) box.machine = machine;
  return ran;
}

function someUsd(chance: () => number): bigint {
  return 1n + BigInt(Math.floor(chance() * 500));
}

/** What commands reported but the ledger does not have. */
export async function lostFromBox({ ledgerUrl }: World, box: Box): Promise<string[]> {
  expect(box.counted.length).toBeGreaterThan(0);
  const rows = await ledgerSql(
    ledgerUrl,
    "select id, amount, remaining, withdrawn, machine, status from fundings where currency = 'USD'",
  );
  const found = rows.map((row) =>
    line(`f${row.id}`, row.amount, row.remaining, row.withdrawn, row.machine, row.status),
  );
  const { id, amount, withdrawn, machine, counted } = box;
  const said = [
    line(id, amount, amount - withdrawn, withdrawn, machine, 'deposited'),
    ...counted.map((one) => line(one.id, one.minor, one.minor, 0n, null, 'deposited')),
  ];
  return said.filter((one) => !found.includes(one)).map((one) => `${one}; there are: ${found.join(' | ')}`);
}

function line(id: string, ...columns: unknown[]): string {
  return [id, ...columns].join(', ');
}
