import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { stopped } from './interview.ts';

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
 * Puts the files in place, readable by their owner only, and does `work` when they are there; where either fails, what
 * was there before is there again. A file that appears meanwhile is not overwritten. Throws `init/stopped`, and what
 * `work` throws.
 */
export async function placeFiles<T>(files: readonly NewFile[], work: () => Promise<T>): Promise<T> {
  const staged = files
    .filter(({ path, text }) => standing(path, text) !== 'same')
    .map((file) => ({
      ...file,
      temporary: `${file.path}.${process.pid}.new`,
      former: `${file.path}.${process.pid}.old`,
    }));
  const undo: (() => void)[] = [];
  try {
    for (const { temporary, text } of staged) writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
    for (const { path, replace, temporary, former } of staged) {
      if (replace) {
        linkSync(path, former);
        renameSync(temporary, path);
        undo.push(() => renameSync(former, path));
      } else {
        // A link fails where the name is taken by now, which a rename would not.
        linkSync(temporary, path);
        undo.push(() => rmSync(path));
      }
    }
    return await work();
  } catch (error) {
    for (const step of undo.reverse()) step();
    if (!(error instanceof Error && 'syscall' in error && 'path' in error)) throw error;
    throw stopped(`Cannot write ${error.path}: ${error.message.replace(/,.*/s, '')}.`, { cause: error });
  } finally {
    for (const { temporary, former } of staged)
      for (const path of [temporary, former]) rmSync(path, { force: true });
  }
}
