import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { authorizedKeysLine } from '../../src/lamassu/role-sql.ts';
import { freePort } from './free-port.ts';
import { killTree } from './process-tree.ts';
import { generateKeyPair, until } from './ssh.ts';

const SSHD = '/usr/sbin/sshd';

/** Debian's user without rights: sshd runs as it where the tests run as root. */
const NOBODY = { name: 'nobody', uid: 65534, gid: 65534 };

export interface Sshd {
  host: string;
  port: number;
  user: string;
  privateKey: string;
  hostKeyLine: string;
  /** All of them, by kind. */
  hostKeys: Record<HostKeyKind, string>;
  log(): string;
  /** SIGKILL for it and for every connection that it carries; `start()` brings it back on the same port. */
  kill(): Promise<void>;
  /** Resolves when it listens. */
  start(): Promise<void>;
  close(): Promise<void>;
}

type HostKeyKind = 'ed25519' | 'ecdsa' | 'rsa';

export interface SshdOptions {
  shell?: boolean;
  /** The kinds of its host keys. */
  kinds?: HostKeyKind[];
  /** More lines of sshd_config, before the others. */
  config?: string[];
  /** Instead of a new Ed25519 pair. */
  clientKey?: { private: string; public: string };
  /** It has a certificate of its Ed25519 key, too. */
  certificate?: boolean;
}

/** Whether OpenSSH's server is here. In CI its absence is an error, not a reason to skip. */
export function sshdAvailable(): boolean {
  const available = existsSync(SSHD);
  if (!available && process.env.CI)
    throw new Error(`${SSHD} is needed in CI: apt-get install openssh-server`);
  return available;
}

/**
 * OpenSSH's sshd on a free loopback port, with the authorized_keys line that operators get, for `target`. `shell`: the
 * key may do everything, as the user who runs this.
 */
export async function startSshd(
  target: { host: string; port: number },
  { shell = false, kinds = ['ed25519'], config: more = [], certificate = false, ...keys }: SshdOptions = {},
): Promise<Sshd> {
  const root = process.getuid?.() === 0 && !shell;
  const directory = await mkdtemp(join(tmpdir(), 'aio-dca-sshd-'));
  const port = await freePort();
  const hostKeys = { ed25519: generateKeyPair(), ecdsa: makeKey('ecdsa'), rsa: makeKey('rsa') };
  const clientKey = keys.clientKey ?? generateKeyPair();
  const file = async (name: string, text: string) => {
    const path = join(directory, name);
    await writeFile(path, text, { mode: 0o600 });
    if (root) await chown(path, NOBODY.uid, NOBODY.gid);
    return path;
  };
  const hostKeyFiles = await Promise.all(kinds.map((kind) => file(`host_${kind}`, hostKeys[kind].private)));
  if (certificate) await certify(directory, file, hostKeys.ed25519.public, more);
  const allowed = shell ? clientKey.public : authorizedKeysLine(clientKey.public, target.host, target.port);
  // Where root starts it, it wants the folder that its service would have made.
  if (process.getuid?.() === 0 && shell) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const config = await file(
    'sshd_config',
    [
      `ListenAddress 127.0.0.1:${port}`,
      ...more,
      ...hostKeyFiles.map((path) => `HostKey ${path}`),
      `AuthorizedKeysFile ${await file('authorized_keys', `${allowed}\n`)}`,
      'PidFile none',
      'UsePAM yes',
      'StrictModes no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      '',
    ].join('\n'),
  );
  if (root) await chown(directory, NOBODY.uid, NOBODY.gid);
  await chmod(directory, 0o700);

  let log = '';
  let child: ChildProcess;
  let ended: Promise<void>;
  const start = async () => {
    const started = spawn(SSHD, ['-D', '-e', '-f', config], {
      stdio: ['ignore', 'ignore', 'pipe'],
      ...(root ? { uid: NOBODY.uid, gid: NOBODY.gid } : {}),
    });
    child = started;
    started.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
    ended = new Promise<void>((resolve) => started.once('close', () => resolve()));
    await until(() => started.exitCode !== null || listens(port), `sshd listens on port ${port}`);
    if (started.exitCode !== null) throw new Error(`sshd ended:\n${log}`);
  };
  const close = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    host: '127.0.0.1',
    port,
    user: root ? NOBODY.name : userInfo().username,
    privateKey: clientKey.private,
    hostKeyLine: hostKeys[kinds[0] ?? 'ed25519'].public,
    hostKeys: { ed25519: hostKeys.ed25519.public, ecdsa: hostKeys.ecdsa.public, rsa: hostKeys.rsa.public },
    log: () => log,
    start,
    kill: async () => {
      if (child.pid !== undefined) await killTree(child.pid);
      await ended;
    },
    close,
  };
}

/** A pair of another kind than Ed25519. */
export function makeKey(kind: 'ecdsa' | 'rsa'): { private: string; public: string } {
  return kind === 'rsa'
    ? ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 })
    : ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 });
}

/** Signs a host key by an authority of its own, and has the server show that. */
async function certify(
  directory: string,
  file: (name: string, text: string) => Promise<string>,
  publicKey: string,
  config: string[],
): Promise<void> {
  const authority = await file('authority', generateKeyPair().private);
  const key = await file('certified.pub', `${publicKey}\n`);
  execFileSync('ssh-keygen', ['-q', '-s', authority, '-I', 'host', '-h', '-n', '127.0.0.1', key]);
  const certificate = join(directory, 'certified-cert.pub');
  await chmod(certificate, 0o644);
  config.push(`HostCertificate ${certificate}`);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
