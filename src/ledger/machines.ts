import { sql } from 'kysely';
import { BridgeError } from '../errors.ts';
import type { Instant } from '../time.ts';
import type { Db, Trx } from './open.ts';
import type { Schema } from './schema.ts';

/** Notes a machine at its first sight; its Lamassu name follows when it is known. */
export async function seeMachine(
  trx: Trx,
  deviceId: string,
  source: string,
  at: Instant,
  name: string | null = null,
): Promise<void> {
  await trx
    .insertInto('machines')
    .values({ device_id: deviceId, source, name, first_seen: at })
    .onConflict((conflict) =>
      name === null ? conflict.doNothing() : conflict.column('device_id').doUpdateSet({ name, source }),
    )
    .execute();
}

/** The machines that are in use, by name: a replaced one is not. */
export async function machinesInUse(db: Db): Promise<Schema['machines'][]> {
  return db
    .selectFrom('machines')
    .selectAll()
    .where('replaced_by', 'is', null)
    // Without a name it stands where its id would, on both databases.
    .orderBy(sql`coalesce(name, device_id)`)
    .orderBy('device_id')
    .execute();
}

/**
 * The machine that a person means: by its device id, or by its name in Lamassu where only one has it.
 * Throws `usage/invalid`, which names those that are known.
 */
export async function findMachine(db: Db, named: string, field: string): Promise<Schema['machines']> {
  const known = await machinesInUse(db);
  const byId = known.find((machine) => machine.device_id === named);
  if (byId) return byId;
  const [first, ...others] = known.filter((machine) => machine.name === named);
  if (first && others.length === 0) return first;
  const what = first ? `${others.length + 1} machines are called` : 'there is no machine';
  const listed = (first ? [first, ...others] : known).map(machineLabel).join(', ');
  throw new BridgeError(
    'usage/invalid',
    `${field}: ${what} ${JSON.stringify(named)}.`,
    first
      ? `Use the device id: ${listed}.`
      : `${listed === '' ? 'None is known yet.' : `Known: ${listed}.`} Run \`aio-dca doctor\` to read the machines of Lamassu.`,
  );
}

/** `Antigua (7a1f4c2e…)`, or the device id of a machine without a name. */
export function machineLabel({ device_id, name }: Pick<Schema['machines'], 'device_id' | 'name'>): string {
  return name === null ? device_id : `${name} (${device_id})`;
}

/** A machine with the cash that clients have for it; by currency, in minor units. */
export interface MachineView extends Pick<Schema['machines'], 'name' | 'currency' | 'first_seen'> {
  deviceId: string;
  /** Of deposited fundings that serve only this machine. */
  remaining: Remaining[];
  /** Of deposited fundings that serve every machine. */
  remainingAny: Remaining[];
  /** When the newest cash-out was confirmed that was processed here. */
  lastCashOut: Instant | null;
}

export interface Remaining {
  currency: string;
  digits: number;
  remaining: bigint;
}

/** In the order of `machines`. */
export async function machineViews(db: Db, machines: Schema['machines'][]): Promise<MachineView[]> {
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
  return machines.map(({ device_id, name, currency, first_seen }) => ({
    deviceId: device_id,
    name,
    currency,
    first_seen,
    remaining: remaining(device_id),
    remainingAny: remaining(null).filter((one) => currency === null || one.currency === currency),
    lastCashOut: last.find((row) => row.machine === device_id)?.at ?? null,
  }));
}
