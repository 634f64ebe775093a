import { readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { OLD_BOOKS } from './support/own-root/old-books.ts';

const page = readFileSync(
  fileURLToPath(new URL('../docs/coming-from-satmachineadmin.md', import.meta.url)),
  'utf8',
);
/** The statements that the page gives for sqlite3. */
const statements = [...page.matchAll(/^\$ sqlite3 [^"]*"([^"]*)"/gm)].map(([, sql = '']) => sql);

function oldBooks(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  db.exec(OLD_BOOKS);
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
