import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

/* What `npm run release` refuses before it builds anything, in a repository of its own. */

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'release-'));
  copyFileSync(fileURLToPath(new URL('../release.sh', import.meta.url)), join(folder, 'release.sh'));
  writeFileSync(join(folder, 'package.json'), '{\n  "version": "3.2.1",\n  "private": true\n}\n');
  git('init', '--quiet');
  git('add', '.');
  git('commit', '--quiet', '-m', 'first');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a release needs its tag, a clean checkout, and the commit of that tag', () => {
  expect(release()).toBe(
    "release: there is no tag v3.2.1 yet. To make it: git tag -a v3.2.1 -m 'Version 3.2.1'\n",
  );
  git('tag', '-a', 'v3.2.1', '-m', 'Version 3.2.1');
  writeFileSync(join(folder, 'new.ts'), '');
  expect(release()).toContain(
    'commit these first, or name the tag to build (npm run release v3.2.1):\n?? new.ts',
  );
  git('add', '.');
  git('commit', '--quiet', '-m', 'second');
  expect(release()).toContain('v3.2.1 is another commit than this one');
});

test('a tag that is named must be there, and be one of a version', () => {
  expect(release('3.2.1')).toContain('3.2.1 is no tag of a version');
  expect(release('v9.9.9')).toContain('there is no tag v9.9.9 yet');
});

function git(...args: string[]): void {
  execFileSync('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.org', ...args], {
    cwd: folder,
  });
}

/** What it says as it refuses; with exit code 64, as for every wrong use. */
function release(...args: string[]): string {
  const { status, stderr } = spawnSync('bash', ['release.sh', ...args], { cwd: folder, encoding: 'utf8' });
  expect(status, stderr).toBe(64);
  return stderr;
}
