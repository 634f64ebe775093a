import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { Secret } from '../../src/config/secret.ts';
import { createInstallation, previewInit } from '../../src/operations/init.ts';
import { inspectSshKey, makeKey } from '../../src/operations/init-checks.ts';
import type { Session } from '../../src/operations/operation.ts';
import { systemClock } from '../../src/time.ts';
import { perform } from '../support/operations.ts';

/* What init does after every question is answered, at any door. */

const session: Session = {
  ...{ principal: { kind: 'operator' }, clock: systemClock, actor: 'dora', reason: undefined },
  config: () => Promise.reject(new Error('there is none yet')),
  withLedger: () => Promise.reject(new Error('there is none yet')),
  stopSignal: () => AbortSignal.any([]),
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aio-dca-init-'));
  onTestFinished(() => rm(folder, { recursive: true }));
});

async function answers(password = 'secret of the role') {
  const key = await perform(makeKey, session, {});
  return {
    file: join(folder, 'config.toml'),
    heading: 'Made by a test.\nOf two lines.',
    settings: {
      ...{ timezone: 'America/Guatemala', start_at: '2026-11-01T06:00:00.000000Z' },
      ssh: { host: 'atm.example.org', port: 22, user: 'aio-dca', key, host_key: `SHA256:${'A'.repeat(43)}` },
      lamassu: {
        ...{ host: '127.0.0.1', port: 5432, database: 'lamassu', user: 'aio_dca' },
        ...{ password: new Secret(password), tls: 'disable' as const },
      },
      ledger: { url: 'sqlite:ledger.sqlite' },
      lnbits: { url: 'https://lnbits.example.org', insecure_http: false, key: new Secret('a'.repeat(32)) },
    },
  };
}

test('it writes the configuration, the secrets and the ledger, for their owner only', async () => {
  const input = await answers();
  expect((await perform(previewInit, session, input)).files.map(({ standing }) => standing)).toEqual([
    ...['absent', 'absent', 'absent', 'absent'],
  ]);
  const made = await perform(createInstallation, session, { ...input, found: null });
  expect(made).toMatchObject({
    ...{ config: input.file, start_at: '2026-11-01T06:00:00.000000Z', role: 'aio_dca' },
    ledger: { url: `sqlite:${join(folder, 'ledger.sqlite')}` },
    lamassu: { readable: null, missing: null },
    ssh: { authorized_keys: expect.stringContaining('permitopen="127.0.0.1:5432"') },
  });
  const names = await readdir(folder);
  expect(new Set(names.map((name) => join(folder, name)))).toEqual(
    new Set([...made.files, join(folder, 'ledger.sqlite')]),
  );
  for (const name of names) expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600);
  expect(await readFile(input.file, 'utf8')).toMatch(/^# Made by a test\.\n# Of two lines\.\n\n/);
  expect(loadConfig(input.file, {}).lamassu.password?.reveal()).toBe('secret of the role');
  const { files } = await perform(previewInit, session, input);
  expect(files.map(({ standing }) => standing)).toEqual(['same', 'same', 'same', 'same']);
  expect(made.files.slice(0, 4)).toEqual(files.map(({ path }) => path));
});

test('a file is replaced only as it was previewed, and else nothing is left behind', async () => {
  const input = await answers();
  const password = join(folder, 'lamassu.password');
  await writeFile(password, 'another one\n');
  const create = (digest?: string) =>
    perform(createInstallation, session, { ...input, found: null, ...(digest && { digest }) });
  const preview = async () => (await perform(previewInit, session, input)).digest;
  const outdated = await preview();
  await writeFile(password, 'one more\n');
  for (const digest of [undefined, outdated]) {
    await expect(create(digest)).rejects.toMatchObject({ code: 'init/stopped' });
    expect(await readdir(folder)).toEqual(['lamassu.password']);
    expect(await readFile(password, 'utf8')).toBe('one more\n');
  }
  await create(await preview());
  expect(await readFile(password, 'utf8')).toBe('secret of the role\n');
});

test('settings that no command could read are refused by name, before anything is written', async () => {
  const input = await answers();
  const { settings } = input;
  const refusal = async (changed: object) => {
    const wrong = { ...input, settings: { ...settings, ...changed } };
    const error: unknown = await perform(previewInit, session, wrong).catch((thrown: unknown) => thrown);
    await expect(perform(createInstallation, session, { ...wrong, found: null })).rejects.toEqual(error);
    expect(await readdir(folder)).toEqual([]);
    expect(error).toMatchObject({ code: 'usage/invalid' });
    return `${error}`;
  };
  const { lamassu, lnbits, ledger, ssh } = settings;
  const several = await refusal({
    timezone: 'Nowhere/Never',
    start_at: 'yesterday',
    ssh: { ...ssh, port: 99_999 },
  });
  expect(several).toContain('timezone: expected a time zone, like "America/Guatemala"');
  expect(several).toContain('lamassu.start_at: expected a time with its zone');
  expect(several).toContain('lamassu.ssh.port: expected a whole number from 1 to 65535');
  expect(several).not.toMatch(/line \d/);
  expect(await refusal({ lamassu: { ...lamassu, ca_file: '/ca.pem' } })).toContain(
    'lamassu.ca_file: has no effect',
  );
  expect(await refusal({ lnbits: { ...lnbits, url: 'http://lnbits.example.org' } })).toContain(
    'lnbits.url: http:// to another host sends the keys of the wallets unencrypted',
  );
  expect(await refusal({ ledger: { ...ledger, url: 'postgresql://u:p@h/db' } })).toContain(
    'settings.ledger.url: a password does not belong in it',
  );
  expect(await refusal({ lnbits: { ...lnbits, key: new Secret('two words') } })).toContain(
    'settings.lnbits.key: it is not a single key',
  );
  expect(await refusal({ lamassu: { ...lamassu, password: new Secret(' blank') } })).toContain(
    'settings.lamassu.password: it is empty, or blanks',
  );
});

test('a role that can do harm gets one of its own in the SQL', async () => {
  const found = {
    readable: true,
    missing: null,
    machines: ['Antigua'],
    too_much: ['INSERT'],
    harmful: ['INSERT'],
  };
  const made = await perform(createInstallation, session, { ...(await answers()), found });
  expect(made).toMatchObject({
    lamassu: { readable: true, machines: ['Antigua'], too_much: ['INSERT'] },
    role: 'aio_dca_reader',
    role_sql: expect.stringContaining('"aio_dca_reader"'),
  });
});

test('a private key is read, and one that is none is named', async () => {
  const { private_key: made, public_key } = await perform(makeKey, session, {});
  const { key } = await perform(inspectSshKey, session, { text: made.reveal(), name: 'id_ed25519' });
  expect(key?.public_key.split(' ').slice(0, 2)).toEqual(public_key.split(' ').slice(0, 2));
  await expect(perform(inspectSshKey, session, { text: 'no key', name: 'mine' })).rejects.toMatchObject({
    ...{ code: 'lamassu/ssh-key', message: expect.stringContaining('mine') },
  });
});
