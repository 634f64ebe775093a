import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, realpathSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { until } from './support/ssh.ts';

/** A Debian that was booted: systemd is its first process, and its network is this host's. */
export interface Booted {
  /** Runs a script of the shell as root, in `cwd`. */
  sh(script: string, options?: { cwd?: string; input?: Buffer }): Promise<Shown>;
  /** The same, and throws with everything it printed unless it exits 0. Answers stdout. */
  must(script: string, options?: { cwd?: string; input?: Buffer }): Promise<string>;
  stop(): Promise<void>;
}

export interface Shown {
  code: number | null;
  stdout: string;
  stderr: string;
}

const BOOT = fileURLToPath(new URL('boot-debian.sh', import.meta.url));

/** Boots a copy of the Debian in folder `root`, with this Node in it. */
export async function bootDebian(root: string): Promise<Booted> {
  const name = `aio-dca-${process.pid}`;
  const node = realpathSync(process.execPath);
  const container = spawn(
    'setpriv',
    // It ends with this process, however that ends.
    [...'--pdeathsig KILL unshare --mount --propagation private bash'.split(' '), BOOT, root, name, node],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let said = '';
  for (const stream of [container.stdout, container.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const ended = once(container, 'exit');
  const sh: Booted['sh'] = async (script, { cwd = '/', input } = {}) => {
    const inside = ['--target', `${firstProcess(container)}`, ...'-m -u -i -n -p -C -r'.split(' '), '--'];
    const env = ['env', '-i', 'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'TERM=dumb'];
    const ran = spawn('nsenter', [
      ...[...inside, ...env, 'sh', '-c', 'cd "$1" && exec bash -c "$2"', 'sh', cwd, script],
    ]);
    ran.stdin.on('error', () => undefined);
    ran.stdin.end(input);
    const [stdout, stderr, [code]] = await Promise.all([
      text(ran.stdout),
      text(ran.stderr),
      once(ran, 'close') as Promise<[number | null]>,
    ]);
    return { code, stdout, stderr };
  };
  const must: Booted['must'] = async (script, options) => {
    const { code, stdout, stderr } = await sh(`set -e\n${script}`, options);
    if (code !== 0) throw new Error(`${script} (exit ${code}):\n${stdout}${stderr}`);
    return stdout;
  };
  const stop = async () => {
    if (container.exitCode !== null) return;
    await sh('poweroff');
    const late = setTimeout(() => container.kill('SIGKILL'), 20_000);
    await ended;
    clearTimeout(late);
  };
  try {
    const state = async () =>
      firstProcess(container) ? (await sh('systemctl is-system-running')).stdout : '';
    const hasBooted = async () => {
      if (container.exitCode !== null) throw new Error(`the container ended:\n${said}`);
      return /^(running|degraded)/.test(await state());
    };
    await until(hasBooted, 'Debian has booted', 60_000);
    return { sh, must, stop };
  } catch (error) {
    container.kill('SIGKILL');
    throw error;
  }
}

/** Outside of the container: the child of systemd-nspawn. */
function firstProcess({ pid }: ChildProcess): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0]);
  } catch {
    return 0;
  }
}
