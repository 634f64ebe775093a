import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Logger } from 'pino';

/**
 * Tells systemd how the daemon stands, where `env` says that it listens ($NOTIFY_SOCKET). Node cannot write to that
 * kind of socket, so systemd's own command does it; the unit needs `NotifyAccess=all`. Never throws: what the daemon
 * is there for goes on without it. The environment that it hands on has nothing else: secrets may stand in there.
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
