import { type Selectable, sql } from 'kysely';
import { conflict, notFound, wrongState } from '../../errors.ts';
import { didYouMean } from '../../lib/did-you-mean.ts';
import { machineText } from '../../lib/machine-label.ts';
import { call, message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import type { Db } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';
import { withPredecessors } from './lineage.ts';

export type Machine = Selectable<Schema['machines']>;

/** The machines in use, by name; replaced ones are left out. */
export async function machinesInUse(db: Db): Promise<Machine[]> {
  return (
    db
      .selectFrom('machines')
      .selectAll()
      .where('replaced_by', 'is', null)
      // A machine without a name is sorted by its id, on both databases.
      .orderBy(sql`coalesce(name, device_id)`)
      .orderBy('device_id')
      .execute()
  );
}

/** The fewest characters of a device id that identify a machine. */
const SHORTEST = 6;

/**
 * Finds a machine by its device id, the first characters of it, or its name, if that is unambiguous. Throws
 * `usage/invalid`; the message names the known machines, or the one that replaced it.
 */
export async function findMachine(db: Db, named: string, of: string): Promise<Machine> {
  const known = await machinesInUse(db);
  const byId = known.find((machine) => machine.device_id === named);
  if (byId) return byId;
  const [first, ...others] = known.filter((machine) => machine.name === named);
  if (first && others.length === 0) return first;
  const begun = known.filter((machine) => named.length >= SHORTEST && machine.device_id.startsWith(named));
  const [only, ...more] = first ? [] : begun;
  if (only && more.length === 0) return only;
  const replaced = await findReplaced(db, named);
  if (replaced && !first) {
    const next = machineLabel(replaced.by);
    throw wrongState(
      of,
      `${named} is no longer in use: ${next} took its place`,
      message`Use that one; or undo the replacement: ${call('machines.replace', { old: replaced.by.device_id, new: named })}`,
    );
  }
  const meant = only ? begun : first ? [first, ...others] : [];
  const verb = only ? 'have a device id that begins with' : 'are called';
  const what = meant.length > 0 ? `${meant.length} machines ${verb}` : 'there is no machine';
  const listed = (
    meant.length > 0
      ? meant.map(({ device_id, name }) => (name === null ? device_id : `${name} (${device_id})`))
      : known.map(machineLabel)
  ).join(', ');
  if (meant.length > 0)
    throw conflict(of, `${what} ${JSON.stringify(named)}`, `Use the device id: ${listed}.`);
  throw notFound(
    of,
    `${what} ${JSON.stringify(named)}`,
    message`${didYouMean(
      named,
      known.map(({ name, device_id: id }) => name ?? id),
    )}${listed === '' ? 'None is known yet.' : `Known: ${listed}.`} Run ${call('doctor')} to read the machines of Lamassu.`,
  );
}

/** A replaced machine, its successor, and when; by device id only. */
export interface Replaced {
  machine: Machine;
  by: Machine;
  since: Instant;
}

export async function findReplaced(db: Db, deviceId: string): Promise<Replaced | undefined> {
  const machine = await byDeviceId(db, deviceId);
  if (!machine?.replaced_by) return undefined;
  const by = await byDeviceId(db, machine.replaced_by);
  const change = await db
    .selectFrom('log')
    .select('at')
    .where('subject', '=', `machine ${deviceId}`)
    .where('action', '=', 'machine replace')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!by || !change) throw new Error(`how machine ${deviceId} was replaced is not in the ledger`);
  return { machine, by, since: change.at };
}

export async function byDeviceId(db: Db, deviceId: string): Promise<Machine | undefined> {
  return db.selectFrom('machines').selectAll().where('device_id', '=', deviceId).executeTakeFirst();
}

/** Finds the machine for cash in a currency. Throws `usage/invalid`, also if it pays out another currency. */
export async function machineForCash(db: Db, named: string, currency: string): Promise<Machine> {
  const machine = await findMachine(db, named, 'machine');
  if (machine.currency === null || machine.currency === currency) return machine;
  throw conflict(
    'amount',
    `${machineLabel(machine)} pays out ${machine.currency}, not ${currency}`,
    'Check the currency and the machine.',
  );
}

/**
 * Why cash of this currency is doubtful in a machine without a set currency, or (null) in any machine: it has paid out
 * only other currencies. Null if it is not doubtful.
 */
export async function paysOtherwise(
  db: Db,
  deviceId: string | null,
  currency: string,
): Promise<string | null> {
  const inUse = await machinesInUse(db);
  const known = new Set<string>();
  for (const machine of inUse.filter((one) => deviceId === null || one.device_id === deviceId)) {
    const line = await withPredecessors(db, machine.device_id);
    const paid = await db
      .selectFrom('cash_outs')
      .select('currency')
      .distinct()
      .where('machine', 'in', line)
      .execute();
    if (machine.currency === null && paid.length === 0) return null;
    for (const one of machine.currency === null ? paid : [{ currency: machine.currency }])
      known.add(one.currency);
  }
  if (known.size === 0 || known.has(currency)) return null;
  const machine = inUse.find((one) => one.device_id === deviceId);
  const listed = [...known].sort().join(', ');
  return machine
    ? `${machineLabel(machine)} has paid out ${listed} so far, and no ${currency}`
    : `the machines pay out ${listed}, and none of them ${currency}`;
}

/** `Antigua (7a1f4c2e)`, or the beginning of its device id. */
export function machineLabel({ device_id, name }: Pick<Machine, 'device_id' | 'name'>): string {
  return machineText(device_id, name);
}
