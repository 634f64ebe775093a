import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { systemdAvailable } from './support/systemd.ts';

const CONTRIB = fileURLToPath(new URL('../contrib/', import.meta.url));
const SYSTEMD = join(CONTRIB, 'systemd');

const files = readdirSync(SYSTEMD).sort();
const units = files.filter((name) => /\.(service|timer)$/.test(name)).map((name) => join(SYSTEMD, name));
const services = units.filter((path) => path.endsWith('.service'));

function read(name: string): string {
  return readFileSync(join(CONTRIB, name), 'utf8');
}

describe.skipIf(!systemdAvailable())('the units (need systemd)', () => {
  test('pass systemd-analyze verify without a warning', () => {
    const ran = spawnSync('systemd-analyze', ['verify', '--man=no', ...units], { encoding: 'utf8' });
    // It also checks units of this host that they depend on.
    const ours = `${ran.stdout}${ran.stderr}`.split('\n').filter((line) => line.includes('aio-dca'));
    expect(ours).toEqual([]);
    expect(ran.status).toBe(0);
  });

  // The alert hands over a mail, by a setuid program.
  test.each(services.filter((path) => !path.includes('alert@')))(
    '%s is at least OK by systemd-analyze security',
    (path) => {
      const threshold = ['--offline=true', '--no-pager', '--threshold=20'];
      const ran = spawnSync('systemd-analyze', ['security', ...threshold, path], { encoding: 'utf8' });
      expect(ran.stdout).toMatch(/Overall exposure level for aio-dca.*: [01]\.\d OK/);
      expect(ran.status).toBe(0);
    },
  );

  test('the user and the folders are made as they say', () => {
    const root = mkdtempSync(join(tmpdir(), 'aio-dca-root-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    mkdirSync(join(root, 'etc'));
    for (const name of ['passwd', 'group']) writeFileSync(join(root, 'etc', name), '');
    execFileSync('systemd-sysusers', [`--root=${root}`, join(SYSTEMD, 'aio-dca.sysusers.conf')], {
      stdio: 'ignore',
    });
    expect(readFileSync(join(root, 'etc/passwd'), 'utf8')).toMatch(/^aio-dca:x:.*:\/var\/lib\/aio-dca:/m);
    // Only root can give folders to that user.
    if (process.getuid?.() !== 0) return;
    const create = () =>
      execFileSync('systemd-tmpfiles', [
        '--create',
        `--root=${root}`,
        join(SYSTEMD, 'aio-dca.tmpfiles.conf'),
      ]);
    create();
    // As init leaves it.
    const { uid, gid } = statSync(join(root, 'var/lib/aio-dca'));
    writeFileSync(join(root, 'etc/aio-dca/config.toml'), '', { mode: 0o600 });
    chownSync(join(root, 'etc/aio-dca/config.toml'), uid, gid);
    create();
    expect(statSync(join(root, 'etc/aio-dca')).mode & 0o7777).toBe(0o1770);
    const config = statSync(join(root, 'etc/aio-dca/config.toml'));
    expect([config.mode & 0o777, config.uid]).toEqual([0o640, 0]);
    expect(config.gid).toBe(gid);
    expect(statSync(join(root, 'var/backups/aio-dca')).mode & 0o777).toBe(0o700);
    expect(statSync(join(root, 'var/lib/aio-dca')).mode & 0o777).toBe(0o700);

    // What root reads by name, the service's user cannot put another file in the place of: only its own.
    mkdirSync(join(root, 'etc/aio-dca/secrets'), { mode: 0o700 });
    chmodSync(root, 0o755);
    const asUser = (command: string) =>
      spawnSync('sh', ['-ec', command], { uid, gid, cwd: join(root, 'etc/aio-dca'), encoding: 'utf8' });
    for (const attempt of [
      'mv secrets mine && ln -s /etc secrets',
      'mv config.toml mine && ln -s /etc/shadow config.toml',
      'rm -f config.toml && ln -s /etc/shadow config.toml',
      'ln -sfT /etc/shadow config.toml',
      'echo x >>config.toml',
    ])
      expect(asUser(attempt), attempt).toMatchObject({
        stderr: expect.stringMatching(/not permitted|denied/),
      });
    expect(statSync(join(root, 'etc/aio-dca/secrets')).isDirectory()).toBe(true);
    expect(readFileSync(join(root, 'etc/aio-dca/config.toml'), 'utf8')).toBe('');
    expect(asUser('echo key >source.adminkey && mv source.adminkey other').stderr).toBe('');
  });
});

test('exit codes 2 and 75 of a poll are no failure; a watch that finds something is', () => {
  expect(read('systemd/aio-dca.service')).toMatch(/^SuccessExitStatus=2 75$/m);
  const watch = read('systemd/aio-dca-watch.service');
  expect(watch).not.toContain('SuccessExitStatus');
  expect(watch).toMatch(/^OnFailure=aio-dca-alert@%n\.service$/m);
});

test('every service that ends badly calls the alert, and has an end', () => {
  for (const name of ['aio-dca', 'aio-dca-daemon', 'aio-dca-serve', 'aio-dca-watch', 'aio-dca-backup']) {
    const unit = read(`systemd/${name}.service`);
    expect(unit, name).toMatch(/^TimeoutStartSec=\d+(min|h)$/m);
    // Whether OnFailure= sees an end after which systemd starts a service again depends on systemd's version.
    const isRestarted = /^Restart=/m.test(unit);
    expect(/^OnFailure=aio-dca-alert@%n\.service$/m.test(unit), name).toBe(!isRestarted);
  }
  expect(read('systemd/aio-dca-alert@.service')).toMatch(/^StartLimitBurst=1$/m);
});

test.each(['daemon', 'serve'])(
  '%s tells each bad end, and the one without a restart by an alert of its own',
  (name) => {
    const unit = read(`systemd/aio-dca-${name}.service`);
    const script = /^ExecStopPost=\+\/bin\/sh -c '(.*)'$/m.exec(unit)?.[1] ?? '';
    const noRestart = /^RestartPreventExitStatus=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
    const started = (SERVICE_RESULT: string, EXIT_STATUS: string) =>
      execFileSync('sh', ['-c', script.replaceAll('$$', '$').replaceAll('exec ', 'echo ')], {
        env: { ...process.env, SERVICE_RESULT, EXIT_STATUS },
        encoding: 'utf8',
      }).trim();
    expect(started('success', '0')).toBe('');
    for (const status of ['1', '75', '217', 'KILL', 'SEGV'])
      expect(started('exit-code', status), status).toBe(
        'systemctl --no-block start aio-dca-alert@%N.service',
      );
    expect(noRestart).toEqual(['64', '78']);
    for (const status of noRestart)
      expect(started('exit-code', status), status).toBe(
        'systemctl --no-block start aio-dca-alert@%n.service',
      );
  },
);

test('each names a page of the documentation that contrib/install.sh puts there', () => {
  const place = /^ln -sfn "\$\(cd \.\.\/\.\.\/docs && pwd -P\)" (\S+)$/m.exec(read('install.sh'))?.[1];
  for (const path of services) {
    const pages = [...readFileSync(path, 'utf8').matchAll(/^Documentation=(.*)$/gm)].map(
      ([, uri = '']) => uri,
    );
    expect(pages, path).toHaveLength(1);
    for (const page of pages) {
      expect(page.startsWith(`file:${place}/`), page).toBe(true);
      expect(existsSync(join(CONTRIB, '../docs', basename(page))), page).toBe(true);
    }
  }
});

test('what they say is found in the journal under one name', () => {
  for (const path of services)
    expect(readFileSync(path, 'utf8'), path).toMatch(/^SyslogIdentifier=aio-dca$/m);
});

test('the drop-ins and docs/monitoring.md name the same services and files', () => {
  const docs = readFileSync(fileURLToPath(new URL('../docs/monitoring.md', import.meta.url)), 'utf8');
  const names = services.map((path) => basename(path, '.service'));
  expect(loopsOf(docs).map((loop) => loop.sort())).toEqual([
    names.filter((name) => !name.includes('@')).sort(),
    names.sort(),
  ]);
  const secrets = [...read('systemd/credentials.conf').matchAll(/^LoadCredential=(.*)$/gm)];
  expect(secrets.length).toBeGreaterThan(0);
  for (const [, secret] of secrets) expect(docs).toContain(`--property=LoadCredential=${secret}`);
  const named = [...docs.matchAll(/contrib\/[\w./@-]+[\w]/g)].map(([path]) => path);
  for (const path of named) expect(existsSync(join(CONTRIB, '..', path)), path).toBe(true);
});

/** The names in each `for unit in … ; do` of the text. */
function loopsOf(text: string): string[][] {
  return [...text.matchAll(/^for unit in (.*); do$/gm)].map(([, names = '']) => names.split(' '));
}

test('after a boot the watch waits for the first polls', () => {
  const seconds = (name: string, key: string) => {
    const [, count, unit] =
      new RegExp(`^${key}=(\\d+)(s|min)$`, 'm').exec(read(`systemd/${name}.timer`)) ?? [];
    return Number(count) * (unit === 'min' ? 60 : 1);
  };
  const polled = seconds('aio-dca', 'OnBootSec') + seconds('aio-dca', 'RandomizedDelaySec');
  expect(seconds('aio-dca-watch', 'OnActiveSec')).toBeGreaterThan(3 * polled);
  // By a time of day, or an hour that passed while the host was off, it would come at once after some boots.
  expect(read('systemd/aio-dca-watch.timer')).not.toMatch(/^(OnCalendar|OnBootSec|Persistent)=/m);
});

test('cron mails a backup and a status only if they fail', () => {
  const jobs = [...read('aio-dca.cron').matchAll(/ (said=.*)$/gm)].map(([, job = '']) => job);
  expect(jobs).toHaveLength(2);
  for (const [code, printed] of [
    [0, ''],
    [2, 'told\n'],
  ] as const)
    for (const job of jobs) {
      const command = `aio-dca() { echo told >&2; return ${code}; }; ${job}`;
      expect(execFileSync('bash', ['-c', command], { encoding: 'utf8' }), job).toBe(printed);
    }
});

test('hosts with the same timer or crontab do not start together', () => {
  for (const name of ['aio-dca', 'aio-dca-watch', 'aio-dca-backup']) {
    const timer = read(`systemd/${name}.timer`);
    expect(timer, name).toMatch(/^RandomizedDelaySec=\d+(s|min)$/m);
    // It would be the same on a copy of the host.
    expect(timer, name).not.toMatch(/^FixedRandomDelay=/m);
  }
  const sleep = / sleep (\$\(.*?\));/.exec(read('aio-dca.cron'))?.[1];
  const seconds = Array.from({ length: 8 }, () =>
    execFileSync('sh', ['-c', `echo ${sleep}`], { encoding: 'utf8' }),
  );
  expect(new Set(seconds).size).toBeGreaterThan(1);
  for (const some of seconds) expect(Number(some)).toBeLessThan(300);
});

test('no core dump has keys in it', () => {
  for (const path of services) expect(readFileSync(path, 'utf8'), path).toMatch(/^LimitCORE=0$/m);
  const lines = read('aio-dca.cron')
    .split('\n')
    .filter((line) => line.includes('aio-dca aio-dca') || line.includes(' ulimit '));
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(line).toMatch(/ aio-dca ulimit -c 0; /);
});

test('the services are confined alike', () => {
  const confinement = (name: string) =>
    read(name).slice(read(name).indexOf('NoNewPrivileges=')).split('\n\n')[0];
  const [first, ...others] = [
    'aio-dca',
    'aio-dca-daemon',
    'aio-dca-serve',
    'aio-dca-watch',
    'aio-dca-backup',
  ].map((name) => confinement(`systemd/${name}.service`)?.trim());
  for (const other of others) expect(other).toBe(first);
});

test('the alerts work without the daemon, and report when LNbits is away', () => {
  const rules = read('prometheus/aio-dca.rules.yml');
  const ofDaemon = readFileSync(
    fileURLToPath(new URL('../src/monitoring/run-metrics.ts', import.meta.url)),
    'utf8',
  );
  const names = [...ofDaemon.matchAll(/name: '(aio_dca_\w+)'/g)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(0);
  expect(names.filter((name) => rules.includes(name))).toEqual([]);
  expect(rules).toContain('aio_dca_lnbits_up == 0');
});

test('the alerts and the documentation name only existing metrics', () => {
  const source = ['metrics', 'run-metrics'].map((name) =>
    readFileSync(fileURLToPath(new URL(`../src/monitoring/${name}.ts`, import.meta.url)), 'utf8'),
  );
  const there = new Set(
    [...source.join().matchAll(/add\(\s*'(\w+)'|name: 'aio_dca_(\w+)'/g)].map(
      ([, gauge, other]) => gauge ?? other,
    ),
  );
  const docs = readFileSync(fileURLToPath(new URL('../docs/monitoring.md', import.meta.url)), 'utf8');
  const named = [...`${read('prometheus/aio-dca.rules.yml')}${docs}`.matchAll(/\baio_dca_(\w+)/g)].map(
    ([, name = '']) => name,
  );
  expect(named.filter((name) => !there.has(name))).toEqual([]);
  const documented = new Set([...docs.matchAll(/`aio_dca_(\w+)/g)].map(([, name = '']) => name));
  expect([...there].filter((name) => name !== undefined && !documented.has(name))).toEqual([]);
});
