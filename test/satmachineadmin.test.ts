import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const page = readFileSync(
  fileURLToPath(new URL('../docs/coming-from-satmachineadmin.md', import.meta.url)),
  'utf8',
);
/** The statements that the page gives for sqlite3. */
const statements = [...page.matchAll(/^\$ sqlite3 [^"]*"([^"]*)"/gm)].map(([, sql = '']) => sql);

/** The columns of the extension's tables that the page uses. */
function oldBooks(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  db.exec(`
    create table dca_clients (id text, user_id text, username text, status text);
    create table dca_deposits (id text, client_id text, amount integer, currency text, status text);
    create table dca_payments (id text, client_id text, amount_sats integer, amount_fiat integer,
      lamassu_transaction_id text, status text, transaction_time integer);
    create table lamassu_transactions (lamassu_transaction_id text unique, fiat_code text, transaction_time integer);
    insert into dca_clients (id, username) values ('1', 'alice'), ('2', 'bob');
    insert into dca_deposits values ('a', '1', 3000, 'GTQ', 'confirmed'), ('b', '1', 100, 'USD', 'confirmed'),
      ('c', '2', 500, 'GTQ', 'confirmed'), ('d', '2', 9, 'GTQ', 'pending');
    insert into lamassu_transactions values ('t1', 'GTQ', 1763650000), ('t2', 'USD', 1763654400);
    insert into dca_payments values ('p', '1', 1000, 120, 't1', 'confirmed', 0), ('q', '1', 900, 20, 't2', 'confirmed', 0),
      ('r', '1', 70, 7, 't1', 'failed', 0), ('s', '2', 5, 1, 't9', 'confirmed', 0);`);
  return db;
}

test('each SQL statement on the page prints what the page says', () => {
  const db = oldBooks();
  const answers = statements.map((sql) =>
    db
      .prepare(sql)
      .all()
      .map((row) => Object.values(row)),
  );
  expect(answers).toEqual([
    [['2025-11-20T16:00:01Z']],
    [['t1'], ['t2'], ['t9']],
    [['alice', 70, 'failed', 't1']],
    [
      ['alice', 'GTQ', 3000, 120, 2880],
      ['alice', 'USD', 100, 20, 80],
      ['bob', '?', 0, 1, -1],
      ['bob', 'GTQ', 500, 0, 500],
    ],
  ]);
});
