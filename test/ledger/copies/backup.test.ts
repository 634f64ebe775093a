import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { backupLedger } from '../../../src/ledger/copies/backup.ts';
import { lookAtInvitation, makeInvitation } from '../../../src/ledger/invitations/invitations.ts';
import { OPERATOR, record } from '../../../src/ledger/log/log.ts';
import { addPerson } from '../../../src/ledger/people/people.ts';
import { findSession, startSession } from '../../../src/ledger/sessions/sessions.ts';
import { type Ledger, openLedger } from '../../../src/ledger/store/open.ts';
import { addToken, findToken } from '../../../src/ledger/tokens/tokens.ts';
import { thisUser } from '../../../src/lib/users.ts';
import { systemClock } from '../../../src/time.ts';
import { bootless, now, testClock } from '../../support/clock.ts';
import { freshLedger } from '../../support/ledgers.ts';

const folderOf = ({ url }: Ledger) => dirname(url.slice('sqlite:'.length));
const note = (ledger: Ledger, subject: string) =>
  ledger.write((trx) =>
    record(
      trx,
      { principal: OPERATOR, actor: 'test', run: null, clock: bootless, at: now() },
      { action: 'test', subject },
    ),
  );
const count = async (ledger: Ledger) => (await ledger.db.selectFrom('log').select('id').execute()).length;

test('a copy is the ledger as it was at one moment, readable by its owner only, in one file', async () => {
  const ledger = await freshLedger('sqlite');
  const file = join(folderOf(ledger), 'copy.sqlite');
  for (let n = 0; n < 50; n += 1) await note(ledger, 'before');
  // It is written meanwhile, and its newest rows are still in the write-ahead log.
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

describe('in a folder', () => {
  const folderWith = (ledger: Ledger, days: string[]) => {
    const folder = join(folderOf(ledger), 'copies');
    mkdirSync(folder);
    for (const day of days) writeFileSync(join(folder, nameOf(ledger, day)), day);
    return folder;
  };
  const nameOf = ({ id }: Ledger, day: string, time = '031500') =>
    `ledger-${id.slice(0, 8)}-${day}-${time}.sqlite`;
  /** Local midnight in Guatemala is six hours later in UTC. */
  const at = (ledger: Ledger, instant: string) => ({ ...ledger, clock: testClock(instant) });
  const timezone = 'America/Guatemala';

  test('the copy has the local date in its name, and a second one of that day has its own', async () => {
    const ledger = await freshLedger('sqlite');
    const folder = folderWith(ledger, []);
    const first = await backupLedger(at(ledger, '2026-11-21T03:15:07.000000Z'), folder, { timezone });
    expect(first.file).toBe(join(folder, nameOf(ledger, '2026-11-20', '211507')));
    await backupLedger(at(ledger, '2026-11-21T03:15:08.000000Z'), folder, { timezone });
    expect(readdirSync(folder)).toHaveLength(2);
  });

  test('the newest days are kept, and only copies of this ledger go', async () => {
    const ledger = await freshLedger('sqlite');
    const folder = folderWith(ledger, ['2026-09-01', '2026-11-18', '2026-11-19']);
    const others = ['ledger-00000000-2026-01-01-031500.sqlite', 'before-upgrade.sqlite', 'notes.txt'];
    const stale = `${nameOf(ledger, '2026-09-02')}.0a1b2c3d.part`;
    for (const name of [...others, stale, nameOf(ledger, '2026-11-18', '120000')])
      writeFileSync(join(folder, name), 'x');
    const made = await backupLedger(at(ledger, '2026-11-20T12:00:00.000000Z'), folder, { keep: 3, timezone });
    expect(made.removed).toEqual([nameOf(ledger, '2026-09-01'), stale].map((name) => join(folder, name)));
    expect(readdirSync(folder)).toEqual(
      [
        ...others,
        nameOf(ledger, '2026-11-18'),
        nameOf(ledger, '2026-11-18', '120000'),
        nameOf(ledger, '2026-11-19'),
        nameOf(ledger, '2026-11-20', '060000'),
      ].sort(),
    );
  });

  test('by a clock that is behind, the new copy stays', async () => {
    const ledger = await freshLedger('sqlite');
    const folder = folderWith(ledger, ['2026-11-19', '2026-11-20']);
    const made = await backupLedger(at(ledger, '1970-01-01T12:00:00.000000Z'), folder, { keep: 2, timezone });
    expect(made.removed).toEqual([]);
    expect(readdirSync(folder)).toHaveLength(3);
  });

  test('nothing is removed where the copy fails, or its books do not balance', async () => {
    const ledger = await freshLedger('sqlite');
    const folder = folderWith(ledger, ['2026-11-18', '2026-11-19']);
    const damaged = { ...ledger, url: `sqlite:${join(folder, nameOf(ledger, '2026-11-19'))}` };
    await expect(backupLedger(damaged, folder, { keep: 1 })).rejects.toMatchObject({
      code: 'ledger/unusable',
    });
    await ledger.db
      .insertInto('runs')
      .values({ id: 1n, kind: 'poll', actor: 'x', started_at: now() })
      .execute();
    expect(await backupLedger(ledger, folder, { keep: 1 })).toMatchObject({
      verification: { ok: false },
      removed: [],
    });
    expect(readdirSync(folder)).toHaveLength(3);
  });

  test('a folder that is not there is named, with who has to write there', async () => {
    const ledger = await freshLedger('sqlite');
    const target = join(folderOf(ledger), 'none', 'copy.sqlite');
    const refusal = await backupLedger(ledger, target).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'usage/invalid', field: 'file' });
    expect(refusal).toHaveProperty(
      'hint',
      `There is no folder ${dirname(target)}. Make it, for ${thisUser()}, or name another one.`,
    );
  });

  test('older copies need a folder that is there', async () => {
    const ledger = await freshLedger('sqlite');
    const target = join(folderOf(ledger), 'none');
    await expect(backupLedger(ledger, target, { keep: 1 })).rejects.toMatchObject({
      code: 'usage/invalid',
      field: 'keep',
    });
    expect(existsSync(target)).toBe(false);
  });
});

test('nobody comes in by a copy: its sessions, links and tokens are over, those of the ledger are not', async () => {
  const ledger = await freshLedger('sqlite');
  const who = { principal: OPERATOR, actor: 'test', run: null, clock: bootless, at: now() };
  const hash = (digit: string) => digit.repeat(64);
  await ledger.write(async (trx) => {
    const { id } = await addPerson(trx, who, 'dora', 'owner');
    const holder = { kind: 'person' as const, id };
    await startSession(trx, now(), { holder, secretHash: hash('1'), method: 'link', device: null });
    await makeInvitation(trx, now(), holder, { secretHash: hash('2'), codeHash: hash('3') });
    await addToken(trx, who, { name: 'till', secretHash: hash('4'), scopes: ['read'], expiresAt: null });
  });
  const file = join(folderOf(ledger), 'copy.sqlite');
  await backupLedger(ledger, file);
  const copy = await openLedger({ clock: systemClock, url: `sqlite:${file}`, use: 'read' });
  const open = async ({ db }: Ledger) => [
    await findSession(db, hash('1'), now()),
    await lookAtInvitation(db, { secretHash: hash('2') }, now()),
    await findToken(db, hash('4'), now()),
  ];
  expect((await open(ledger)).includes(null)).toBe(false);
  expect(await open(copy)).toEqual([null, null, null]);
  await copy.close();
});
