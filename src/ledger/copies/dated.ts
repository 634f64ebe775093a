import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { localDate, localTime } from '../../dca/local-time.ts';
import { invalid } from '../../errors.ts';
import { thisUser } from '../../lib/users.ts';
import type { Instant } from '../../time.ts';

/*
 * Backups in a folder. Each has its ledger and its local time in its name, and the newest days are kept: days on which
 * there is a copy, so that a host that was off, or whose clock was wrong, loses none.
 */

/** False if it cannot be looked at. */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** `ledger-41a9ae3f-2026-11-21-041507.sqlite` */
export function datedName(ledger: string, now: Instant, timezone: string): string {
  const time = localTime(now, timezone).replaceAll(':', '');
  return `${beginning(ledger)}${localDate(now, timezone)}-${time}.sqlite`;
}

/**
 * Removes the copies of this ledger in `folder` except those of the `days` newest days, and what a killed backup of an
 * older day left. `made` stays whatever its date. Answers the removed files. Throws `usage/invalid` if one cannot be
 * removed.
 */
export function removeOlder(folder: string, ledger: string, days: number, made: string): string[] {
  const copies = readdirSync(folder).flatMap((name) => {
    const [, day, rest] = COPY.exec(name.startsWith(beginning(ledger)) ? name : '') ?? [];
    return day === undefined ? [] : [{ file: join(folder, name), day, isWhole: rest === '' }];
  });
  const kept = [...new Set(copies.filter(({ isWhole }) => isWhole).map(({ day }) => day))]
    .sort()
    .slice(-days);
  const [oldest = ''] = kept;
  const removed = copies
    .filter(({ file, day }) => day < oldest && !file.startsWith(made))
    .map(({ file }) => file);
  for (const file of removed) remove(file, made);
  return removed.sort();
}

const COPY = /^ledger-[0-9a-f]{8}-(\d{4}-\d\d-\d\d)-\d{6}\.sqlite((?:\.[0-9a-f]{8}\.part(?:-wal|-shm)?)?)$/;

function beginning(ledger: string): string {
  return `ledger-${ledger.slice(0, 8)}-`;
}

function remove(file: string, made: string): void {
  try {
    rmSync(file, { force: true });
  } catch (error) {
    throw invalid(
      'keep',
      `${file} cannot be removed (${(error as NodeJS.ErrnoException).code}); the new copy ${made} is complete`,
      `${thisUser()} has to be able to write to the folder.`,
    );
  }
}
