import { actionColumns, readableColumns, requiredColumns } from './columns.ts';
import type { Connection } from './connect.ts';
import type { Excess } from './excess-privileges.ts';

/** What is there and what the role may read. Columns are written `table.column`. */
export interface Access {
  /** Needed, and not there: nothing can be read. */
  missing: string[];
  /** There and of use, but not granted. */
  notGranted: string[];
  /** Of the columns that the bridge can use, those that this server has. */
  columns: string[];
}

export type Rights = Access & Excess;

/**
 * Asks the catalogue and not `information_schema`, which hides what the role may not read: a new `fixed_fee` that
 * nobody granted would look absent, and its fee would go to the clients.
 */
export async function readAccess(connection: Connection): Promise<Access> {
  const rows = await connection.query(
    `select c.relname as "table", a.attname as "column",
       (has_schema_privilege(n.oid, 'usage') and has_column_privilege(c.oid, a.attnum, 'select'))::text as granted
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and c.relname = any ($1) and c.relkind in ('r', 'p', 'v', 'm', 'f')
       and a.attnum > 0 and not a.attisdropped
     order by c.relname, a.attnum`,
    [Object.keys(readableColumns)],
  );
  const known = rows.filter(({ table, column }) => readableColumns[table ?? '']?.includes(column ?? ''));
  const columns = known.map(({ table, column }) => `${table}.${column}`);
  const needed = requiredColumns.map((column) => `cash_out_txs.${column}`);
  const missing = rows.some(({ table }) => table === 'cash_out_txs')
    ? needed.filter((name) => !columns.includes(name))
    : ['table cash_out_txs'];
  const notGranted = known
    .filter(({ granted }) => granted !== 'true')
    .map(({ table, column }) => `${table}.${column}`);
  return { missing, notGranted, columns };
}

/**
 * What of it must be granted: of cash_out_txs everything, since a fee that is not seen goes to the clients, and of
 * cash_out_actions what says which machine the cash came out of, since else the wrong clients are paid.
 */
export function neededAndNotGranted({ notGranted }: Access): string[] {
  const actions = actionColumns.map((column) => `cash_out_actions.${column}`);
  return notGranted.filter((name) => name.startsWith('cash_out_txs.') || actions.includes(name));
}

export function present(access: Access, table: string, column: string): boolean {
  return access.columns.includes(`${table}.${column}`);
}
