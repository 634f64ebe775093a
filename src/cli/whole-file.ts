import { randomBytes } from 'node:crypto';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { BridgeError } from '../errors.ts';

/**
 * Writes a whole file or none: into a file beside it that nobody else can read, which takes its name when it is
 * complete and on the disk. What stood there before stays until then. Throws `usage/invalid` where the path cannot be
 * such a file, or is one of `never`, and `output/unwritable` where the disk does not take it; what `pieces` throws, it
 * throws.
 */
export async function writeWhole(
  path: string,
  pieces: AsyncIterable<string>,
  never: string[],
): Promise<void> {
  const target = existsSync(path) ? realpathSync(path) : resolve(path);
  const refuse = (why: string) =>
    new BridgeError('usage/invalid', `--output: ${path} ${why}.`, 'Name a file that is only for this.');
  if (existsSync(target) && !statSync(target).isFile()) throw refuse('is there and is not a file');
  if (never.some((file) => existsSync(file) && realpathSync(file) === target)) {
    throw refuse('belongs to this installation');
  }
  await removeStale(dirname(target));
  const beside = join(dirname(target), `.aio-dca-${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  const unwritable = (error: unknown): BridgeError =>
    new BridgeError(
      'output/unwritable',
      `--output: ${path} cannot be written (${codeOf(error)}); what stood there is unchanged.`,
      'Check the disk and its free space, and run the command again.',
      { cause: error },
    );
  const file = await open(beside, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw ofDisk(error) ? unwritable(error) : refuse(`cannot be written (${error.code})`);
  });
  try {
    try {
      for await (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      // Where that fails, so did what was written before: the error of that is the one to tell.
      await file.close().catch(() => {});
    }
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => {});
    throw ofDisk(error) ? unwritable(error) : error;
  }
}

/** Of the disk or the system, not of the name that was given. */
function ofDisk(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EIO', 'EFBIG', 'EMFILE', 'ENFILE', 'ENOMEM'].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** What exports into this folder left that were killed: each has the number of its process in its name. */
async function removeStale(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const [, pid] = /^\.aio-dca-(\d+)-[0-9a-f]{12}\.tmp$/.exec(name) ?? [];
    // A file of another user cannot be removed: it stays.
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
