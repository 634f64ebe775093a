import { execFileSync } from 'node:child_process';

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
