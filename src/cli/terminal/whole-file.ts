import { randomBytes } from 'node:crypto';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { BridgeError } from '../../errors.ts';
import { thisUser } from '../../lib/users.ts';

/**
 * Writes a whole file or none. The pieces go into a file beside it, which only its owner can read, and which is
 * renamed once it is complete and on the disk; until then the old file stays. Throws `usage/invalid` if the path
 * cannot be such a file or is one of `never`, `output/unwritable` if the disk refuses it, and what `pieces` throws.
 */
export async function writeWhole(
  path: string,
  pieces: AsyncIterable<string>,
  never: string[],
): Promise<void> {
  const target = existsSync(path) ? realpathSync(path) : resolve(path);
  const refuse = (why: string, hint = 'Give a file of its own.') =>
    new BridgeError('usage/invalid', `--output: ${path} ${why}.`, hint);
  if (existsSync(target) && !statSync(target).isFile()) throw refuse('is there and is not a file');
  if (never.some((file) => existsSync(file) && realpathSync(file) === target)) {
    throw refuse('belongs to this installation');
  }
  await removeStale(dirname(target));
  const beside = join(dirname(target), `.aio-dca-${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  const unwritable = (error: unknown): BridgeError =>
    new BridgeError(
      'output/unwritable',
      `--output: ${path} cannot be written (${codeOf(error)}); its former content is unchanged.`,
      'Check the disk and its free space, and run the command again.',
      { cause: error },
    );
  const file = await open(beside, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    if (ofDisk(error)) throw unwritable(error);
    const denied =
      error.code === 'EACCES' && `${thisUser()} may not write there. \`… > FILE\` writes as you.`;
    throw refuse(`cannot be written (${error.code})`, denied || undefined);
  });
  try {
    try {
      for await (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      // A failed close follows a failed write, and the error of the write is the one to report.
      await file.close().catch(() => {});
    }
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw ofDisk(error) ? unwritable(error) : error;
  }
}

/** Whether the disk or the system caused the error, not the given name. */
function ofDisk(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG', 'EMFILE', 'ENFILE', 'ENOMEM'].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Removes the files of killed exports into this folder; each has the number of its process in its name. */
async function removeStale(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const [, pid] = /^\.aio-dca-(\d+)-[0-9a-f]{12}\.tmp$/.exec(name) ?? [];
    // Another user's file cannot be removed, so it stays.
    if (pid !== undefined && !isAlive(Number(pid)))
      await rm(join(folder, name), { force: true }).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
