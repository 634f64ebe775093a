import { type Selectable, sql } from 'kysely';
import { percent, percentRange } from '../../dca/money.ts';
import { conflict, notFound, wrongState } from '../../errors.ts';
import { didYouMean } from '../../lib/did-you-mean.ts';
import { machineText } from '../../lib/machine-label.ts';
import { call, field, message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import { type Act, record } from '../log/log.ts';
import { inForce } from '../store/effective-dated.ts';
import type { Db, Trx } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';

export type Machine = Selectable<Schema['machines']>;

/** Registers a machine when first seen. */
export async function seeMachine(trx: Trx, act: Act, deviceId: string, source: string): Promise<void> {
  await note(trx, act, await byDeviceId(trx, deviceId), { deviceId, name: null }, source);
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
    await note(trx, act, known.get(machine.deviceId), machine, source);
  // A machine that was unpaired before the ledger knew it gets its last name with its first cash-out.
  for (const machine of machines.filter((one) => one.paired === false)) {
    const before = known.get(machine.deviceId);
    if (before?.name !== null || machine.name === null) continue;
    const taken = rows.some((row) => row.name === machine.name && row.replaced_by === null);
    const name = taken ? `${machine.name} (unpaired)` : machine.name;
    await note(trx, act, before, { ...machine, name }, source);
  }
}

async function note(
  trx: Trx,
  act: Act,
  before: Machine | undefined,
  { deviceId, name }: { deviceId: string; name: string | null },
  source: string,
): Promise<void> {
  const change = { at: act.at, subject: `machine ${deviceId}` };
  if (!before) {
    await trx
      .insertInto('machines')
      .values({ device_id: deviceId, source, name, first_seen: act.at })
      .execute();
    await record(trx, act, { ...change, action: 'machine found', after: { source, name } });
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
  await record(trx, act, { ...change, action: 'machine renamed', ...states });
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
export async function machineOf(db: Db, named: string, currency: string): Promise<Machine> {
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

/** Commission rates of a machine, ×10^5: its default rate, and the lowest and highest rate of a funding. */
export type Rates = Pick<Schema['machine_rates'], 'rate' | 'min_rate' | 'max_rate'>;

/** The rates in force at a moment. */
export async function ratesAt(db: Db, deviceId: string, at: Instant): Promise<Rates> {
  const row = await db
    .selectFrom('machine_rates')
    .select(['rate', 'min_rate', 'max_rate'])
    .where('id', '=', inForce('machine_rates', 'device_id', sql.val(deviceId), at))
    .executeTakeFirst();
  return row ?? { rate: null, min_rate: null, max_rate: null };
}

/**
 * Throws `usage/invalid` if the machine does not allow a funding's own rate. A funding that serves all machines needs a
 * rate that each machine of its currency allows.
 */
export async function refuseRate(
  db: Db,
  funding: { machine: string | null; rate: bigint | null; currency: string },
  at: Instant,
): Promise<void> {
  const { machine, rate, currency } = funding;
  if (rate === null) return;
  const machines = (await machinesInUse(db)).filter((one) =>
    machine === null ? (one.currency ?? currency) === currency : one.device_id === machine,
  );
  for (const one of machines) {
    const range = await ratesAt(db, one.device_id, at);
    if (isWithin(rate, range)) continue;
    throw conflict(
      'rate',
      `${percent(rate)} is outside of what ${machineLabel(one)} allows, ${percentRange(range.min_rate, range.max_rate)}`,
      machine === null
        ? message`Choose a rate that every machine allows, or bind the cash to one with ${field('machine')}.`
        : message`${call('machines.set', { machine: one.device_id, min_rate: null, max_rate: null })} changes what it allows.`,
    );
  }
}

export function isWithin(rate: bigint, { min_rate: min, max_rate: max }: Rates): boolean {
  return (min === null || rate >= min) && (max === null || rate <= max);
}

/** A machine with the clients' cash for it, by currency, in minor units. */
export interface MachineWithCash extends Pick<Machine, 'name' | 'currency' | 'first_seen'> {
  deviceId: string;
  /** Of deposited fundings that serve only this machine. */
  remaining: Remaining[];
  /** Of deposited fundings that serve every machine. */
  remainingAny: Remaining[];
  /** When its newest processed cash-out was confirmed. */
  lastCashOut: Instant | null;
  /** In force now. */
  rates: Rates;
}

export interface Remaining {
  currency: string;
  digits: number;
  remaining: bigint;
}

/** In the order of `machines`. */
export async function machineViews(db: Db, machines: Machine[], at: Instant): Promise<MachineWithCash[]> {
  const cash = await db
    .selectFrom('fundings')
    .innerJoin('currencies', 'currencies.code', 'fundings.currency')
    .select([
      'fundings.machine',
      'fundings.currency',
      'currencies.digits',
      sql<bigint>`cast(sum(fundings.remaining) as bigint)`.as('remaining'),
    ])
    .where('fundings.status', '=', 'deposited')
    .groupBy(['fundings.machine', 'fundings.currency', 'currencies.digits'])
    .orderBy('fundings.currency')
    .execute();
  const last = await db
    .selectFrom('cash_outs')
    .select(['machine', (eb) => eb.fn.max('confirmed_at').as('at')])
    .groupBy('machine')
    .execute();
  const remaining = (machine: string | null) =>
    cash
      .filter((row) => row.machine === machine)
      .map((row) => ({ currency: row.currency, digits: Number(row.digits), remaining: row.remaining }));
  const views: MachineWithCash[] = [];
  for (const { device_id, name, currency, first_seen } of machines) {
    views.push({
      deviceId: device_id,
      name,
      currency,
      first_seen,
      remaining: remaining(device_id),
      remainingAny: remaining(null).filter((one) => currency === null || one.currency === currency),
      lastCashOut: last.find((row) => row.machine === device_id)?.at ?? null,
      rates: await ratesAt(db, device_id, at),
    });
  }
  return views;
}
