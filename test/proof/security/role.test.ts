import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Secret } from '../../../src/config/secret.ts';
import { roleSql } from '../../../src/lamassu/role-sql.ts';
import { openSource } from '../../../src/lamassu/source.ts';
import { createLamassu, type Lamassu } from '../../support/lamassu.ts';
import { type Database, freshDatabase } from '../../support/postgres.ts';

/* What `doctor` reports of a role, by each way in which PostgreSQL gives a right. That the documented role suffices for
 * everything: every test with a world runs on it. */

const suffix = randomBytes(4).toString('hex');
const role = `reader_${suffix}`;
const other = `other_${suffix}`;
const password = randomBytes(12).toString('hex');
let database: Database;
let lamassu: Lamassu;

beforeAll(async () => {
  database = await freshDatabase();
  lamassu = await createLamassu(database.url);
});
afterEach(async () => {
  for (const name of [role, other]) await lamassu.query(`drop owned by ${name}`);
  for (const name of [role, other]) await lamassu.query(`drop role ${name}`);
  await lamassu.query('revoke select on customers from public');
});
afterAll(async () => {
  await lamassu.end();
  await database.drop();
});

async function tooMuchAfter(sql: string): Promise<string[]> {
  const { hostname, port, pathname } = new URL(database.url);
  const name = pathname.slice(1);
  await lamassu.query(roleSql({ user: role, database: name }).replace(/^\\.*$/m, ''));
  await lamassu.query(`alter role ${role} password '${password}'; create role ${other}; ${sql}`);
  const source = await openSource({
    ...{
      name: 'lamassu',
      host: hostname,
      port: Number(port),
      database: name,
      user: role,
      password: new Secret(password),
    },
    ...{ tls: 'disable', startAt: '2026-01-01T00:00:00.000000Z', ssh: undefined, ca: undefined },
  });
  try {
    return (await source.check()).tooMuch;
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
  ['a superuser', `alter role ${role} superuser`, ['superuser']],
])('%s', async (_what, sql, expected) => {
  expect(await tooMuchAfter(sql)).toEqual(expected);
});

test('it may do nothing more than it says: everything else is refused by the server', async () => {
  expect(await tooMuchAfter('')).toEqual([]);
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
