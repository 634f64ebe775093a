import { type Selectable, sql } from 'kysely';
import { conflict, notFound, wrongState } from '../../errors.ts';
import { didYouMean } from '../../lib/did-you-mean.ts';
import { machineText } from '../../lib/machine-label.ts';
import { call, message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import { type Act, record } from '../log/log.ts';
import type { Db, Trx } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';

export type Machine = Selectable<Schema['machines']>;

/** Registers a machine when first seen. */
export async function seeMachine(trx: Trx, act: Act, deviceId: string, source: string): Promise<void> {
  await registerOrUpdate(trx, act, await byDeviceId(trx, deviceId), { deviceId, name: null }, source);
}

/**
 * Registers all machines that Lamassu names; one query finds those that changed. The name follows Lamassu's, unless the
 * operator gave one. An unpaired machine is updated only if the ledger knows it.
 */
export async function seeMachines(
  trx: Trx,
  act: Act,
  machines: { deviceId: string; name: string | null; paired?: boolean }[],
  source: string,
): Promise<void> {
  const rows = await trx.selectFrom('machines').selectAll().execute();
  const known = new Map(rows.map((row) => [row.device_id, row]));
  for (const machine of machines.filter((one) => one.paired !== false))
    await registerOrUpdate(trx, act, known.get(machine.deviceId), machine, source);
  // A machine that was unpaired before the ledger knew it gets its last name with its first cash-out.
  for (const machine of machines.filter((one) => one.paired === false)) {
    const before = known.get(machine.deviceId);
    if (before?.name !== null || machine.name === null) continue;
    const taken = rows.some((row) => row.name === machine.name && row.replaced_by === null);
    const name = taken ? `${machine.name} (unpaired)` : machine.name;
    await registerOrUpdate(trx, act, before, { ...machine, name }, source);
  }
}

async function registerOrUpdate(
  trx: Trx,
  act: Act,
  before: Machine | undefined,
  { deviceId, name }: { deviceId: string; name: string | null },
  source: string,
): Promise<void> {
  const subject = `machine ${deviceId}`;
  if (!before) {
    await trx
      .insertInto('machines')
      .values({ device_id: deviceId, source, name, first_seen: act.at })
      .execute();
    await record(trx, act, { subject, action: 'machine found', after: { source, name } });
    return;
  }
  if (name === null) return;
  const renamed = before.name_given === 0n && before.name !== name;
  if (!renamed && before.source === source) return;
  await trx
    .updateTable('machines')
    .set({ source, ...(renamed ? { name } : {}) })
    .where('device_id', '=', deviceId)
    .execute();
  if (!renamed) return;
  const states = { before: { name: before.name }, after: { name } };
  await record(trx, act, { subject, action: 'machine renamed', ...states });
}

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

async function byDeviceId(db: Db, deviceId: string): Promise<Machine | undefined> {
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

/** A machine and those that it replaced: its fundings also serve their late cash-outs. */
export async function withPredecessors(db: Db, deviceId: string): Promise<string[]> {
  const replaced = await db
    .selectFrom('machines')
    .select(['device_id', 'replaced_by'])
    .where('replaced_by', 'is not', null)
    .execute();
  const line = [deviceId];
  for (const at of line) {
    const before = replaced.filter((one) => one.replaced_by === at && !line.includes(one.device_id));
    line.push(...before.map((one) => one.device_id));
  }
  return line;
}

/** A machine and its successors, whose fundings were its own before. */
export async function successors(db: Db, machine: string): Promise<string[]> {
  const line = [machine];
  for (let at: string | null = machine; at !== null; ) {
    const row: { replaced_by: string | null } | undefined = await db
      .selectFrom('machines')
      .select('replaced_by')
      .where('device_id', '=', at)
      .executeTakeFirst();
    at = row?.replaced_by ?? null;
    if (at !== null && line.includes(at)) break;
    if (at !== null) line.push(at);
  }
  return line;
}
