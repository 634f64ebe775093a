import { type RawBuilder, sql } from 'kysely';

/**
 * A sum of integers, by a column or an expression; 0 over no rows. PostgreSQL's own sum of 64-bit integers is a
 * `numeric`.
 */
export function sumOf(of: string | RawBuilder<unknown>): RawBuilder<bigint> {
  return sql<bigint>`cast(coalesce(sum(${typeof of === 'string' ? sql.ref(of) : of}), 0) as bigint)`;
}
