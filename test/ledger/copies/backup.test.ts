import { closeSync, openSync, readdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { backupLedger } from '../../../src/ledger/copies/backup.ts';
import { record } from '../../../src/ledger/log/log.ts';
import { type Ledger, openLedger } from '../../../src/ledger/store/open.ts';
import { systemClock } from '../../../src/time.ts';
import { bootless, now } from '../../support/clock.ts';
import { freshLedger } from '../../support/ledgers.ts';

const folderOf = ({ url }: Ledger) => dirname(url.slice('sqlite:'.length));
const note = (ledger: Ledger, subject: string) =>
  ledger.write((trx) =>
    record(trx, { actor: 'test', run: null, clock: bootless }, { at: now(), action: 'test', subject }),
  );
const count = async (ledger: Ledger) => (await ledger.db.selectFrom('log').select('id').execute()).length;

test('a copy is the ledger as it was at one moment, readable by its owner only, in one file', async () => {
  const ledger = await freshLedger('sqlite');
  const file = join(folderOf(ledger), 'copy.sqlite');
  for (let n = 0; n < 50; n += 1) await note(ledger, 'before');
  // It goes on being written meanwhile, and its newest rows are still in the write-ahead log.
  const writing = (async () => {
    for (let n = 0; n < 50; n += 1) await note(ledger, 'meanwhile');
  })();
  const made = await backupLedger(ledger, file);
  await writing;
  await note(ledger, 'after');

  expect(made).toMatchObject({ file, ledger: { id: ledger.id }, verification: { ok: true } });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const around = readdirSync(folderOf(ledger)).filter((name) => name.startsWith('copy'));
  expect(around).toEqual(['copy.sqlite']);
  const copy = await openLedger({ clock: systemClock, url: `sqlite:${file}`, use: 'read' });
  expect(copy.id).toBe(ledger.id);
  const copied = await count(copy);
  await copy.close();
  expect(copied).toBeGreaterThanOrEqual(50);
  expect(copied).toBeLessThanOrEqual(100);
  expect(await count(ledger)).toBe(101);
});

test('nothing is overwritten, and a copy that fails leaves nothing behind', async () => {
  const ledger = await freshLedger('sqlite');
  const folder = folderOf(ledger);
  const taken = join(folder, 'taken.sqlite');
  writeFileSync(taken, 'mine');
  const refused = { code: 'usage/invalid' };
  await expect(backupLedger(ledger, taken)).rejects.toMatchObject({
    ...refused,
    message: expect.stringContaining(taken),
  });
  await expect(backupLedger(ledger, join(folder, 'none', 'copy.sqlite'))).rejects.toMatchObject(refused);
  await expect(backupLedger(ledger, folder)).rejects.toMatchObject(refused);
  expect(readdirSync(folder).filter((name) => !name.startsWith('ledger.'))).toEqual(['taken.sqlite']);
});

test('a damaged ledger is reported as damaged', async () => {
  const ledger = await freshLedger('sqlite');
  await note(ledger, 'a row');
  const path = ledger.url.slice('sqlite:'.length);
  const db = new DatabaseSync(path);
  db.exec('pragma wal_checkpoint(truncate)');
  const index = db.prepare("select rootpage from sqlite_master where name = 'log_subject'").get();
  db.close();
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.alloc(4096), 0, 4096, (Number(index?.rootpage) - 1) * 4096);
  closeSync(file);
  await expect(backupLedger(ledger, join(folderOf(ledger), 'copy.sqlite'))).rejects.toMatchObject({
    code: 'ledger/unusable',
  });
});

test('books that do not balance are reported, and the copy is still kept', async () => {
  const ledger = await freshLedger('sqlite');
  await ledger.db
    .insertInto('runs')
    .values({ id: 1n, kind: 'poll', actor: 'x', started_at: now() })
    .execute();
  const file = join(folderOf(ledger), 'copy.sqlite');
  const { verification } = await backupLedger(ledger, file);
  expect(verification.differences.map(({ code }) => code)).toEqual(['run/open']);
  expect(statSync(file).size).toBeGreaterThan(0);
});

test('for a ledger on PostgreSQL it names pg_dump', async () => {
  const ledger = await freshLedger('postgresql');
  await expect(backupLedger(ledger, 'copy')).rejects.toMatchObject({
    code: 'usage/invalid',
    hint: expect.stringContaining('pg_dump'),
  });
});
