import { randomBytes } from 'node:crypto';
import { existsSync, realpathSync, statSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { BridgeError } from '../errors.ts';

/**
 * Writes a whole file or none: into a file beside it that nobody else can read, which takes its name when it is
 * complete and on the disk. What stood there before stays until then. Throws `usage/invalid` where the path cannot be
 * such a file, or is one of `never`; what `pieces` throws, it throws.
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
  const beside = join(dirname(target), `.aio-dca-${randomBytes(6).toString('hex')}.tmp`);
  const file = await open(beside, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw refuse(`cannot be written (${error.code})`);
  });
  try {
    try {
      for await (const piece of pieces) await file.writeFile(piece);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, target);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
