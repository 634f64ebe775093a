import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { type ConfigOrigins, configOrigins } from '../../src/config/origins.ts';
import { directory, file, MINIMAL, put } from '../support/config-folder.ts';

function origins(text: string, env: NodeJS.ProcessEnv = {}): ConfigOrigins {
  put('config.toml', text);
  return configOrigins(file, env);
}

const setting = ({ settings }: ConfigOrigins, key: string) => settings.find((one) => one.key === key);
const secret = ({ secrets }: ConfigOrigins, key: string) => secrets.find((one) => one.key === key);

test('each value has its line, or is the default that the program uses', () => {
  const text = `${MINIMAL}[payouts]
quiet = "2 min"
maximum_sats = 7
[currencies]
XCG = 2
[ledger]
ca_file = "ca.pem"
url = "postgresql://me:hunter2@db/aio?sslmode=verify-full"`;
  put('ca.pem', 'none');
  const seen = origins(text);
  expect(setting(seen, 'payouts.quiet')).toEqual({
    ...{ key: 'payouts.quiet', value: '2 min', origin: 'file', line: 7, refused: false },
  });
  expect(setting(seen, 'payouts.maximum_sats')).toMatchObject({ value: 7n, line: 8 });
  expect(setting(seen, 'payouts.batch')).toMatchObject({ value: 'poll', origin: 'default', line: null });
  expect(setting(seen, 'attention.stale_after')).toMatchObject({ value: '2 hours', origin: 'default' });
  expect(setting(seen, 'payouts.daily_ceiling_sats')).toMatchObject({ value: null, origin: 'unset' });
  expect(setting(seen, 'currencies.XCG')).toMatchObject({ value: 2n, line: 10 });
  expect(setting(origins(MINIMAL), 'currencies')).toMatchObject({ value: [], origin: 'default' });
  expect(setting(origins(`${MINIMAL}[currencies]\n`), 'currencies')).toMatchObject({
    value: [],
    origin: 'file',
  });
  expect(setting(seen, 'lamassu.ssh')).toMatchObject({ value: null, origin: 'unset' });
  expect(setting(seen, 'ledger.ca_file')).toMatchObject({ value: join(directory, 'ca.pem'), origin: 'file' });
  expect(setting(seen, 'ledger.tls')).toMatchObject({ value: 'verify-full', origin: 'ledger.url' });
  expect(setting(seen, 'ledger.url')?.value).toBe('postgresql://me@db/aio');
  expect(seen.ledgerFile).toBeNull();
  expect(secret(seen, 'ledger.password')).toMatchObject({ state: 'set', origin: 'ledger.url' });
});

test('the defaults are those of the program', () => {
  const seen = origins(MINIMAL);
  const used = loadConfig(file, {});
  expect(setting(seen, 'ledger.url')?.value).toBe(used.ledger.url);
  expect(setting(seen, 'fixed.times')?.value).toEqual(used.fixed.times);
  expect(setting(seen, 'payouts.maximum_sats')?.value).toBe(used.payouts.maximumSats);
  expect(setting(seen, 'schedule.poll')?.value).toBe(used.schedule.poll);
  expect(setting(seen, 'lamassu.port')?.value).toBe(BigInt(used.lamassu.port));
  expect(seen).toMatchObject({ problem: null, ledgerFile: 'absent' });
});

test('a secret is set or missing, with its place, and is shown nowhere', () => {
  const text = `${MINIMAL.replace('[lnbits]', 'password = "hunter2"\n[lnbits]')}credit_source = true
superuser = "admin"
source_wallet_key_file = "source.adminkey"
[lamassu.ssh]
host = "atm.example.org"
host_key = "SHA256:${'A'.repeat(43)}"
private_key_file = "id_ed25519"`;
  const credentials = join(directory, 'credentials');
  mkdirSync(credentials);
  put('credentials/source.adminkey', 'hunter3\n');
  const seen = origins(text, {
    CREDENTIALS_DIRECTORY: credentials,
    AIO_DCA_LAMASSU_SSH_PASSPHRASE: 'hunter4',
    AIO_DCA_LNBITS_URL: 'https://user:hunter5@elsewhere.example.org',
    AIO_DCA_ACTOR: 'dora',
  });
  expect(secret(seen, 'lamassu.password')).toMatchObject({ state: 'set', origin: 'config', place: file });
  expect(secret(seen, 'lnbits.source_wallet_key')).toMatchObject({
    ...{ state: 'set', origin: 'credential', place: join(credentials, 'source.adminkey') },
  });
  expect(secret(seen, 'lamassu.ssh.passphrase')).toMatchObject({
    ...{ state: 'set', origin: 'environment', place: 'AIO_DCA_LAMASSU_SSH_PASSPHRASE' },
  });
  expect(secret(seen, 'lamassu.ssh.private_key')).toMatchObject({
    ...{ state: 'missing', origin: 'file', place: join(directory, 'id_ed25519') },
  });
  expect(secret(seen, 'lnbits.superuser_password')).toMatchObject({ state: 'missing', origin: null });
  expect(secret(seen, 'ledger.password')).toMatchObject({ state: 'unset', origin: null, place: null });
  expect(seen.ignoredVariables).toEqual(['AIO_DCA_LNBITS_URL']);
  expect(inspect(seen, { depth: 9, getters: true })).not.toMatch(/hunter/);
});

test('a secret that is given twice is unusable, also while the file has other mistakes', () => {
  put('source.adminkey', 'hunter2\n');
  const seen = origins(`${MINIMAL}source_wallet_key_file = "source.adminkey"\n[payouts]\nminimum_sats = 0`, {
    AIO_DCA_LNBITS_SOURCE_WALLET_KEY: 'hunter3',
  });
  const given = 'by lnbits.source_wallet_key_file and $AIO_DCA_LNBITS_SOURCE_WALLET_KEY';
  expect(secret(seen, 'lnbits.source_wallet_key')).toMatchObject({
    state: 'unusable',
    problem: { message: `lnbits.source_wallet_key: given more than once, ${given}.` },
  });
});

test('what is in the file though it has mistakes; the value of a mistake is not shown', () => {
  const seen = origins(`${MINIMAL.replace('https://', 'https://me:hunter2@')}
[payouts]
quiet = "5 min"
maximum_sats = "hunter3"
[fixed]
tims = ["hunter4"]
[lamassu.ssh]
host_key = ["hunter5"]`);
  expect(setting(seen, 'lnbits.url')).toMatchObject({ value: null, line: 5, refused: true });
  expect(setting(seen, 'payouts.maximum_sats')).toMatchObject({ value: null, refused: true });
  expect(setting(seen, 'payouts.quiet')).toMatchObject({ value: '5 min', refused: false });
  expect(setting(seen, 'lamassu.ssh.host_key')).toMatchObject({ value: null, refused: true });
  expect(setting(seen, 'lamassu.start_at')?.value).toBe('2026-11-01T00:00:00-06:00');
  expect(seen.problem?.message).toContain('fixed.tims: unknown key, did you mean "times"?');
  expect(inspect(seen, { depth: 9 })).not.toMatch(/hunter/);
  expect(origins(`ledger = "hunter2"\n${MINIMAL}`).problem?.code).toBe('config/invalid');
  // Settings that contradict each other are shown: only together they are wrong.
  const contrary = origins(`${MINIMAL}[payouts]\nminimum_sats = 5\nmaximum_sats = 4`);
  expect(setting(contrary, 'payouts.maximum_sats')?.value).toBe(4n);
  expect(contrary.problem?.message).toContain('more than maximum_sats, 4');
});

test('of a file that breaks off, what stands above that', () => {
  const seen = origins(
    `${MINIMAL}[payouts]\nquiet = "5 min"\nmaximum_sats = hunter2\n[log]\nlevel = "debug"`,
  );
  expect(seen).toMatchObject({ readUpTo: 7, problem: { code: 'config/invalid' } });
  expect(seen.settings.map(({ key }) => key)).toEqual([
    ...['timezone', 'lamassu.start_at', 'lnbits.url', 'payouts.quiet'],
  ]);
  expect(inspect(seen, { depth: 9 })).not.toMatch(/hunter/);
  expect(origins('= hunter2')).toMatchObject({ readUpTo: 0, settings: [], secrets: [] });
});

test('which file is used, why, and which other ones are not', () => {
  put('config.toml', MINIMAL);
  put('other.toml', MINIMAL);
  const other = join(directory, 'other.toml');
  const env = { AIO_DCA_CONFIG: other };
  expect(configOrigins(file, env)).toMatchObject({ file, chosenBy: 'option', passedOver: [other] });
  expect(configOrigins(undefined, env)).toMatchObject({ file: other, chosenBy: 'environment' });
  const before = process.cwd();
  try {
    process.chdir(directory);
    expect(configOrigins(undefined, {})).toMatchObject({ file, chosenBy: 'folder' });
    expect(configOrigins(other, {}).passedOver).toContain(file);
  } finally {
    process.chdir(before);
  }
});

test.runIf(process.getuid?.() === 0)('a secret and a ledger that this user may not read', () => {
  put('source.adminkey', 'hunter2\n');
  put('ledger.sqlite', '');
  for (const name of ['source.adminkey', 'ledger.sqlite']) chmodSync(join(directory, name), 0o600);
  chmodSync(directory, 0o755);
  put('config.toml', `${MINIMAL}source_wallet_key_file = "source.adminkey"\n`);
  process.seteuid?.(65_534);
  try {
    const seen = configOrigins(file, {});
    expect(seen).toMatchObject({ user: 'nobody', problem: null, ledgerFile: 'unusable' });
    expect(secret(seen, 'lnbits.source_wallet_key')).toMatchObject({ state: 'unusable', origin: 'file' });
    expect(secret(seen, 'lnbits.source_wallet_key')?.problem?.hint).toContain('nobody may not read it');
  } finally {
    process.seteuid?.(0);
  }
  expect(configOrigins(file, {}).ledgerFile).toBe('usable');
});
