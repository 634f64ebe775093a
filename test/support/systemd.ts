import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { until } from './ssh.ts';

/** Whether systemd's commands are here. In CI their absence is an error, not a reason to skip. */
export function systemdAvailable(): boolean {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    execFileSync('systemd-notify', ['--version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if (process.env.CI) throw new Error('systemd is needed in CI: apt-get install systemd', { cause: error });
    return false;
  }
}

const LISTENER = `
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print('listening', flush=True)
while True:
    # A descriptor comes with a barrier: the sender waits until it is closed.
    message, descriptors, _, _ = socket.recv_fds(listener, 4096, 1)
    for descriptor in descriptors:
        socket.close(descriptor)
    print(message.decode(), flush=True)
`;

/** A socket as systemd gives it to a service in $NOTIFY_SOCKET, and what was said on it so far. */
export async function notifySocket(): Promise<{ path: string; said(): string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-notify-'));
  const path = join(folder, 'notify');
  const listener = spawn('python3', ['-c', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    listener.kill();
    await rm(folder, { recursive: true, force: true });
  });
  let text = '';
  listener.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  await until(() => text.startsWith('listening'), 'the socket listens');
  return { path, said: () => text.split('\n').slice(1, -1) };
}
