import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { authorizedKeysLine } from '../../src/lamassu/role-sql.ts';
import { freePort } from './postgres.ts';
import { killTree } from './process-tree.ts';
import { generateKeyPair, until } from './ssh.ts';
import type { Sshd } from './sshd.ts';

const DROPBEAR = '/usr/sbin/dropbear';
const KEYS = join(homedir(), '.ssh');

/** Whether it is here, and may be given keys of its own: it takes them from the home of the user, which is covered for it. */
export function dropbearAvailable(): boolean {
  return existsSync(DROPBEAR) && existsSync(KEYS) && spawnSync('unshare', ['-m', 'true']).status === 0;
}

export interface Dropbear
  extends Pick<Sshd, 'host' | 'port' | 'user' | 'privateKey' | 'hostKeyLine' | 'close'> {
  /** Writes its authorized_keys: the line that operators get for the one server or the other. */
  line(server: 'openssh' | 'dropbear'): Promise<void>;
}

/** Dropbear's server on a free loopback port, for the user who runs this. */
export async function startDropbear(target: { host: string; port: number }): Promise<Dropbear> {
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-dropbear-'));
  const keys = join(folder, 'ssh');
  await mkdir(keys, { mode: 0o700 });
  const hostKey = join(folder, 'host_key');
  const made = spawnSync('dropbearkey', ['-t', 'ed25519', '-f', hostKey], { encoding: 'utf8' });
  const hostKeyLine = /^ssh-ed25519 \S+/m.exec(made.stdout)?.[0];
  if (hostKeyLine === undefined) throw new Error(`dropbearkey: ${made.stderr}`);
  const client = generateKeyPair();
  const port = await freePort();
  const command = `mount --bind '${keys}' '${KEYS}' && exec ${DROPBEAR} -F -E -r '${hostKey}' -P '${folder}/pid' -p 127.0.0.1:${port}`;
  const child = spawn('unshare', ['-m', 'sh', '-c', command], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await until(() => child.exitCode !== null || log.includes('Not backgrounding'), 'Dropbear listens');
  if (child.exitCode !== null) throw new Error(`Dropbear ended: ${log}`);
  return {
    ...{ host: '127.0.0.1', port, user: userInfo().username, privateKey: client.private, hostKeyLine },
    line: (server) =>
      writeFile(
        join(keys, 'authorized_keys'),
        `${authorizedKeysLine(client.public, target.host, target.port, server)}\n`,
        { mode: 0o600 },
      ),
    close: async () => {
      if (child.pid !== undefined) await killTree(child.pid);
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
