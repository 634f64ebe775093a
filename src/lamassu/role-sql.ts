import pg from 'pg';
import type { Secret } from '../config/secret.ts';
import { invalid } from '../errors.ts';
import { readableColumns } from './columns.ts';
import { scramVerifier } from './scram.ts';

/**
 * A psql script that creates the bridge's role in Lamassu's database. The role may read the columns that the bridge
 * needs, as far as they exist, and nothing else. The script can run again at any time, e.g. after an upgrade of
 * Lamassu. It refuses a role that owns something, because its limits would apply to that owner. It sets the password,
 * which it holds only as PostgreSQL keeps it; without one, it asks for it at its end.
 */
export function roleSql({
  user,
  database,
  password,
}: {
  user: string;
  database: string;
  password?: Secret;
}): string {
  const role = pg.escapeIdentifier(user);
  const roleText = pg.escapeLiteral(user);
  const base = pg.escapeIdentifier(database);
  const wanted = Object.entries(readableColumns).map(
    ([table, columns]) => `      ('${table}', array[${columns.map((name) => `'${name}'`).join(', ')}])`,
  );
  const verifier = password && pg.escapeLiteral(scramVerifier(password));
  return `-- The role by which aio-dca-bridge reads Lamassu. Run it on the Lamassu server as PostgreSQL's superuser:
--   sudo -u postgres psql -v ON_ERROR_STOP=1 -d ${database.replaceAll(/\p{C}/gu, ' ')} < role.sql
begin;
do $$
begin
  if not exists (select from pg_roles where rolname = ${roleText}) then
    create role ${role} nosuperuser nocreatedb nocreaterole;
  elsif exists (select from pg_roles where rolname = ${roleText} and rolsuper)
    or exists (select from pg_class where relowner = (select oid from pg_roles where rolname = ${roleText})) then
    raise exception 'the role % belongs to something else already: choose another name', ${roleText};
  end if;
end $$;
alter role ${role} with login connection limit 5${verifier ? ` password ${verifier}` : ''};
alter role ${role} in database ${base} set default_transaction_read_only = on;
alter role ${role} in database ${base} set statement_timeout = '60s';
grant connect on database ${base} to ${role};
grant usage on schema public to ${role};
-- Lamassu's columns differ between versions: what exists is granted.
do $$
declare
  wanted record;
  present text;
begin
  for wanted in
    select * from (values
${wanted.join(',\n')}
    ) as lists (name, columns)
  loop
    select string_agg(quote_ident(a.attname), ', ' order by a.attnum) into present
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = 'public' and c.relname = wanted.name and a.attname = any (wanted.columns)
        and a.attnum > 0 and not a.attisdropped;
    if present is not null then
      execute format('grant select (%s) on public.%I to %I', present, wanted.name, ${roleText});
    end if;
  end loop;
end $$;
commit;
${verifier ? '' : `-- Asks for the password that goes into the bridge's configuration.\n\\password ${role}\n`}`;
}

/**
 * The line for `~/.ssh/authorized_keys` on the SSH server: this key opens a tunnel to host:port and does nothing else.
 * Write `host` exactly as in the bridge's configuration. Dropbear refuses a key with an unknown option, and cannot
 * permit forwarding after `restrict`.
 */
export function authorizedKeysLine(
  publicKey: string,
  host: string,
  port: number,
  server: 'openssh' | 'dropbear' = 'openssh',
): string {
  const key = publicKey.trim();
  if (!/^[a-z0-9@.-]+ AAAA[A-Za-z0-9+/=]+( [^\p{C}]*)?$/u.test(key)) {
    throw invalid(
      'public_key',
      'that is not a public SSH key on one line',
      'Give the contents of the .pub file, like `ssh-ed25519 AAAA…`.',
    );
  }
  const target = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const rest =
    server === 'dropbear' ? 'no-pty,no-agent-forwarding,no-X11-forwarding' : 'restrict,port-forwarding';
  return `command="/bin/false",${rest},permitopen="${target}" ${key}`;
}
