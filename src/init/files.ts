import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fchmodSync,
  fchownSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { BridgeError } from '../errors.ts';
import { call, type Message, message } from '../lib/message.ts';
import { inPackage } from '../lib/package.ts';
import { thisUser, userName } from '../lib/users.ts';
import { asOwner, type FileOwner } from './service.ts';

/** The bit of a folder's mode, as in stat(2). */
const STICKY = 0o1000;

export interface NewFile {
  path: string;
  text: string;
  /** The operator agreed to replace the content of the file. */
  replace: boolean;
}

/** Throws `init/unwritable` if this user cannot write `config` and files beside it. */
export function mayWrite(config: string): void {
  const folder = dirname(config);
  const uid = process.geteuid?.();
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unwritable(
      `in ${folder} (${(error as NodeJS.ErrnoException).code})`,
      error,
      (error as NodeJS.ErrnoException).code === 'EACCES'
        ? message`${thisUser()} may not write there. Do it as root, by \`sudo\`: ${call('init.create')}. Or name another place.`
        : `Make the folder, owned by the user who will run the bridge. \`sudo sh ${inPackage('contrib/install.sh')}\` makes /etc/aio-dca, and that user.`,
    );
  }
  const stands = statSync(config, { throwIfNoEntry: false });
  const above = statSync(folder);
  // In a sticky folder, one replaces only what is one's own.
  const sticky = (above.mode & STICKY) !== 0;
  if (!stands || uid === 0 || stands.uid === uid || above.uid === uid || !sticky) return;
  throw unwritable(
    `${config}: it belongs to ${userName(stands.uid)}`,
    undefined,
    message`Do this as root, by \`sudo\`: ${call('init.create')}. It gives the other files to the user of the services.`,
  );
}

/** Whether the file exists, and whether it already has this content. */
export function standing(path: string, text: string): 'absent' | 'same' | 'other' {
  if (!existsSync(path)) return 'absent';
  return readFileSync(path, 'utf8') === text ? 'same' : 'other';
}

/** Tells one content of a file from the next, without its secret: null if there is no file. */
export function versionOf(path: string): string | null {
  const stands = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stands ? `${stands.ino} ${stands.size} ${stands.mtimeNs}` : null;
}

/**
 * Writes the files into one folder, readable by their owner only: first `others`, then what `work` makes, last the
 * configuration, which therefore exists only if everything does. If a step fails, the old files are restored. After a
 * kill at any moment, a second call completes it. A lock admits one process per folder. What root makes for `owner`
 * belongs to that user, and `work` is done with that user's rights; the configuration stays root's, and the user may
 * read it. Throws `init/stopped`, `init/unwritable`, and what `work` throws.
 */
export async function placeFiles<T>(
  config: NewFile,
  others: readonly NewFile[],
  work: () => Promise<T>,
  owner?: FileOwner,
): Promise<T> {
  const folder = dirname(config.path);
  const undo: (() => void)[] = [];
  const unlock = await asOwner(owner, () => lock(folder));
  try {
    // A killed process left this file.
    sweep(folder);
    for (const file of [...others, config]) writeBeside(file, owner, file === config);
    for (const file of others) place(file, owner, undo);
    const made = await asOwner(owner, work);
    place(config, owner, undo);
    return made;
  } catch (error) {
    for (const step of undo.reverse()) quietly(step);
    throw explained(error);
  } finally {
    quietly(() => sweep(folder));
    quietly(unlock);
  }
}

/** Under its new name, which is taken by nobody, so that root follows no link there. */
function writeBeside({ path, text }: NewFile, owner: FileOwner | undefined, isConfig: boolean): void {
  const file = openSync(beside(path, 'new'), 'wx', 0o600);
  try {
    writeFileSync(file, text, { flush: true });
    if (!owner) return;
    fchownSync(file, isConfig ? 0 : owner.uid, owner.gid);
    if (isConfig) fchmodSync(file, 0o640);
  } finally {
    closeSync(file);
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
function place({ path, text, replace }: NewFile, owner: FileOwner | undefined, undo: (() => void)[]): void {
  const now = standing(path, text);
  // With an owner, the file that is there may be another one's.
  if (now === 'same' && !owner) return;
  const fresh = beside(path, 'new');
  if (now === 'absent' || (now === 'other' && !replace)) {
    // A link fails if the name was taken meanwhile; a rename would overwrite it.
    linkSync(fresh, path);
    undo.push(() => rmSync(path));
    return;
  }
  const old = beside(path, 'old');
  keep(path, old);
  renameSync(fresh, path);
  undo.push(() => renameSync(old, path));
}

/** Linux links only one's own files (fs.protected_hardlinks): another one's is copied. */
function keep(path: string, old: string): void {
  try {
    linkSync(path, old);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    copyFileSync(path, old, constants.COPYFILE_EXCL);
    chmodSync(old, 0o600);
  }
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
      throw new BridgeError('init/stopped', `Another set-up writes into ${folder}. Nothing was written.`);
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
    message`Do it again: ${call('init.create')}.`,
    {
      cause: error,
    },
  );
}

function unwritable(
  what: string,
  cause: unknown,
  hint: string | Message = 'Check the owner and the rights of the folder, and the space on its disk.',
): BridgeError {
  return new BridgeError('init/unwritable', `Cannot write ${what}. Nothing was written.`, hint, { cause });
}
