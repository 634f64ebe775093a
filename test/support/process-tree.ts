import { readdirSync, readFileSync } from 'node:fs';
import { until } from './ssh.ts';

/**
 * Ends a server as a power cut does it: SIGKILL for the process and everything below it. Resolves when all are gone.
 * A server's children often lead process groups of their own, so a signal to its group would miss them.
 */
export async function killTree(pid: number): Promise<void> {
  // A stopped process starts no child that would be missed.
  signal(pid, 'SIGSTOP');
  const tree = [pid, ...processesBelow(pid)];
  for (const one of tree) signal(one, 'SIGKILL');
  await until(() => tree.every(isGone), `the processes ${tree.join(', ')} are gone`);
}

/** The children of a process, and theirs. */
export function processesBelow(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(Number(name)) : null;
    if (stat) parents.set(Number(name), stat.parent);
  }
  const tree = [pid];
  for (const one of tree)
    tree.push(...[...parents].filter(([, parent]) => parent === one).map(([child]) => child));
  return tree.slice(1);
}

/** A zombie is gone: whether anybody reaps it is up to the system's first process. */
export function isGone(pid: number): boolean {
  const stat = statOf(pid);
  return stat === null || stat.state === 'Z';
}

/** Fields 3 and 4 of /proc/PID/stat (proc_pid_stat(5)), counted after the name, which may hold spaces. */
function statOf(pid: number): { state: string; parent: number } | null {
  try {
    const [state = '', parent] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return null;
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
