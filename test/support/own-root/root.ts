import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { until } from '../ssh.ts';

/*
 * A root file system of its own, with this host's programs in /usr and nothing of its configuration: like a Debian that
 * was installed a minute ago. It is also the Lamassu server, atm.example.org, with sshd and PostgreSQL on their ports;
 * so it needs a network namespace of its own. Only `inside.ts` uses it.
 */

export const OPERATOR = 'maria';

/** What of the host's /etc a fresh system has. */
const OF_ETC = [
  ...['alternatives', 'bash.bashrc', 'default', 'environment', 'ld.so.cache', 'ld.so.conf', 'ld.so.conf.d'],
  ...['localtime', 'login.defs', 'nsswitch.conf', 'os-release', 'pam.conf', 'pam.d', 'perl', 'profile'],
  ...['security', 'shells', 'ssl', 'sudoers', 'sudo.conf', 'postgresql-common', 'timezone'],
];

export interface OwnRoot {
  folder: string;
  /** Runs a command as root of it, and answers what it printed. */
  run(file: string, ...args: string[]): string;
}

/** Makes the root in `folder`, which a mount namespace of this process owns. */
export function makeRoot(folder: string): OwnRoot {
  const mount = (...args: string[]) => execFileSync('mount', args);
  const at = (path: string) => join(folder, path);
  mount('-t', 'tmpfs', '-o', 'mode=755', 'root', folder);
  for (const path of [
    'dev',
    'etc',
    'home',
    'opt',
    'proc',
    'run/sshd',
    'srv',
    'sys',
    'usr',
    'var/lib',
    'var/cache',
  ])
    mkdirSync(at(path), { recursive: true });
  for (const path of ['tmp', 'var/tmp']) {
    mkdirSync(at(path));
    chmodSync(at(path), 0o1777);
  }
  mkdirSync(at('root'), { mode: 0o700 });
  symlinkSync('/run', at('var/run'));
  mount('--bind', '-o', 'ro', '/usr', at('usr'));
  // Nothing that somebody added to the host.
  mount('-t', 'tmpfs', '-o', 'mode=755', 'local', at('usr/local'));
  for (const path of ['bin', 'lib', 'sbin', 'share']) mkdirSync(at(`usr/local/${path}`));
  for (const path of ['bin', 'sbin', 'lib', 'lib32', 'lib64']) {
    if (existsSync(`/${path}`) && lstatSync(`/${path}`).isSymbolicLink())
      symlinkSync(readlinkSync(`/${path}`), at(path));
  }
  mount('-t', 'proc', 'proc', at('proc'));
  mount('--rbind', '/dev', at('dev'));
  for (const name of OF_ETC) {
    if (existsSync(`/etc/${name}`))
      cpSync(`/etc/${name}`, at(`etc/${name}`), { recursive: true, verbatimSymlinks: true });
  }
  // Debian's own list, as its installer takes it.
  cpSync('/usr/share/base-passwd/passwd.master', at('etc/passwd'));
  cpSync('/usr/share/base-passwd/group.master', at('etc/group'));
  writeFileSync(at('etc/hostname'), 'bridge\n');
  writeFileSync(at('etc/hosts'), '127.0.0.1 localhost bridge atm.example.org lnbits.example.org\n');
  const run: OwnRoot['run'] = (file, ...args) =>
    execFileSync('chroot', [folder, file, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  run('pwconv');
  run('grpconv');
  // As its first boot does.
  run('systemd-sysusers');
  mkdirSync(at('etc/systemd/system'), { recursive: true });
  run('useradd', '--create-home', '--shell', '/bin/bash', '--groups', 'sudo', OPERATOR);
  mkdirSync(at('etc/sudoers.d'), { recursive: true });
  writeFileSync(at(`etc/sudoers.d/${OPERATOR}`), `${OPERATOR} ALL=(ALL) NOPASSWD: ALL\n`, { mode: 0o440 });
  return { folder, run };
}

/**
 * nodejs.org's tarball, made of the Node and the npm of this test, and a `curl` that gets it: the network is not a part
 * of this.
 */
export function serveNode({ folder, run }: OwnRoot, node: string): void {
  const release = `node-${execFileSync(node, ['--version'], { encoding: 'utf8' }).trim()}-linux-x64`;
  const npm = dirname(dirname(realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim())));
  const served = join(folder, 'srv/nodejs');
  const unpacked = join(served, release);
  mkdirSync(join(unpacked, 'bin'), { recursive: true });
  mkdirSync(join(unpacked, 'lib/node_modules'), { recursive: true });
  execFileSync('cp', ['-L', node, join(unpacked, 'bin/node')]);
  execFileSync('cp', ['-a', npm, join(unpacked, 'lib/node_modules/npm')]);
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(unpacked, 'bin/npm'));
  run(
    'sh',
    '-c',
    `cd /srv/nodejs && tar -c --owner=1001 --group=1001 ${release} | gzip -1 > ${release}.tar.gz && rm -r ${release}`,
  );
  run('sh', '-c', 'cd /srv/nodejs && sha256sum node-* > SHASUMS256.txt');
  const curl = `#!/bin/sh
# Knows two ways to be called: \`curl -fsSL URL\` and \`curl -fsSLO URL\`.
case $2 in https://nodejs.org/dist/latest-v24.x/*) ;; *) echo "curl: no network: $2" >&2; exit 6 ;; esac
file=/srv/nodejs/\${2##*/}
case $1 in -fsSL) cat "$file" ;; -fsSLO) cp "$file" . ;; *) exit 2 ;; esac
`;
  writeFileSync(join(folder, 'usr/local/bin/curl'), curl, { mode: 0o755 });
  const apt = '#!/bin/sh\n# As with the network: it installs what is asked for.\n[ "$1" = install ]\n';
  writeFileSync(join(folder, 'usr/local/bin/apt-get'), apt, { mode: 0o755 });
}

/** PostgreSQL on its port and its socket, with the operating system's user `postgres`; answers the superuser's URL. */
export async function startServer({ folder, run }: OwnRoot, native: string): Promise<string> {
  run('useradd', '--system', '--home-dir', '/var/lib/postgresql', '--create-home', 'postgres');
  mkdirSync(join(folder, 'opt/postgresql'));
  execFileSync('mount', ['--bind', '-o', 'ro', native, join(folder, 'opt/postgresql')]);
  run('install', '-d', '-o', 'postgres', '/run/postgresql');
  const asPostgres = (command: string) => ['su', '-', '-s', '/bin/sh', '-c', command, 'postgres'] as const;
  writeFileSync(join(folder, 'var/lib/postgresql/password'), 'superuser', { mode: 0o644 });
  const options = '--auth-local=peer --auth-host=scram-sha-256 --pwfile=password --no-sync --locale=C';
  run(...asPostgres(`LC_ALL=C /opt/postgresql/bin/initdb -D data ${options}`));
  const server = spawn('chroot', [
    folder,
    ...asPostgres('exec /opt/postgresql/bin/postgres -D data -k /run/postgresql -c fsync=off'),
  ]);
  let log = '';
  for (const stream of [server.stdout, server.stderr])
    stream.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
  await until(() => log.includes('ready to accept connections'), 'PostgreSQL takes connections').catch(
    (error: Error) => {
      throw new Error(`${error.message}:\n${log}`);
    },
  );
  return 'postgresql://postgres:superuser@127.0.0.1:5432/lamassu';
}

/** sshd on its port, at which the operator's key opens root's account. */
export async function startSshServer({ folder, run }: OwnRoot): Promise<void> {
  run('useradd', '--system', '--home-dir', '/run/sshd', '--shell', '/usr/sbin/nologin', 'sshd');
  mkdirSync(join(folder, 'etc/ssh'));
  writeFileSync(join(folder, 'etc/ssh/sshd_config'), 'UsePAM yes\nPidFile none\n');
  run('ssh-keygen', '-A');
  run(
    'sh',
    '-c',
    'printf "atm.example.org %s\\n" "$(cat /etc/ssh/ssh_host_ed25519_key.pub)" > /etc/ssh/ssh_known_hosts',
  );
  run('su', '-', OPERATOR, '-c', "mkdir -m 700 .ssh && ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519");
  run('install', '-D', '-m', '600', `/home/${OPERATOR}/.ssh/id_ed25519.pub`, '/root/.ssh/authorized_keys');
  const server = spawn('chroot', [folder, '/usr/sbin/sshd', '-D', '-e']);
  let log = '';
  server.stderr.on('data', (chunk: Buffer) => {
    log += chunk.toString();
    if (process.env.OWN_ROOT_DEBUG) appendFileSync('/tmp/own-root-sshd.log', chunk);
  });
  await until(() => log.includes('Server listening'), 'sshd listens').catch((error: Error) => {
    throw new Error(`${error.message}:\n${log}`);
  });
}
