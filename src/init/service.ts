import { readFileSync, statSync } from 'node:fs';

/*
 * The user of the services in contrib/, and the folders that contrib/ makes for it. Root may make an installation for
 * that user.
 */

export const SERVICE_USER = 'aio-dca';
export const CONFIG_FOLDER = '/etc/aio-dca';
export const LEDGER_URL = 'sqlite:/var/lib/aio-dca/ledger.sqlite';

/** Who gets files that root makes. */
export interface FileOwner {
  name: string;
  uid: number;
  gid: number;
}

/** The service's user; undefined if this host has none. */
export function serviceUser(): FileOwner | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${SERVICE_USER}:`));
  const [name, , uid, gid] = line?.split(':') ?? [];
  return name === undefined ? undefined : { name, uid: Number(uid), gid: Number(gid) };
}

/** The service's user, where root works in a folder that is that user's or its group's. */
export function ownerIn(folder: string): FileOwner | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const user = serviceUser();
  const found = statSync(folder, { throwIfNoEntry: false });
  return user && (found?.uid === user.uid || found?.gid === user.gid) ? user : undefined;
}

/**
 * Does `work` with the rights of `owner`, who could have put links to files of root's into the folder; without one, as
 * it is.
 */
export async function asOwner<T>(owner: FileOwner | undefined, work: () => T | Promise<T>): Promise<T> {
  if (!owner) return work();
  const { getgroups, setgroups, setegid, seteuid } = process;
  if (!getgroups || !setgroups || !setegid || !seteuid) throw new Error('a system without users');
  const groups = getgroups();
  setgroups([owner.gid]);
  setegid(owner.gid);
  seteuid(owner.uid);
  try {
    return await work();
  } finally {
    seteuid(0);
    setegid(0);
    setgroups(groups);
  }
}
