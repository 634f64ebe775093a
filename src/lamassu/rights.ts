import { actionColumns, readableColumns, requiredColumns } from './columns.ts';
import type { Connection } from './connect.ts';
import type { Excess } from './excess-privileges.ts';

/** The columns that exist and those that the role may read, as `table.column`. */
export interface Access {
  /** Required columns that do not exist: nothing can be read. */
  missing: string[];
  /** Useful columns that exist, but are not granted. */
  notGranted: string[];
  /** The useful columns that this server has. */
  columns: string[];
}

export type Rights = Access & Excess;

/**
 * Reads the catalogue, because `information_schema` hides columns without a grant: a new `fixed_fee` without a grant
 * would seem absent, and its fee would go to the clients.
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
 * The columns that must be granted. All of cash_out_txs: a fee that the bridge cannot see would go to the clients. And
 * those of cash_out_actions that name the machine: without them, the wrong clients would be paid.
 */
export function neededAndNotGranted({ notGranted }: Access): string[] {
  const actions = actionColumns.map((column) => `cash_out_actions.${column}`);
  return notGranted.filter((name) => name.startsWith('cash_out_txs.') || actions.includes(name));
}

export function present(access: Access, table: string, column: string): boolean {
  return access.columns.includes(`${table}.${column}`);
}
