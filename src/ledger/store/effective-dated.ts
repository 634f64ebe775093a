import { type Expression, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Instant } from '../../time.ts';

/** The `from_at` of a first setting, which applies to all time. */
export const ALWAYS: Instant = '0001-01-01T00:00:00.000000Z';

/**
 * The id of the row of `table` that was in force at a moment: the newest whose `from_at` is not later.
 * Within `also`, the table is called `x`.
 */
export function inForce(
  table: 'client_settings' | 'client_limits' | 'machine_rates',
  key: 'client_id' | 'device_id',
  value: Expression<unknown>,
  at: Instant,
  also: RawBuilder<SqlBool> = sql<SqlBool>`true`,
): RawBuilder<bigint> {
  return sql<bigint>`(select x.id from ${sql.table(table)} as x where x.${sql.ref(key)} = ${value} and x.from_at <= ${at} and ${also}
    order by x.from_at desc, x.id desc limit 1)`;
}
