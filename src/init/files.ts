import { existsSync, linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { BridgeError } from '../errors.ts';

export interface NewFile {
  path: string;
  text: string;
  /** A person agreed that what the file says now is lost. */
  replace: boolean;
}

/** Whether the file is there, and whether it says this already. */
export function standing(path: string, text: string): 'absent' | 'same' | 'other' {
  if (!existsSync(path)) return 'absent';
  return readFileSync(path, 'utf8') === text ? 'same' : 'other';
}

/**
 * Puts the files into one folder, readable by their owner only: the secrets, then whatever `work` makes, and the
 * configuration last, so that a configuration that is there is whole. Where something fails, what was there before is
 * there again. Killed at any moment, it is finished by doing it again. Only one at a time works in a folder. Throws
 * `init/stopped`, `init/unwritable`, and what `work` throws.
 */
export async function placeFiles<T>(
  config: NewFile,
  secrets: readonly NewFile[],
  work: () => Promise<T>,
): Promise<T> {
  const folder = dirname(config.path);
  const undo: (() => void)[] = [];
  const unlock = lock(folder);
  try {
    // Of one that was killed.
    sweep(folder);
    for (const { path, text } of [...secrets, config])
      writeFileSync(beside(path, 'new'), text, { mode: 0o600, flag: 'wx', flush: true });
    for (const secret of secrets) place(secret, undo);
    const made = await work();
    place(config, undo);
    return made;
  } catch (error) {
    for (const step of undo.reverse()) quietly(step);
    throw explained(error);
  } finally {
    quietly(() => sweep(folder));
    quietly(unlock);
  }
}

/** What fails while cleaning up must not hide what failed before; what is left then is swept by the next init. */
function quietly(step: () => void): void {
  try {
    step();
  } catch {
    // A folder that takes nothing any more was told already.
  }
}

/** Puts a file in the place of its name, and adds how to take that back. */
function place({ path, text, replace }: NewFile, undo: (() => void)[]): void {
  if (standing(path, text) === 'same') return;
  const fresh = beside(path, 'new');
  if (!replace) {
    // A link fails where the name was taken meanwhile, which a rename would not.
    linkSync(fresh, path);
    undo.push(() => rmSync(path));
    return;
  }
  const old = beside(path, 'old');
  linkSync(path, old);
  renameSync(fresh, path);
  undo.push(() => renameSync(old, path));
}

/** The name under which a file waits for its place, or stays until nothing can fail any more. */
function beside(path: string, age: 'new' | 'old'): string {
  return join(dirname(path), `.${basename(path)}.aio-dca-${age}`);
}

function sweep(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isFile() && /^\..+\.aio-dca-(new|old)$/.test(entry.name)) rmSync(join(folder, entry.name));
  }
}

/** A lock of SQLite's: the system takes it from a process that is killed. Answers how to give it back. */
function lock(folder: string): () => void {
  const path = join(folder, '.aio-dca-init');
  try {
    const held = new DatabaseSync(path, { timeout: 0 });
    held.exec('begin exclusive');
    return () => {
      rmSync(path, { force: true });
      held.close();
    };
  } catch (error) {
    const { errcode } = error as { errcode?: number };
    if (errcode === undefined) throw error;
    // https://www.sqlite.org/rescode.html: 5 busy.
    if ((errcode & 0xff) === 5) {
      throw new BridgeError('init/stopped', `Another init writes into ${folder}. Nothing was written.`);
    }
    throw unwritable(`${path}: ${(error as Error).message}`, error);
  }
}

function explained(error: unknown): unknown {
  if (!(error instanceof Error && 'syscall' in error && 'path' in error && 'code' in error)) return error;
  if (error.code !== 'EEXIST')
    return unwritable(`${error.path}: ${error.message.replace(/,.*/s, '')}`, error);
  const name = 'dest' in error ? error.dest : error.path;
  return new BridgeError(
    'init/stopped',
    `${name} appeared meanwhile. Nothing was written.`,
    'Run init again.',
    {
      cause: error,
    },
  );
}

function unwritable(what: string, cause: unknown): BridgeError {
  return new BridgeError(
    'init/unwritable',
    `Cannot write ${what}. Nothing was written.`,
    'Check the owner and the rights of the folder, and the space on its disk.',
    { cause },
  );
}
