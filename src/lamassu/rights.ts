import { readableColumns, requiredColumns } from './columns.ts';
import type { Connection } from './connect.ts';

/** What is there and what the role may read. Columns are written `table.column`. */
export interface Access {
  /** Needed, and not there: nothing can be read. */
  missing: string[];
  /** There and of use, but not granted. Of cash_out_txs each one is needed. */
  notGranted: string[];
  /** Of the columns that the bridge can use, those that this server has. */
  columns: string[];
}

export interface Rights extends Access {
  /** More than the bridge needs: writes, other columns or tables, other roles, a superuser. */
  tooMuch: string[];
  /** The part of it by which something may be changed, here or by taking another role. */
  harmful: string[];
}

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

export function present(access: Access, table: string, column: string): boolean {
  return access.columns.includes(`${table}.${column}`);
}

export async function readTooMuch(connection: Connection): Promise<Pick<Rights, 'tooMuch' | 'harmful'>> {
  const [role] = await connection.query(
    `select rolsuper::text as superuser, rolcreaterole::text as "CREATEROLE", rolcreatedb::text as "CREATEDB",
       rolreplication::text as "REPLICATION", rolbypassrls::text as "BYPASSRLS"
     from pg_roles where rolname = current_user`,
  );
  // A superuser may do everything, so that a list of it says nothing more.
  if (role?.superuser === 'true') return { tooMuch: ['superuser'], harmful: ['superuser'] };
  const powers = Object.entries(role ?? {}).flatMap(([power, has]) => (has === 'true' ? [power] : []));
  // One that inherits nothing may still take the other role at any time.
  const groups = await connection.query(
    `select rolname as "name" from pg_roles
     where rolname <> current_user and pg_has_role(current_user, oid, 'member') order by 1`,
  );
  const rows = await connection.query(
    `select n.nspname as "schema", c.relname as "table", a.attname as "column",
       has_column_privilege(c.oid, a.attnum, 'select')::text as reads,
       (has_column_privilege(c.oid, a.attnum, 'insert, update')
         or has_table_privilege(c.oid, 'delete, truncate, trigger'))::text as writes
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname <> 'information_schema' and n.nspname !~ '^pg_' and c.relkind in ('r', 'p', 'v', 'm', 'f')
       and a.attnum > 0 and not a.attisdropped
     order by 1, 2, a.attnum`,
  );
  const readsOf = new Map<string, string[]>();
  const written = new Set<string>();
  for (const { schema, table, column, reads, writes } of rows) {
    const name = schema === 'public' ? `${table}` : `${schema}.${table}`;
    if (reads === 'true' && !readableColumns[name]?.includes(column ?? '')) {
      readsOf.set(name, [...(readsOf.get(name) ?? []), `${column}`]);
    }
    if (writes === 'true') written.add(name);
  }
  const reads = [...readsOf].map(([table, columns]) => `reads ${table} (${columns.join(', ')})`);
  const harmful = [
    ...powers,
    ...groups.map(({ name }) => `is a member of ${name}`),
    ...[...written].map((table) => `writes ${table}`),
  ];
  return { tooMuch: [...harmful, ...reads], harmful };
}
