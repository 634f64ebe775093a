import { readFileSync } from 'node:fs';

/** The name of a user of this host; `user id 1000` where /etc/passwd has none. */
export function userName(uid: number): string {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.split(':')[2] === `${uid}`);
  return line?.split(':')[0] || `user id ${uid}`;
}

/** The user whose rights this process has. */
export function thisUser(): string {
  const uid = process.geteuid?.();
  return uid === undefined ? 'this user' : userName(uid);
}
