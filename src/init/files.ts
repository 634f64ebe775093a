import { existsSync, linkSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { BridgeError } from '../errors.ts';

export interface NewFile {
  path: string;
  text: string;
  /** The operator agreed to replace the content of the file. */
  replace: boolean;
}

/** Whether the file exists, and whether it already has this content. */
export function standing(path: string, text: string): 'absent' | 'same' | 'other' {
  if (!existsSync(path)) return 'absent';
  return readFileSync(path, 'utf8') === text ? 'same' : 'other';
}

/**
 * Writes the files into one folder, readable by their owner only: first the secrets, then what `work` makes, and last
 * the configuration, which therefore exists only if everything else does. If a step fails, the old files are restored.
 * After a kill at any moment, a second call completes it. A lock admits one process per folder. Throws `init/stopped`,
 * `init/unwritable`, and what `work` throws.
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
    // A killed process left this file.
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

/** A failed clean-up must not hide the first error; the next init removes what is left. */
function quietly(step: () => void): void {
  try {
    step();
  } catch {
    // An unwritable folder was reported already.
  }
}

/** Moves a file to its name, and records how to undo that. */
function place({ path, text, replace }: NewFile, undo: (() => void)[]): void {
  if (standing(path, text) === 'same') return;
  const fresh = beside(path, 'new');
  if (!replace) {
    // A link fails if the name was taken meanwhile; a rename would overwrite it.
    linkSync(fresh, path);
    undo.push(() => rmSync(path));
    return;
  }
  const old = beside(path, 'old');
  linkSync(path, old);
  renameSync(fresh, path);
  undo.push(() => renameSync(old, path));
}

/** The name of a new file before it is moved, or of an old file until nothing can fail any more. */
function beside(path: string, age: 'new' | 'old'): string {
  return join(dirname(path), `.${basename(path)}.aio-dca-${age}`);
}

function sweep(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isFile() && /^\..+\.aio-dca-(new|old)$/.test(entry.name)) rmSync(join(folder, entry.name));
  }
}

/** A lock by SQLite, which the system releases when the process is killed. Answers a function that releases it. */
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
