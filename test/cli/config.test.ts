import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import stringWidth from 'string-width';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ConfigView } from '../../src/views/config.ts';
import { startCommand } from '../support/command.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aio-dca-'));
  file = join(folder, 'config.toml');
  await writeFile(join(folder, 'key'), 'hunter2\n');
  await writeFile(file, VALID);
});

afterEach(() => rm(folder, { recursive: true }));

const VALID = `timezone = "America/Guatemala"
[lamassu]
start_at = "2026-11-01T00:00:00-06:00"
[lamassu.ssh]
host = "atm.example.org"
host_key = "SHA256:${'A'.repeat(43)}"
private_key_file = "key"
[lnbits]
url = "https://lnbits.example.org"
source_wallet_key_file = "key"
[payouts]
quiet = "2 min"
`;

const config = (...args: string[]) =>
  startCommand(['--config', file, 'config', ...args], { env: { COLUMNS: '80' } }).ended;

test('shows each setting with where it comes from, within 80 columns', async () => {
  const { code, stdout } = await config();
  expect(code).toBe(0);
  expect(stdout).toContain(`Configuration: ${file}\n--config names it.`);
  expect(stdout).toContain('\n[payouts]\nbatch              default  "poll"\n');
  expect(stdout).toContain('\nquiet              line 12  "2 min"\n');
  expect(stdout).toContain('\ndaily_ceiling_sats          not set\n');
  expect(stdout).toMatch(/\nlnbits\.source_wallet_key {3}set {7}\/.*\/key\n/);
  expect(stdout).toMatch(/\nlamassu\.password {11}not set\n/);
  expect(stdout).toMatch(/\n\[currencies\]\nnone {15}default {2}the digits are those of ISO 4217\n/);
  expect(stdout.split('\n').filter((line) => stringWidth(line) > 80)).toEqual([]);
  expect(stdout).not.toContain('hunter2');
});

test('a path wider than the terminal goes on below, broken after a slash or a hyphen; in a pipe it is whole', async () => {
  const deep = join(folder, ...Array.from({ length: 6 }, (_, at) => `folder-with-a-long-name-${at}`));
  await mkdir(deep, { recursive: true });
  file = join(deep, 'config.toml');
  await writeFile(join(deep, 'key'), 'hunter2\n');
  await writeFile(file, VALID);
  const { code, stdout } = await config();
  expect(code).toBe(0);
  expect(stdout.split('\n').filter((line) => stringWidth(line) > 80)).toEqual([]);
  expect(stdout).toMatch(/^Configuration:\n {4}\/\S*[-/]\n {4}\S/);
  expect(stdout.replaceAll('\n    ', '')).toContain(`sqlite:${join(deep, 'ledger.sqlite')}`);
  const piped = await startCommand(['--config', file, 'config'], { env: { COLUMNS: undefined } }).ended;
  expect(piped.stdout).toContain(`Configuration: ${file}\n`);
});

test('with mistakes: exit 78, with what could be read and the same error as every command', async () => {
  await writeFile(file, `${VALID}maximum_sats = 0\n`);
  const shown = await config();
  expect(shown.code).toBe(78);
  expect(shown.stdout).toContain('quiet              line 12  "2 min"');
  expect(shown.stdout).toContain('maximum_sats       line 13  (a mistake, see below)');
  expect(shown.stdout).toContain('line 13: payouts.maximum_sats: expected a whole number from 1');
  const view = (await config('--json')).json<ConfigView>();
  expect(view).toMatchObject({ ok: false, problem: { code: 'config/invalid' }, chosen_by: 'option' });
  const other = await startCommand(['--config', file, 'status', '--json']).ended;
  expect(other.json()).toMatchObject({ error: { code: 'config/invalid', hint: view.problem?.hint } });
});

test('exit 78 if a secret that is needed is missing, or there is no configuration', async () => {
  await rm(join(folder, 'key'));
  const shown = await config();
  expect(shown.code).toBe(78);
  expect(shown.stdout).toMatch(/lnbits\.source_wallet_key {3}missing .*\/key, which is not\n? *there/);
  await rm(file);
  expect((await config('--json')).json()).toMatchObject({ error: { code: 'config/missing' } });
});
