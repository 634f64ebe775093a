import { sql } from 'kysely';
import { percent, percentRange } from '../../dca/money.ts';
import { conflict } from '../../errors.ts';
import { call, field, message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import { inForce } from '../store/effective-dated.ts';
import type { Db } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';
import { machineLabel, machinesInUse } from './machines.ts';

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
