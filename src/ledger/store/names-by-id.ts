import type { Db } from './open.ts';

/** The names of clients, commission recipients and machines, by their ids. */
export interface Names {
  /** Clients, and who receives commission. */
  recipients: ReadonlyMap<bigint, string>;
  /** By device id; null: Lamassu gave none. */
  machines: ReadonlyMap<string, string | null>;
}

export async function readNames(db: Db): Promise<Names> {
  const recipients = await db.selectFrom('recipients').select(['id', 'name']).execute();
  const machines = await db.selectFrom('machines').select(['device_id', 'name']).execute();
  return {
    recipients: new Map(recipients.map(({ id, name }) => [id, name])),
    machines: new Map(machines.map(({ device_id, name }) => [device_id, name])),
  };
}

/** The names of all recipients of these kinds, in the order of their entry. */
export async function namesOf(db: Db, ...kinds: ('client' | 'commission')[]): Promise<string[]> {
  const rows = await db
    .selectFrom('recipients')
    .select('name')
    .where('kind', 'in', kinds)
    .orderBy('id')
    .execute();
  return rows.map(({ name }) => name);
}
