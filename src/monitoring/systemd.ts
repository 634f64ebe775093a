import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Logger } from 'pino';

/**
 * Tells systemd the state of the daemon, if `env` has $NOTIFY_SOCKET. Node cannot write to that kind of socket, so
 * `systemd-notify` does it; the unit needs `NotifyAccess=all`. Never throws: the daemon works without it. The command
 * gets no other environment variable, since those may hold secrets.
 */
export async function notifySystemd(
  state: 'READY=1' | 'STOPPING=1',
  env: NodeJS.ProcessEnv,
  log: Logger,
): Promise<void> {
  if (!env.NOTIFY_SOCKET) return;
  try {
    const { NOTIFY_SOCKET, PATH } = env;
    await promisify(execFile)('systemd-notify', [state], { env: { NOTIFY_SOCKET, PATH }, timeout: 10_000 });
  } catch (error) {
    log.warn({ err: error }, `systemd was not told ${state}`);
  }
}
