import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCommand } from '../../support/command.ts';
import { pairMachine } from '../../support/lamassu.ts';
import { isSecret, keepSecret } from '../../support/secrets.ts';
import { until } from '../../support/ssh.ts';
import { inTerminal } from '../../support/terminal.ts';
import { startWorld, type World } from '../../support/world.ts';

/*
 * Every command of every test is watched for the secrets of its installation (test/support/secrets.ts). Here: that
 * this watch sees something, and the ways out that are no output.
 */

let world: World;
/** All secrets that come in files, as an operator without files gives them. */
let environment: Record<string, string>;

beforeAll(async () => {
  world = await startWorld({ ledger: 'postgresql', credit: true });
  await pairMachine(world.lamassu, 'Antigua');
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.addFunding('alice', '9000 GTQ');
  environment = withoutFiles(world, join(world.folder, 'environment.toml'));
});
afterAll(async () => {
  expect((await world.aioDca(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
  await world.stop();
});

/** Writes a configuration without the names of secret files, and answers the variables that take their place. */
function withoutFiles({ folder, configFile }: World, file: string): Record<string, string> {
  const given: Record<string, string> = {};
  let section = '';
  const lines = readFileSync(configFile, 'utf8')
    .split('\n')
    .flatMap((line) => {
      section = /^\[(.*)\]$/.exec(line)?.[1] ?? section;
      const [, key, name = ''] = /^(\w+)_file = "(.*)"$/.exec(line) ?? [];
      if (key === undefined) return [line];
      const variable = `AIO_DCA_${section}_${key}`.replaceAll('.', '_').toUpperCase();
      given[variable] = readFileSync(join(folder, name), 'utf8').trimEnd();
      return [];
    });
  writeFileSync(file, lines.join('\n'), { mode: 0o600 });
  return given;
}

const textsOf = (pid: number, file: 'cmdline' | 'environ') => readFileSync(`/proc/${pid}/${file}`, 'utf8');

describe('a command that prints a secret fails its test', () => {
  // Nothing else prints these words: they are a secret only to this test.
  keepSecret('words of the help', 'textfile collector');

  test('on a pipe and in a terminal, and the failure does not print it again', async () => {
    for (const start of [startCommand, inTerminal]) {
      const failure = await start(['metrics', '--help']).ended.catch((error: unknown) => String(error));
      expect(failure).toContain('printed a secret: words of the help');
      expect(failure).not.toContain('textfile collector');
    }
  });
});

test('the watch knows every secret of an installation', () => {
  expect(new Set(Object.keys(environment))).toEqual(
    new Set([
      'AIO_DCA_LAMASSU_PASSWORD',
      'AIO_DCA_LAMASSU_SSH_PRIVATE_KEY',
      'AIO_DCA_LEDGER_PASSWORD',
      'AIO_DCA_LNBITS_SOURCE_WALLET_KEY',
      'AIO_DCA_LNBITS_SUPERUSER_PASSWORD',
    ]),
  );
  for (const [name, secret] of Object.entries(environment))
    for (const line of secret.split('\n').filter((one) => one.length > 11 && !one.startsWith('-----')))
      expect(isSecret(`x ${line} x`), name).toBe(true);
  for (const { adminkey, inkey } of [world.source, ...world.wallets.values()])
    expect([isSecret(adminkey), isSecret(inkey)]).toEqual([true, true]);
  expect(isSecret('nothing of that kind')).toBe(false);
});

test('no process of a daemon has one in its command line, no helper in its environment, no address in its path', async () => {
  // In the place of systemd's own command, which gets what the daemon gives to a child.
  const bin = join(world.folder, 'bin');
  const helper = join(bin, 'systemd-notify');
  const caught = join(world.folder, 'helper');
  mkdirSync(bin);
  writeFileSync(
    helper,
    `#!/bin/sh\ntr '\\0' '\\n' </proc/$$/cmdline >"${caught}.$1"\nenv >>"${caught}.$1"\n`,
  );
  chmodSync(helper, 0o700);

  await world.insertCashOut();
  const seen: string[] = [];
  world.simulator().onRequest = ({ kind }, phase) => {
    if (kind !== 'pay' || phase !== 'before') return;
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
      if (existsSync(`/proc/${pid}/cmdline`)) seen.push(commandLineOf(Number(pid)));
  };
  const daemon = startCommand(['--config', join(world.folder, 'environment.toml'), 'run', '--verbose'], {
    env: { ...environment, NOTIFY_SOCKET: '/nowhere', PATH: `${bin}:${process.env.PATH}` },
  });
  const paid = async () => (await world.balance(world.wallets.get('alice') ?? world.source)) === 484_207n;
  await until(paid, 'alice is paid');
  await until(() => existsSync(`${caught}.READY=1`), 'systemd is told');
  daemon.child.kill('SIGTERM');
  expect((await daemon.ended).code).toBe(0);
  world.simulator().onRequest = undefined;

  expect(seen.some((line) => line.includes('environment.toml'))).toBe(true);
  for (const line of seen) expect(isSecret(line), 'a command line').toBe(false);
  for (const name of ['READY=1', 'STOPPING=1']) {
    const said = readFileSync(`${caught}.${name}`, 'utf8');
    expect(said).toContain('NOTIFY_SOCKET=/nowhere');
    expect(isSecret(said), `the environment of systemd-notify ${name}`).toBe(false);
    expect(said).not.toContain('AIO_DCA_');
  }
  const { requests } = world.simulator();
  expect(requests.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['login', 'credit', 'pay']));
  for (const { path, query } of requests) expect(isSecret(`${path}?${query}`), path).toBe(false);
});

/** Empty where the process is gone meanwhile. */
function commandLineOf(pid: number): string {
  try {
    return textsOf(pid, 'cmdline').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

test('an LNbits that repeats its input: neither a key nor a password is printed or kept', async () => {
  const { adminkey } = world.source;
  const { password } = world.simulator().superuser;
  await world.insertCashOut();
  for (const [kind, sent] of [
    ['wallet', adminkey],
    ['login', password],
    ['pay', adminkey],
  ] as const) {
    const echo = { detail: `what is ${sent}?` };
    world.simulator().rules = [
      { when: { kind }, times: 9, fault: { at: 'before', answer: { status: 403, body: echo } } },
    ];
    const ran = await world.aioDca(['poll', '--verbose', '--json']);
    expect(ran.code, kind).not.toBe(0);
    expect(ran.stdout, kind).toContain('what is [redacted]?');
  }
  world.simulator().rules = [];
  await world.must(['poll']);
  const texts = await world.must(['export', 'changes']);
  expect(isSecret(texts.stdout)).toBe(false);
});

test('a secret on the command line is refused, and the error does not repeat it', async () => {
  const { adminkey } = world.source;
  const ran = await world
    .aioDca(['doctor', '--source-wallet-key', adminkey])
    .catch((error: unknown) => error);
  expect(ran).toMatchObject({ code: 64 });
});
