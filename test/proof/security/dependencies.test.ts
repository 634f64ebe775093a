import { execFile } from 'node:child_process';
import { expect, test } from 'vitest';

interface Audit {
  metadata?: { vulnerabilities: { total: number } };
  vulnerabilities?: Record<string, { severity: string }>;
}

test('npm knows of no weakness in what the program is published with', async ({ skip }) => {
  const root = new URL('../../..', import.meta.url);
  const args = ['audit', '--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=15000'];
  // npm exits 1 where it found something, and where it could not ask.
  const stdout = await new Promise<string>((resolve) =>
    execFile('npm', args, { cwd: root, timeout: 20_000 }, (_error, text) => resolve(text)),
  );
  const audit = reportOf(stdout);
  if (audit?.metadata === undefined) {
    process.stdout.write('npm audit: could not check, the registry did not answer the question\n');
    return skip('could not check: the registry did not answer npm audit');
  }
  expect(audit.vulnerabilities).toEqual({});
  expect(audit.metadata.vulnerabilities.total).toBe(0);
});

function reportOf(text: string): Audit | undefined {
  try {
    return JSON.parse(text) as Audit;
  } catch {
    return undefined;
  }
}
