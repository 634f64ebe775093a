import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../ledger/store/open.ts';
import type { Instant } from '../time.ts';
import type { ExportKind } from './kinds.ts';

/** Which rows are wanted: from a moment on, before another, of one client; null: without that bound. */
export interface Choice {
  from: Instant | null;
  before: Instant | null;
  client: bigint | null;
  /** Further conditions. */
  where?: RawBuilder<SqlBool>[];
  /** In the reverse order. Not for kinds with `parts`. */
  newestFirst?: boolean;
}

/** A row as the database gives it: by the names of the columns, and its `digits` where it has a currency. */
export type ExportRow = Record<string, string | bigint | null>;

const PAGE = 100;

/**
 * The rows of a kind in the order of its key, a page at a time. Only one page is in memory, and no transaction stays
 * open while the reader is slow.
 */
export async function* pages(
  db: Db,
  kind: ExportKind,
  choice: Choice,
  size = PAGE,
): AsyncGenerator<ExportRow[], void> {
  const conditions = conditionsOf(kind, choice);
  // Where every part is read, `before` is carried from row to row: SQL would add up all earlier parts for each row.
  const carried = choice.client === null && !choice.where?.length ? kind.parts : undefined;
  const selected = [
    ...kind.columns.flatMap(({ name, sql }) =>
      typeof sql === 'string' && !(name === 'before' && carried !== undefined) ? [`${sql} as "${name}"`] : [],
    ),
    ...kind.key.map((expression, index) => `${expression} as "key ${index}"`),
    ...(kind.currency === null ? [] : [`${kind.currency}.digits as digits`]),
  ];
  const order = kind.key.map((part) => (choice.newestFirst ? `${part} desc` : part)).join(', ');
  for (let last: ExportRow | undefined; ; ) {
    const after = last === undefined ? [] : [behind(kind.key, last, choice.newestFirst ?? false)];
    const page = sql<ExportRow>`select ${sql.raw(selected.join(', '))} from ${sql.raw(kind.from)}
      where ${all([...conditions, ...after])} order by ${sql.raw(order)} limit ${size}`;
    const { rows } = await page.execute(db);
    for (const row of rows) {
      if (carried !== undefined) {
        const sum = BigInt(last?.before ?? 0n) + BigInt(last?.[carried] ?? 0n);
        row.before = last?.cash_out === row.cash_out ? sum : 0n;
      }
      last = row;
      for (const { name, sql } of kind.columns) if (typeof sql === 'function') row[name] = sql(row);
    }
    if (rows.length > 0) yield rows;
    if (rows.length < size) return;
  }
}

/** The number of rows of `pages`. */
export async function countRows(db: Db, kind: ExportKind, choice: Choice): Promise<number> {
  const counted = sql<{
    count: bigint;
  }>`select count(*) as count from ${sql.raw(kind.from)} where ${all(conditionsOf(kind, choice))}`;
  const [row] = (await counted.execute(db)).rows;
  return Number(row?.count ?? 0n);
}

export function conditionsOf(
  kind: ExportKind,
  { from, before, client, where = [] }: Choice,
): RawBuilder<SqlBool>[] {
  const at = sql.raw(kind.at);
  const conditions = [...where];
  if (kind.where !== undefined) conditions.push(sql.raw(kind.where));
  if (from !== null) conditions.push(sql`${at} >= ${from}`);
  if (before !== null) conditions.push(sql`${at} < ${before}`);
  if (client !== null && kind.client !== null) {
    const parts = kind.client.split('?').map((part) => sql.raw(part));
    conditions.push(sql.join(parts, sql`${client}`));
  }
  return conditions;
}

/**
 * Behind `last` in the order of `key`, from its `index`-th part on. The first comparison is what an index is used for.
 */
function behind(key: string[], last: ExportRow, isReversed: boolean, index = 0): RawBuilder<SqlBool> {
  const part = sql.raw(key[index] ?? '');
  const value = last[`key ${index}`];
  const than = sql.raw(isReversed ? '<' : '>');
  if (index === key.length - 1) return sql`${part} ${than} ${value}`;
  return sql`(${part} ${than}= ${value} and (${part} ${than} ${value} or ${behind(key, last, isReversed, index + 1)}))`;
}

export function all(conditions: RawBuilder<SqlBool>[]): RawBuilder<SqlBool> {
  return conditions.length === 0 ? sql<SqlBool>`1 = 1` : sql.join(conditions, sql` and `);
}
