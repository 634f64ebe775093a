import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { roleSql } from '../../src/lamassu/role-sql.ts';
import { startCommand } from '../support/command.ts';

test('takes the names from the configuration, whose secrets need not be there yet', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-role-sql-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'config.toml');
  await writeFile(
    file,
    `timezone = "UTC"
[lamassu]
database = "atm"
user = "reader"
password_file = "absent"
start_at = "2026-11-01T00:00:00Z"
[lamassu.ssh]
host = "atm.example.org"
private_key_file = "absent"
host_key = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
[lnbits]
url = "https://lnbits.example.org"
source_wallet_key_file = "absent"
`,
  );
  const ran = await startCommand(['--config', file, 'role-sql']).ended;
  expect(ran).toMatchObject({ code: 0, stderr: '', stdout: roleSql({ user: 'reader', database: 'atm' }) });
});

test('with --set-password it has the password as PostgreSQL keeps it, and asks for none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-role-sql-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'config.toml');
  await writeFile(join(folder, 'lamassu.password'), 'hunter2\n', { mode: 0o600 });
  await writeFile(
    file,
    `timezone = "UTC"
[lamassu]
user = "reader"
password_file = "lamassu.password"
start_at = "2026-11-01T00:00:00Z"
[lnbits]
url = "https://lnbits.example.org"
source_wallet_key_file = "absent"
`,
  );
  const { code, stdout } = await startCommand(['--config', file, 'role-sql', '--set-password']).ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^alter role "reader" with login .* password 'SCRAM-SHA-256\$4096:.*';$/m);
  expect(stdout).not.toMatch(/hunter2|\\password/);
});

test('with both names given it needs no configuration', async () => {
  const args = ['role-sql', '--user', 'reader', '--database', 'atm', '--json'];
  const ran = await startCommand(['--config', '/nonexistent/config.toml', ...args]).ended;
  expect(ran.code).toBe(0);
  expect(ran.json()).toEqual({ sql: roleSql({ user: 'reader', database: 'atm' }) });
});

test('with only one of them it does', async () => {
  const ran = await startCommand(['--config', '/nonexistent/config.toml', 'role-sql', '--user', 'reader'])
    .ended;
  expect(ran.code).toBe(78);
  expect(ran.stderr).toContain('config/missing');
});
