import { execFile as execFileCallback } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startPostgres } from '../test/support/postgres.ts';
import { type Sshd, sshdAvailable, startSshd } from '../test/support/sshd.ts';
import { type Installation, install } from './installation.ts';

const execFile = promisify(execFileCallback);

/**
 * An installation that reaches Lamassu through OpenSSH, and `selectOne`, which asks the same server the cheapest
 * question by `ssh host psql -c "select 1"`: what a bridge without a tunnel of its own spends on each read.
 */
export async function installBehindSsh(
  stack: AsyncDisposableStack,
): Promise<Installation & { selectOne(): Promise<void> }> {
  if (!sshdAvailable()) throw new Error('this benchmark needs OpenSSH: apt-get install openssh-server');
  const postgres = await startPostgres();
  stack.defer(() => postgres.stop());
  const sshd = await startSshd({ host: postgres.host, port: postgres.port }, { shell: true });
  const installation = await install(stack, { postgres: postgres.url, tunnel: sshd });
  return { ...installation, selectOne: await selectOneBy(sshd, installation) };
}

async function selectOneBy(sshd: Sshd, { world, config }: Installation): Promise<() => Promise<void>> {
  const { folder } = world;
  const knownHosts = join(folder, 'known_hosts');
  await writeFile(knownHosts, `[${sshd.host}]:${sshd.port} ${sshd.hostKeyLine}\n`);
  const { host, port, database, user, password } = config.lamassu;
  const url = `postgresql://${user}:${password?.reveal()}@${host}:${port}/${database}`;
  const argv = [
    ...['-F', 'none', '-i', join(folder, 'id_ed25519'), '-p', `${sshd.port}`],
    ...['-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes', '-o', `UserKnownHostsFile=${knownHosts}`],
    `${sshd.user}@${sshd.host}`,
    `${psql()} --no-psqlrc -At -c 'select 1' '${url}'`,
  ];
  return async () => {
    const { stdout } = await execFile('ssh', argv);
    if (stdout.trim() !== '1') throw new Error(`psql answered ${JSON.stringify(stdout)}`);
  };
}

/** The program itself: Debian's /usr/bin/psql is a Perl script before it, which takes longer than the query. */
function psql(): string {
  const own = globSync('/usr/lib/postgresql/*/bin/psql').sort().at(-1);
  if (own) return own;
  const inPath = (process.env.PATH ?? '').split(':').map((folder) => join(folder, 'psql'));
  const found = inPath.find((path) => existsSync(path));
  if (!found) throw new Error('this benchmark needs psql: apt-get install postgresql-client');
  return found;
}
