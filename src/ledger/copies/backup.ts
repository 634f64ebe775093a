import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { backup, DatabaseSync } from 'node:sqlite';
import { BridgeError, conflict, invalid, wrongState } from '../../errors.ts';
import { thisUser } from '../../lib/users.ts';
import type { Instant } from '../../time.ts';
import { type Ledger, openLedger } from '../store/open.ts';
import { createFile } from '../store/sqlite.ts';
import { type Verification, verifyLedger } from '../verify/verify.ts';
import { datedName, isFolder, removeOlder } from './dated.ts';

/** All pages in one step: the copy shows one moment, and a busy ledger cannot make it start again. */
const ALL_PAGES = 2 ** 31 - 1;

export interface Backup {
  /** Absolute. */
  file: string;
  bytes: number;
  ledger: { id: string; schema: number };
  verification: Verification;
  /** Older copies that were removed. */
  removed: string[];
}

/**
 * Copies a SQLite ledger, which may be in use, into a new file (mode 0600), checks the copy, and verifies its books.
 * The file gets its name only when it is complete and on the disk. Where `target` is a folder, the name has the date in
 * `timezone`; then only the newest `keep` days are kept, if it is given and the books of the new copy balance. Errors:
 * `usage/invalid` if the file exists or the ledger is on PostgreSQL, `ledger/unusable` if the copy fails or is damaged.
 */
export async function backupLedger(
  { url, clock, id: from }: Pick<Ledger, 'url' | 'clock' | 'id'>,
  target: string,
  { timezone = 'UTC', keep }: { timezone?: string; keep?: number | undefined } = {},
): Promise<Backup> {
  if (!url.startsWith('sqlite:')) {
    throw wrongState(
      'file',
      `this ledger is on PostgreSQL, ${url}`,
      'PostgreSQL has backups of its own: `pg_dump -Fc -f FILE DATABASE`, or your server’s archiving.',
    );
  }
  const folder = isFolder(target) ? resolve(target) : undefined;
  if (keep !== undefined && folder === undefined) {
    throw invalid(
      'keep',
      `${target} is not a folder, and older copies are found only in a folder`,
      'Name a folder that exists; the name of the copy then has the date.',
    );
  }
  const file = folder ? join(folder, datedName(from, clock.now(), timezone)) : resolve(target);
  const part = `${file}.${randomBytes(4).toString('hex')}.part`;
  try {
    if (statSync(file, { throwIfNoEntry: false })) throw exists(file);
    createFile(part);
    await copyPages(url.slice('sqlite:'.length), part, clock.now());
    const ledger = await openLedger({ url: `sqlite:${part}`, clock, use: 'read' });
    const verification = await verifyLedger(ledger).finally(() => ledger.close());
    sync(part);
    // Unlike a rename, a link never replaces a file that appeared meanwhile.
    linkSync(part, file);
    sync(dirname(file));
    const { id, schema } = ledger;
    const mayRemove = folder !== undefined && keep !== undefined && verification.ok;
    const removed = mayRemove ? removeOlder(folder, id, keep, file) : [];
    return { file, bytes: statSync(file).size, ledger: { id, schema }, verification, removed };
  } catch (error) {
    throw explained(file, error);
  } finally {
    for (const suffix of ['', '-wal', '-shm']) remove(part + suffix);
  }
}

/** A failed removal must not hide the first error. */
function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The operator will see the file in the folder.
  }
}

/**
 * Nobody comes in by a copy: a ledger that is restored from it would let in again whoever was shut out since, and make
 * used links new.
 */
function endAccess(copy: DatabaseSync, now: Instant): void {
  for (const [table, column] of [
    ['sessions', 'ended_at'],
    ['invitations', 'revoked_at'],
    ['tokens', 'revoked_at'],
  ]) {
    copy.prepare(`update ${table} set ${column} = ? where ${column} is null`).run(now);
  }
}

async function copyPages(from: string, to: string, now: Instant): Promise<void> {
  const original = new DatabaseSync(from, { readOnly: true, timeout: 10_000 });
  try {
    await backup(original, to, { rate: ALL_PAGES });
  } finally {
    original.close();
  }
  const copy = new DatabaseSync(to);
  try {
    const [row] = copy.prepare('pragma integrity_check').all();
    if (row?.integrity_check !== 'ok') throw damaged(to, `${row?.integrity_check}`);
    endAccess(copy, now);
  } finally {
    copy.close();
  }
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function exists(file: string): BridgeError {
  return conflict('file', `${file} exists`, 'A backup never overwrites a file: name a new one.');
}

function damaged(file: string, what: string): BridgeError {
  return new BridgeError(
    'ledger/unusable',
    `the copy ${file} is damaged: ${what}`,
    'The ledger itself may be damaged: stop the timer, and check the disk before anything else.',
  );
}

function explained(file: string, error: unknown): unknown {
  if (error instanceof BridgeError || !(error instanceof Error)) return error;
  const { code, errcode = 0, message } = error as NodeJS.ErrnoException & { errcode?: number };
  if (code === 'EEXIST') return exists(file);
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES' || code === 'EROFS' || code === 'EPERM') {
    const isAbsent = code === 'ENOENT' || code === 'ENOTDIR';
    return invalid(
      'file',
      `${file} cannot be written (${code})`,
      isAbsent
        ? `There is no folder ${dirname(file)}. Make it, for ${thisUser()}, or name another one.`
        : code === 'EROFS'
          ? `${dirname(file)} is read-only here. Name another folder.`
          : `${thisUser()} may not write to ${dirname(file)}. Name a folder of that user.`,
    );
  }
  // https://www.sqlite.org/rescode.html: 11 corrupt, 26 no database.
  if ([11, 26].includes(errcode & 0xff)) return damaged(file, message);
  if (['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG', 'EMFILE', 'ENFILE'].includes(code ?? '') || errcode > 0) {
    return new BridgeError(
      'ledger/unreachable',
      `the copy ${file}: ${message}`,
      'Check the disk and its free space.',
      { cause: error },
    );
  }
  return error;
}
