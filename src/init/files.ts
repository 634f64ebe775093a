import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
 * Puts the files in place, readable by their owner only, and does `work` when they are there; where either fails, what
 * was there before is there again. The first file with `.new` behind its name is the sign that this goes on: while it
 * is there, another one gives up. Throws `init/stopped`, and what `work` throws.
 */
export async function placeFiles<T>(files: readonly NewFile[], work: () => Promise<T>): Promise<T> {
  const undo: (() => void)[] = [];
  const temporary: string[] = [];
  try {
    for (const { path, text } of files) {
      writeFileSync(`${path}.new`, text, { mode: 0o600, flag: 'wx' });
      temporary.push(`${path}.new`);
    }
    for (const { path, text, replace } of files) {
      if (standing(path, text) === 'same') continue;
      if (replace) {
        temporary.push(`${path}.old`);
        linkSync(path, `${path}.old`);
        renameSync(`${path}.new`, path);
        undo.push(() => renameSync(`${path}.old`, path));
      } else {
        // A link fails where the name was taken meanwhile, which a rename would not.
        linkSync(`${path}.new`, path);
        undo.push(() => rmSync(path));
      }
    }
    return await work();
  } catch (error) {
    for (const step of undo.reverse()) step();
    if (!(error instanceof Error && 'syscall' in error && 'path' in error)) throw error;
    throw new BridgeError(
      'init/stopped',
      `Cannot write ${error.path}: ${error.message.replace(/,.*/s, '')}. Nothing was written.`,
      'If that exists, another init is at work, or one was killed: then remove what ends in .new or .old.',
      { cause: error },
    );
  } finally {
    for (const path of temporary) rmSync(path, { force: true });
  }
}
