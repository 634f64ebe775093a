import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Secret } from '../../../src/config/secret.ts';
import { openDatabase } from '../../../src/lamassu/database.ts';
import { EVERYBODY_CREATES } from '../../../src/lamassu/excess-privileges.ts';
import type { Rights } from '../../../src/lamassu/rights.ts';
import { roleSql } from '../../../src/lamassu/role-sql.ts';
import { systemClock } from '../../../src/time.ts';
import { createLamassu, type Lamassu } from '../../support/lamassu.ts';
import { type Database, freshDatabase } from '../../support/postgres.ts';

/* What `doctor` reports of a role, by each way in which PostgreSQL gives a right. That the documented role suffices for
 * everything: every test with a world runs on it. */

const suffix = randomBytes(4).toString('hex');
const role = `reader_${suffix}`;
const other = `other_${suffix}`;
const password = randomBytes(12).toString('hex');
const sequence = 'cash_out_actions_id_seq';
let database: Database;
let lamassu: Lamassu;

beforeAll(async () => {
  database = await freshDatabase();
  lamassu = await createLamassu(database.url);
});
afterEach(async () => {
  for (const name of [role, other]) await lamassu.query(`drop owned by ${name}`);
  for (const name of [role, other]) await lamassu.query(`drop role ${name}`);
  await lamassu.query(`revoke select on customers from public; revoke select on pg_authid from public;
    revoke create on schema public from public; revoke execute on function pg_read_file(text) from public; drop function if exists forgive()`);
});
afterAll(async () => {
  await lamassu.end();
  await database.drop();
});

async function rightsAfter(sql: string): Promise<Rights> {
  const { hostname, port, pathname } = new URL(database.url);
  const name = pathname.slice(1);
  await lamassu.query(roleSql({ user: role, database: name }).replace(/^\\.*$/m, ''));
  await lamassu.query(`alter role ${role} password '${password}'; create role ${other}; ${sql}`);
  const source = await openDatabase(
    {
      ...{
        name: 'lamassu',
        host: hostname,
        port: Number(port),
        database: name,
        user: role,
        password: new Secret(password),
      },
      ...{ tls: 'disable', startAt: '2026-01-01T00:00:00.000000Z', ssh: undefined, ca: undefined },
    },
    systemClock,
  );
  try {
    return await source.check();
  } finally {
    await source.close();
  }
}

test.each<[string, string, string[]]>([
  ['nothing but the documented grants', '', []],
  ['a column more', `grant select (phone) on cash_out_txs to ${role}`, ['reads cash_out_txs (phone)']],
  ['a grant to PUBLIC', 'grant select on customers to public', ['reads customers (id, phone, id_card_data)']],
  ['a write', `grant insert on devices to ${role}`, ['writes devices']],
  ['truncate alone', `grant truncate on devices to ${role}`, ['writes devices']],
  [
    'a role that it inherits',
    `grant update on cash_out_txs to ${other}; grant ${other} to ${role}`,
    [`is a member of ${other}`, 'writes cash_out_txs'],
  ],
  [
    'a role that it does not inherit, but may take',
    `grant update on cash_out_txs to ${other}; alter role ${role} noinherit; grant ${other} to ${role}`,
    [`is a member of ${other}`],
  ],
  [
    'the server’s programs',
    `grant pg_execute_server_program to ${role}`,
    ['is a member of pg_execute_server_program'],
  ],
  ['tables in schema public', `grant create on schema public to ${role}`, ['creates in schema public']],
  [
    'the same as every role, as up to PostgreSQL 14',
    'grant create on schema public to public',
    [EVERYBODY_CREATES],
  ],
  [
    'schemas',
    `do $$ begin execute format('grant create on database %I to ${role}', current_database()); end $$`,
    ['creates in the database'],
  ],
  ['foreign keys', `grant references on devices to ${role}`, ['references devices']],
  ['foreign keys to one column', `grant references (name) on devices to ${role}`, ['references devices']],
  ['triggers', `grant trigger on devices to ${role}`, ['writes devices']],
  ['vacuum full and locks', `grant maintain on devices to ${role}`, ['maintains devices']],
  [
    'rights on a table to pass on',
    `grant select (name) on devices to ${role} with grant option`,
    ['grants rights on devices'],
  ],
  [
    'rights on a schema to pass on',
    `grant usage on schema public to ${role} with grant option`,
    ['grants rights on schema public'],
  ],
  ['a sequence to read', `grant select on sequence ${sequence} to ${role}`, [`reads sequence ${sequence}`]],
  [
    'a sequence to move on',
    `grant usage on sequence ${sequence} to ${role}`,
    [`writes sequence ${sequence}`],
  ],
  [
    'a sequence to set, by a group',
    `grant update on sequence ${sequence} to ${other}; grant ${other} to ${role}`,
    [`is a member of ${other}`, `writes sequence ${sequence}`],
  ],
  ['the passwords of all roles', `grant select on pg_authid to ${role}`, ['reads pg_authid']],
  [
    'one column of them',
    `grant select (rolpassword) on pg_authid to ${role}`,
    ['reads pg_authid (rolpassword)'],
  ],
  ['them by a grant to PUBLIC', 'grant select on pg_authid to public', ['reads pg_authid']],
  ['the catalogue to change', `grant update on pg_authid to ${role}`, ['writes pg_authid']],
  [
    'the server’s files',
    `grant execute on function pg_read_file(text) to ${role}`,
    ['runs pg_read_file(text)'],
  ],
  [
    'them by a group',
    `grant execute on function pg_read_file(text) to ${other}; grant ${other} to ${role}`,
    [`is a member of ${other}`, 'runs pg_read_file(text)'],
  ],
  [
    'them by a grant to PUBLIC',
    'grant execute on function pg_read_file(text) to public',
    ['runs pg_read_file(text)'],
  ],
  [
    'what PUBLIC may do anyhow',
    `grant select on pg_class to ${role}; grant execute on function now() to ${role}`,
    [],
  ],
  [
    'a function with its owner’s rights',
    "create function forgive() returns void language sql security definer as 'delete from customers'",
    ['runs forgive() as postgres'],
  ],
  [
    'one that it may not run',
    `create function forgive() returns void language sql security definer as 'delete from customers';
     revoke execute on function forgive() from public`,
    [],
  ],
  ['a superuser', `alter role ${role} superuser`, ['superuser']],
])('%s', async (_what, sql, expected) => {
  const { tooMuch, harmful } = await rightsAfter(sql);
  expect(tooMuch).toEqual(expected);
  expect(harmful).toEqual(
    expected.filter((text) => !text.startsWith('reads ') && text !== EVERYBODY_CREATES),
  );
});

test('it may do nothing more than it says: everything else is refused by the server', async () => {
  expect((await rightsAfter('')).tooMuch).toEqual([]);
  const url = new URL(database.url);
  url.username = role;
  url.password = password;
  const reader = new pg.Client(url.href);
  await reader.connect();
  // As a thief of the password would begin.
  await reader.query('set default_transaction_read_only = off');
  for (const sql of [
    'select phone from cash_out_txs',
    'select * from cash_out_txs',
    'select * from customers',
    'select password from devices',
    "update cash_out_txs set status = 'confirmed'",
    'delete from cash_out_txs',
    'drop table cash_out_txs',
    `set role ${other}`,
    "copy cash_out_txs (id) to program 'true'",
    "select pg_read_file('/etc/passwd')",
  ])
    await expect(reader.query(sql), sql).rejects.toThrow(/permission denied|must be owner/);
  await reader.end();
});
