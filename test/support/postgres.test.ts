import pg from 'pg';
import { expect, test } from 'vitest';
import { freshDatabase } from './postgres.ts';

test('a fresh database answers, and is gone after drop', async () => {
  const database = await freshDatabase();
  const client = new pg.Client(database.url);
  client.on('error', () => undefined);
  await client.connect();
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await database.drop();
  await expect(new pg.Client(database.url).connect()).rejects.toThrow(/does not exist/);
});
