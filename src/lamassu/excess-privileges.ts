import { readableColumns } from './columns.ts';
import type { Connection } from './connect.ts';

export interface Excess {
  /** Privileges that the bridge does not need: writes, other columns or tables, functions, other roles, superuser. */
  tooMuch: string[];
  /** Those that allow a change, directly or by SET ROLE. */
  harmful: string[];
}

/** Privileges of PUBLIC: reported, but another role would have them too. */
export const EVERYBODY_CREATES =
  'creates in schema public (as every role may, by default up to PostgreSQL 14)';

/** What the role may do beyond the grants of `roleSql`, by its own privileges, a group's or PUBLIC's. */
export async function readTooMuch(connection: Connection): Promise<Excess> {
  const [role] = await connection.query(
    `select rolsuper::text as superuser, rolcreaterole::text as "CREATEROLE", rolcreatedb::text as "CREATEDB",
       rolreplication::text as "REPLICATION", rolbypassrls::text as "BYPASSRLS"
     from pg_roles where rolname = current_user`,
  );
  // A superuser may do everything, so a list adds nothing.
  if (role?.superuser === 'true') return { tooMuch: ['superuser'], harmful: ['superuser'] };
  const powers = Object.entries(role ?? {}).flatMap(([power, has]) => (has === 'true' ? [power] : []));
  // A NOINHERIT role can still SET ROLE at any time.
  const groups = await connection.query(
    `select rolname as "name" from pg_roles
     where rolname <> current_user and pg_has_role(current_user, oid, 'member') order by 1`,
  );
  const places = await readPlaces(connection);
  const tables = await readTables(connection);
  const sequences = await readSequences(connection);
  const system = await readSystem(connection);
  const harmful = [
    ...powers,
    ...groups.map(({ name }) => `is a member of ${name}`),
    ...places.harmful,
    ...tables.harmful,
    ...sequences.harmful,
    ...system.harmful,
    ...(await readDefiners(connection)),
  ];
  const others = [...places.others, ...tables.others, ...sequences.others, ...system.others];
  return { tooMuch: [...harmful, ...others], harmful };
}

interface ExcessPrivileges {
  harmful: string[];
  others: string[];
}

/** CREATE on a schema of Lamassu's search_path allows to shadow the names that Lamassu uses. */
async function readPlaces(connection: Connection): Promise<ExcessPrivileges> {
  const rows = await connection.query(
    `select 'the database' as place, has_database_privilege(current_database(), 'create')::text as creates,
       has_database_privilege(current_database(), 'connect with grant option, temp with grant option')::text as grants,
       'false' as everybody
     union all
     select 'schema ' || nspname, has_schema_privilege(oid, 'create')::text,
       has_schema_privilege(oid, 'usage with grant option')::text,
       (nspname = 'public' and exists (
         select from aclexplode(nspacl) where grantee = 0 and privilege_type = 'CREATE'
       ))::text
     from pg_namespace where nspname !~ '^pg_(toast|temp)' order by 1`,
  );
  const harmful = rows.flatMap(({ place, creates, grants, everybody }) => [
    ...(creates === 'true' && everybody !== 'true' ? [`creates in ${place}`] : []),
    ...(grants === 'true' ? [`grants rights on ${place}`] : []),
  ]);
  return { harmful, others: rows.some(({ everybody }) => everybody === 'true') ? [EVERYBODY_CREATES] : [] };
}

async function readTables(connection: Connection): Promise<ExcessPrivileges> {
  const [server] = await connection.query(`select current_setting('server_version_num') as version`);
  const maintains = Number(server?.version) >= 170_000 ? `has_table_privilege(c.oid, 'maintain')` : 'false';
  const rows = await connection.query(
    `select n.nspname as "schema", c.relname as "table", a.attname as "column",
       has_column_privilege(c.oid, a.attnum, 'select')::text as reads,
       (has_column_privilege(c.oid, a.attnum, 'insert, update')
         or has_table_privilege(c.oid, 'delete, truncate, trigger'))::text as writes,
       has_column_privilege(c.oid, a.attnum, 'references')::text as "references",
       (${maintains})::text as maintains,
       has_column_privilege(c.oid, a.attnum, 'select with grant option')::text as grants
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname <> 'information_schema' and n.nspname !~ '^pg_' and c.relkind in ('r', 'p', 'v', 'm', 'f')
       and a.attnum > 0 and not a.attisdropped
     order by 1, 2, a.attnum`,
  );
  const readsOf = new Map<string, string[]>();
  const harmful = new Set<string>();
  for (const { schema, table, column, reads, writes, references, maintains, grants } of rows) {
    const name = schema === 'public' ? `${table}` : `${schema}.${table}`;
    if (reads === 'true' && !readableColumns[name]?.includes(column ?? '')) {
      readsOf.set(name, [...(readsOf.get(name) ?? []), `${column}`]);
    }
    if (writes === 'true') harmful.add(`writes ${name}`);
    // A foreign key to a table blocks its owner from deleting rows.
    if (references === 'true') harmful.add(`references ${name}`);
    // VACUUM FULL, CLUSTER, REINDEX and LOCK TABLE block all other sessions.
    if (maintains === 'true') harmful.add(`maintains ${name}`);
    if (grants === 'true') harmful.add(`grants rights on ${name}`);
  }
  const reads = [...readsOf].map(([table, columns]) => `reads ${table} (${columns.join(', ')})`);
  return { harmful: [...harmful], others: reads };
}

/** `usage` alone allows `nextval`, which advances a sequence. */
async function readSequences(connection: Connection): Promise<ExcessPrivileges> {
  const rows = await connection.query(
    `select case n.nspname when 'public' then '' else n.nspname || '.' end || c.relname as "name",
       has_sequence_privilege(c.oid, 'usage, update')::text as writes,
       has_sequence_privilege(c.oid, 'select')::text as reads
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname <> 'information_schema' and n.nspname !~ '^pg_' and c.relkind = 'S' order by 1`,
  );
  return {
    harmful: rows.flatMap(({ name, writes }) => (writes === 'true' ? [`writes sequence ${name}`] : [])),
    others: rows.flatMap(({ name, reads }) => (reads === 'true' ? [`reads sequence ${name}`] : [])),
  };
}

/**
 * Grants on the system catalogues, and on functions anywhere, beyond the initial ones. PUBLIC has many privileges from
 * the beginning: `pg_init_privs` lists them; without an entry there, the default of that kind of object applies.
 */
async function readSystem(connection: Connection): Promise<ExcessPrivileges> {
  const rows = await connection.query(
    `with mine as (select oid from pg_roles where pg_has_role(oid, 'usage') union all select 0::oid),
     system as (
       select c.* from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in ('pg_catalog', 'pg_toast')
     ),
     objects as (
       select 'pg_class'::regclass as class, oid, 0 as part, oid::regclass::text as "name", relacl as acl,
         acldefault('r', relowner) as usual from system
       union all
       select 'pg_class'::regclass, a.attrelid, a.attnum, format('%s (%s)', a.attrelid::regclass, a.attname),
         a.attacl, acldefault('c', c.relowner) from pg_attribute a join system c on c.oid = a.attrelid
       union all
       select 'pg_proc'::regclass, oid, 0, oid::regprocedure::text, proacl, acldefault('f', proowner) from pg_proc
     )
     select distinct o.name, more.privilege_type as privilege, more.is_grantable::text as grants
     from objects o
     left join pg_init_privs i on i.objoid = o.oid and i.classoid = o.class and i.objsubid = o.part
     cross join lateral (
       select privilege_type, is_grantable from aclexplode(o.acl) where grantee in (select oid from mine)
       except
       select privilege_type, is_grantable from aclexplode(coalesce(i.initprivs, o.usual))
       where grantee in (select oid from mine)
     ) more
     where o.acl is not null order by 1, 2`,
  );
  const harmful = new Set<string>();
  const reads: string[] = [];
  for (const { name, privilege, grants } of rows) {
    if (privilege === 'EXECUTE') harmful.add(`runs ${name}`);
    else if (privilege === 'SELECT') reads.push(`reads ${name}`);
    else harmful.add(`writes ${name}`);
    if (grants === 'true') harmful.add(`grants rights on ${name}`);
  }
  return { harmful: [...harmful], others: reads };
}

/** SECURITY DEFINER functions: their effect cannot be checked from here. */
async function readDefiners(connection: Connection): Promise<string[]> {
  const rows = await connection.query(
    `select p.oid::regprocedure::text as "name", pg_get_userbyid(p.proowner) as owner
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where p.prosecdef and n.nspname not in ('pg_catalog', 'information_schema')
       and has_schema_privilege(n.oid, 'usage') and has_function_privilege(p.oid, 'execute')
     order by 1`,
  );
  return rows.map(({ name, owner }) => `runs ${name} as ${owner}`);
}
