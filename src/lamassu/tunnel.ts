import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import type { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import { within } from './deadline.ts';
import { dial, networkReason } from './dial.ts';

export interface SshOptions {
  host: string;
  port: number;
  user: string;
  /** In OpenSSH's or PKCS#1 format. */
  privateKey: Secret;
  passphrase?: Secret | undefined;
  /** The keys that the server may show, each as `SHA256:…` or as a whole line `ssh-ed25519 AAAA…`. */
  hostKeys: readonly string[];
}

/** A way to PostgreSQL that is open. `lost` is what broke it underneath, where something did. */
export interface Hop {
  stream: Duplex;
  lost(): Error | undefined;
  /** Closes every part of it at once; harmless when done again. */
  close(): void;
}

export interface HostKey {
  fingerprint: string;
  /** As in known_hosts, without the host: `ssh-ed25519 AAAA…`. */
  line: string;
}

/**
 * A tunnel through the SSH server to `target`, as seen from that server. The host key is compared before anything
 * about user or key is sent. `deadline` is for each step, in milliseconds.
 *
 * Errors: lamassu/ssh-key, ssh-unreachable, ssh-host-key, ssh-authentication, ssh-forward.
 */
export async function openTunnel(
  ssh: SshOptions,
  target: { host: string; port: number },
  deadline: number,
): Promise<Hop> {
  checkKey(ssh);
  const socket = await dialSsh(ssh.host, ssh.port, deadline);
  const client = new ssh2.Client();
  let broken: Error | undefined;
  // Stays for good: a reset may arrive long after everything was closed, and would end the process.
  client.on('error', (error) => {
    broken ??= error;
  });
  const close = () => {
    client.destroy();
    socket.destroy();
  };
  try {
    await login(client, socket, ssh, deadline);
    const stream = await forward(client, ssh, target, deadline);
    stream.on('error', () => undefined);
    client.once('close', () => stream.destroy());
    return { stream, lost: () => broken, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** The key that an SSH server shows; nothing is sent to it about user or key. */
export async function readHostKey(host: string, port: number, deadline = 15_000): Promise<HostKey> {
  const socket = await dialSsh(host, port, deadline);
  const client = new ssh2.Client();
  try {
    const shown = new Promise<HostKey>((resolve, reject) => {
      client.on('error', (error) => reject(unreachable({ host, port }, networkReason(error))));
      client.on('close', () => reject(unreachable({ host, port }, 'it closed the connection')));
      client.connect({
        sock: socket,
        username: 'nobody',
        readyTimeout: 0,
        hostVerifier: (key: Buffer) => {
          resolve(describeKey(key));
          return false;
        },
      });
    });
    return await within(deadline, shown, () => unreachable({ host, port }, 'it showed no key in time'));
  } finally {
    client.destroy();
    socket.destroy();
  }
}

function checkKey(ssh: SshOptions): void {
  const parsed = ssh2.utils.parseKey(ssh.privateKey.reveal(), ssh.passphrase?.reveal());
  if (!(parsed instanceof Error)) return;
  // The parser's own words never quote the key.
  const encrypted = /encrypted|passphrase|bad decrypt|integrity/i.test(parsed.message);
  throw new BridgeError(
    'lamassu/ssh-key',
    `The private key for SSH cannot be used: ${parsed.message}.`,
    encrypted
      ? 'Give the passphrase of the key, or make a key without one for this purpose only.'
      : 'It has to be an OpenSSH private key with real line breaks; `ssh-keygen -p -f FILE` rewrites other formats.',
  );
}

async function dialSsh(host: string, port: number, deadline: number): Promise<Socket> {
  try {
    return await dial(host, port, deadline);
  } catch (error) {
    throw unreachable({ host, port }, networkReason(error), error);
  }
}

async function login(client: ssh2.Client, socket: Socket, ssh: SshOptions, deadline: number): Promise<void> {
  let refused: HostKey | undefined;
  const ready = new Promise<void>((resolve, reject) => {
    client.once('ready', resolve);
    client.once('error', reject);
    client.once('close', () => reject(new Error('it closed the connection')));
    client.connect({
      sock: socket,
      username: ssh.user,
      privateKey: ssh.privateKey.reveal(),
      ...(ssh.passphrase ? { passphrase: ssh.passphrase.reveal() } : {}),
      authHandler: ['publickey'],
      readyTimeout: 0,
      keepaliveInterval: 10_000,
      keepaliveCountMax: 3,
      hostVerifier: (key: Buffer) => {
        const shown = describeKey(key);
        if (ssh.hostKeys.some((pinned) => matches(pinned, shown))) return true;
        refused = shown;
        return false;
      },
    });
  });
  try {
    await within(deadline, ready, () => new Error('it did not finish the handshake in time'));
  } catch (error) {
    if (refused) throw wrongHostKey(ssh, refused);
    if (error instanceof Error && 'level' in error && error.level === 'client-authentication') {
      throw new BridgeError(
        'lamassu/ssh-authentication',
        `The SSH server ${ssh.host}:${ssh.port} refuses user ${ssh.user} with this key.`,
        `The public key has to be in the authorized_keys of ${ssh.user} there; sshd's log says more.`,
        { cause: error },
      );
    }
    throw unreachable(ssh, networkReason(error), error);
  }
}

async function forward(
  client: ssh2.Client,
  ssh: SshOptions,
  { host, port }: { host: string; port: number },
  deadline: number,
): Promise<Duplex> {
  const opened = new Promise<Duplex>((resolve, reject) => {
    client.once('error', reject);
    client.once('close', () => reject(new Error('the SSH connection was closed')));
    // The callback may never come, and may throw at once when the connection is gone already.
    client.forwardOut('127.0.0.1', 0, host, port, (error, channel) =>
      error ? reject(error) : resolve(channel),
    );
  });
  try {
    return await within(deadline, opened, () => new Error('no answer in time'));
  } catch (error) {
    throw new BridgeError(
      'lamassu/ssh-forward',
      `The SSH server ${ssh.host}:${ssh.port} opens no tunnel to ${host}:${port}: ${networkReason(error)}.`,
      `PostgreSQL has to listen there, as seen from the SSH server, and permitopen in authorized_keys has to say "${host}:${port}" exactly (localhost and 127.0.0.1 are not the same).`,
      { cause: error },
    );
  }
}

function unreachable(
  { host, port }: { host: string; port: number },
  why: string,
  cause?: unknown,
): BridgeError {
  return new BridgeError(
    'lamassu/ssh-unreachable',
    `The SSH server ${host}:${port} does not answer as one: ${why}.`,
    'Look whether that host is up and sshd listens on that port, and whether a firewall is between.',
    { cause },
  );
}

function wrongHostKey(ssh: SshOptions, shown: HostKey): BridgeError {
  return new BridgeError(
    'lamassu/ssh-host-key',
    `The SSH server ${ssh.host}:${ssh.port} showed host key ${shown.fingerprint}, expected ${ssh.hostKeys.map(pinnedFingerprint).join(' or ')}. Nothing was sent to it.`,
    `Somebody may be in between. Ask the server itself: \`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\` (or the ecdsa, rsa one); only if it says the same, change host_key.`,
  );
}

function describeKey(key: Buffer): HostKey {
  // The blob begins with the length and the name of its type (RFC 4253, 6.6).
  const type = key.toString('latin1', 4, 4 + key.readUInt32BE(0));
  return { fingerprint: fingerprint(key), line: `${type} ${key.toString('base64')}` };
}

function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

function matches(pinned: string, shown: HostKey): boolean {
  return pinnedFingerprint(pinned) === shown.fingerprint;
}

/** The fingerprint of a pinned key; a line as in known_hosts may have hosts before and a comment after it. */
function pinnedFingerprint(pinned: string): string {
  const blob = pinned.split(/\s+/).find((word) => word.startsWith('AAAA'));
  return blob === undefined ? pinned.trim().replace(/=+$/, '') : fingerprint(Buffer.from(blob, 'base64'));
}
