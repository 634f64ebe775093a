import { createHash } from 'node:crypto';

export interface HostKey {
  fingerprint: string;
  /** As in known_hosts, without the host: `ssh-ed25519 AAAA…`. */
  line: string;
}

/** The kinds of host keys, each with its signature algorithms (RFC 8332). */
const ALGORITHMS: Record<string, readonly string[]> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
};

export const hostKeyKinds: readonly string[] = Object.keys(ALGORITHMS);

export function algorithmsOf(kinds: readonly string[]): string[] {
  return kinds.flatMap((kind) => ALGORITHMS[kind] ?? []);
}

/**
 * The kinds of key behind the algorithms that a server offers. Certificates do not count: the plain key exists beside
 * them.
 */
export function kindsOf(algorithms: readonly string[]): string[] {
  return hostKeyKinds.filter((kind) => ALGORITHMS[kind]?.some((one) => algorithms.includes(one)));
}

/**
 * The kinds of host key to request: first those pinned by whole lines. A fingerprint does not tell its kind, so if one
 * is pinned, all other kinds follow.
 */
export function kindsToAsk(pinned: readonly string[]): string[] {
  const told = pinned.map(kindOf);
  const first = hostKeyKinds.filter((kind) => told.includes(kind));
  const open = pinned.length === 0 || told.includes(undefined);
  return open ? [...first, ...hostKeyKinds.filter((kind) => !first.includes(kind))] : first;
}

export function describeKey(key: Buffer): HostKey {
  // The blob begins with the length and the name of its kind (RFC 4253, 6.6).
  const kind = key.toString('latin1', 4, 4 + key.readUInt32BE(0));
  return { fingerprint: fingerprint(key), line: `${kind} ${key.toString('base64')}` };
}

/** `ssh-ed25519 SHA256:…` */
export function keyText({ line, fingerprint: shown }: HostKey): string {
  return `${kindOf(line)} ${shown}`;
}

/** The kind of a pinned key; undefined for a fingerprint. */
export function kindOf(pinned: string): string | undefined {
  const words = pinned.trim().split(/\s+/);
  const blob = words.findIndex((word) => word.startsWith('AAAA'));
  return blob < 1 ? undefined : words[blob - 1];
}

export function isPinned(pinned: readonly string[], shown: HostKey): boolean {
  return pinned.some((one) => pinnedFingerprint(one) === shown.fingerprint);
}

/** The fingerprint of a pinned key; a line as in known_hosts may have hosts before and a comment after it. */
export function pinnedFingerprint(pinned: string): string {
  const blob = pinned.split(/\s+/).find((word) => word.startsWith('AAAA'));
  return blob === undefined ? pinned.trim().replace(/=+$/, '') : fingerprint(Buffer.from(blob, 'base64'));
}

function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}
