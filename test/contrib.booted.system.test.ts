import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Booted, bootDebian } from './contrib.booted.support.ts';
import { freePort } from './support/free-port.ts';
import { pairMachine } from './support/lamassu.ts';
import { until } from './support/ssh.ts';
import { startWorld, type World } from './support/world.ts';

/*
 * The units of contrib/ under a systemd of their own, set up by contrib/install.sh and the commands of
 * docs/monitoring.md and docs/web.md as they stand there.
 * AIO_DCA_DEBIAN is the Debian that is booted; `npm run test:systemd` makes one. Without it these tests are skipped.
 */

const debian = process.env.AIO_DCA_DEBIAN;
const TOP = fileURLToPath(new URL('..', import.meta.url));
const PACKAGE = '/usr/local/lib/node_modules/aio-dca-bridge';
const page = (name: string) => readFileSync(join(TOP, `docs/${name}.md`), 'utf8');

let world: World;
let booted: Booted;
let host: string;
const started = new AsyncDisposableStack();

/**
 * The commands of the docs' block that begins with `first`, without those that only a person or a network can answer.
 */
function commands(first: string, name = 'monitoring'): string {
  const block = page(name)
    .split(/^```\w*\n/m)
    .find((one) => one.startsWith(first));
  if (!block) throw new Error(`docs/${name}.md has no commands that begin with ${first}`);
  return block.replaceAll(/^sudo(edit| apt-get) .*\n/gm, '').replaceAll(' --pty ', ' --pipe ');
}

describe.skipIf(!debian)('under systemd (npm run test:systemd)', { timeout: 120_000 }, () => {
  const docs = (first: string) => booted.must(commands(first), { cwd: PACKAGE });
  const start = (unit: string) => booted.sh(`systemctl start ${unit}`);
  const show = async (unit: string, property: string) =>
    (await booted.must(`systemctl show --value --property=${property} '${unit}'`)).trim();
  const asService = (script: string) =>
    booted.sh(`cd /var/lib/aio-dca && runuser -u aio-dca -- sh -ec '${script}'`);
  const dropIn = (unit: string, lines: string) =>
    booted.must(
      `mkdir -p /etc/systemd/system/${unit}.d && printf '${lines}' >/etc/systemd/system/${unit}.d/test.conf && systemctl daemon-reload`,
    );
  const mailbox = async () => (await booted.sh('cat /var/mail/maria')).stdout;
  /** The mails about a unit that have arrived. */
  const told = async (unit: string) =>
    (await mailbox()).split('\n').filter((line) => line === `Subject: ${host}: ${unit} needs you`).length;
  const arrives = async (unit: string, count = 1) => {
    try {
      await until(async () => (await told(unit)) === count, `the mail about ${unit} has arrived`);
    } catch (error) {
      const look =
        'journalctl --no-pager -n 30 -u "aio-dca*"; tail -n 5 /var/log/exim4/mainlog; cat /var/mail/*';
      throw new Error((await booted.sh(look)).stdout, { cause: error });
    }
  };

  beforeAll(async () => {
    world = await startWorld({ tunnel: 'sshd' });
    started.defer(() => world.stop());
    await pairMachine(world.lamassu, 'Antigua');
    await world.must(['migrate']);
    await world.addClient('alice');
    await world.addFunding('alice', '20000 GTQ');
    const packed = await mkdtemp(join(tmpdir(), 'aio-dca-packed-'));
    const tarball = execFileSync('npm', ['pack', '--silent', '--pack-destination', packed], {
      cwd: TOP,
      encoding: 'utf8',
    });
    booted = await bootDebian(debian ?? '');
    started.defer(() => booted.stop());
    await booted.must(`mkdir -p ${PACKAGE} && tar -xz --strip-components=1 -C ${PACKAGE}`, {
      input: readFileSync(join(packed, tarball.trim())),
    });
    await rm(packed, { recursive: true });
    host = (await booted.must('hostname')).trim();
    await booted.must(`
      ln -s ../lib/node_modules/aio-dca-bridge/bin/aio-dca.js /usr/local/bin/aio-dca
      command -v npm || { printf '#!/bin/sh\\necho /usr/local/lib/node_modules\\n' >/usr/local/bin/npm; chmod +x /usr/local/bin/npm; }
      echo "127.0.1.1 $(hostname)" >>/etc/hosts
      useradd --create-home maria
      echo 'root: maria' >>/etc/aliases
    `);
    await booted.must('sh contrib/install.sh', { cwd: PACKAGE });
    // What the operator has after `init` and the first entries.
    await booted.must('tar -x -C /etc/aio-dca', {
      input: execFileSync('tar', ['-c', '-C', world.folder, '.'], { maxBuffer: 1 << 28 }),
    });
    await booted.must(`
      cd /etc/aio-dca
      mv ledger.sqlite* /var/lib/aio-dca/
      sed -i 's|sqlite:ledger|sqlite:/var/lib/aio-dca/ledger|' config.toml
      chown aio-dca:aio-dca * /var/lib/aio-dca/*
      systemd-tmpfiles --create aio-dca.conf
    `);
  }, 180_000);
  afterAll(() => started.disposeAsync());

  test('contrib/install.sh gives the units and the folders, and systemd finds no fault', async () => {
    expect(
      await booted.must('stat -c "%a %U:%G" /etc/aio-dca /etc/aio-dca/config.toml /var/backups/aio-dca'),
    ).toBe('1770 root:aio-dca\n640 root:aio-dca\n700 aio-dca:aio-dca\n');
    const verified = await booted.sh('systemd-analyze verify --man=no /etc/systemd/system/aio-dca*');
    expect(verified).toEqual({ code: 0, stdout: '', stderr: '' });
    const doctor = await asService('aio-dca doctor');
    expect(doctor).toMatchObject({ code: 0, stderr: '' });
  });

  test('the timer polls, also at other times, and what a poll says has its level', async () => {
    await world.insertCashOut();
    const other = commands('[Timer]').replace('*:0/15', '*:*:0/2');
    await dropIn('aio-dca.timer', `${other}RandomizedDelaySec=0\n`);
    const alice = world.wallets.get('alice');
    await booted.must('systemctl enable --now aio-dca.timer');
    await until(async () => alice !== undefined && (await world.balance(alice)) > 0n, 'alice is paid');
    await booted.must('systemctl disable --now aio-dca.timer');
    await until(
      async () => (await show('aio-dca.service', 'ActiveState')) === 'inactive',
      'the poll is over',
    );
    expect(await booted.must('journalctl --no-pager -o cat -t aio-dca -u aio-dca.service')).toMatch(
      /^Paid 1 payout/m,
    );
  });

  test('the alert is a mail that arrives, with the last lines of the unit and the status', async () => {
    await docs('sudo apt-get install bsd-mailx');
    await arrives('test');
    const text = await mailbox();
    expect(text).toMatch(/Content-Type: text\/plain; charset="?utf-8/i);
    expect(text).toContain('Source wallet');
  });

  test('the timer of the watch lets the first polls go before', async () => {
    await booted.must('systemctl enable --now aio-dca-watch.timer');
    expect(await show('aio-dca-watch.timer', 'ActiveState')).toBe('active');
    expect(await show('aio-dca-watch.service', 'ExecMainStartTimestamp')).toBe('');
    await booted.must('systemctl disable --now aio-dca-watch.timer');
  });

  test('the watch fails and alerts as long as something needs the operator, and only then', async () => {
    expect(await start('aio-dca-watch.service')).toMatchObject({ code: 0 });
    await world.insertCashOut({ crypto_code: 'LTC' });
    // A poll that finds something for the operator, by exit 2, is no failure.
    expect(await start('aio-dca.service')).toMatchObject({ code: 0 });
    expect(await booted.must('journalctl --no-pager -o cat -u aio-dca.service')).toContain(
      'Newly in review:',
    );
    expect(await start('aio-dca-watch.service')).toMatchObject({ code: 1 });
    await arrives('aio-dca-watch.service');
    expect(await told('aio-dca.service')).toBe(0);
    const [row] = (await asService('aio-dca --json review list')).stdout.match(/[0-9a-f-]{36}/) ?? [];
    expect(await asService(`aio-dca review dismiss ${row} --reason seen`)).toMatchObject({ code: 0 });
    expect(await start('aio-dca-watch.service')).toMatchObject({ code: 0 });
  });

  test('a poll that cannot work alerts once, however often the timer starts it', async () => {
    await booted.must('mv /etc/aio-dca/lamassu.password /tmp/');
    expect(await start('aio-dca.service')).toMatchObject({ code: 1 });
    await arrives('aio-dca.service');
    expect(await start('aio-dca.service')).toMatchObject({ code: 1 });
    const alert = 'aio-dca-alert@aio-dca.service.service';
    await until(
      async () => (await show(alert, 'Result')) === 'start-limit-hit',
      'the second alert is refused',
    );
    expect(await booted.must('journalctl --no-pager -o cat -p err -t aio-dca')).toContain('config/secret: ');
    await booted.must('mv /tmp/lamassu.password /etc/aio-dca/');
    expect(await start('aio-dca.service')).toMatchObject({ code: 0 });
    expect(await told('aio-dca.service')).toBe(1);
  });

  test('the backup is dated and checked, keeps 30 days, and removes nothing where it fails', async () => {
    const copies = async () =>
      (await booted.must('cd /var/backups/aio-dca && stat -c "%n %a %U" *')).trim().split('\n');
    const [ledger] = (await asService('aio-dca --json status')).stdout.match(/[0-9a-f]{8}(?=-)/) ?? [];
    // The zone of config.toml; this Debian has no names of zones.
    await booted.must(`
      cd /var/backups/aio-dca
      for day in $(seq 31); do touch ledger-${ledger}-$(TZ=CST6 date -d "-$day day" +%F)-033000.sqlite; done
    `);
    expect(await start('aio-dca-backup.service')).toMatchObject({ code: 0 });
    const kept = await copies();
    expect(kept).toHaveLength(30);
    expect(kept.at(-1)).toMatch(/^ledger-.*\.sqlite 600 aio-dca$/);
    // What was copied is a ledger.
    const restored = `cp /var/backups/aio-dca/${kept.at(-1)?.split(' ')[0]} /tmp/restored.sqlite && chown aio-dca /tmp/restored.sqlite`;
    await booted.must(restored);
    expect(
      await asService(
        'sed s,/var/lib/aio-dca/ledger,/tmp/restored, /etc/aio-dca/config.toml >/etc/aio-dca/restored.toml && aio-dca --config /etc/aio-dca/restored.toml verify',
      ),
    ).toMatchObject({ code: 0 });

    await booted.must('mv /var/lib/aio-dca/ledger.sqlite /tmp/');
    expect(await start('aio-dca-backup.service')).toMatchObject({ code: 1 });
    await arrives('aio-dca-backup.service');
    expect(await copies()).toEqual(kept);
    await booted.must('mv /tmp/ledger.sqlite /var/lib/aio-dca/');
  });

  test('the metrics are in a file that anybody may read, in a folder of root', async () => {
    const [, job = ''] = /^\* \* \* \* \* root (.*)$/m.exec(commands('PATH=')) ?? [];
    await booted.must(`mkdir -p /var/lib/prometheus/node-exporter && ${job}`);
    const file = '/var/lib/prometheus/node-exporter/aio-dca.prom';
    expect(await booted.must(`stat -c '%a %U' ${file} && cat ${file}`)).toMatch(
      /^644 root\n.*^aio_dca_info\{/ms,
    );
  });

  test('a daemon that dies is started again and told, once in a crash loop; its final end is told as well', async () => {
    const daemon = 'aio-dca-daemon.service';
    await dropIn(daemon, '[Service]\\nRestartSec=1\\n');
    expect(await start(daemon)).toMatchObject({ code: 0 });
    for (const restarts of ['1', '2']) {
      await booted.must(`kill -9 $(systemctl show --value --property=MainPID ${daemon})`);
      const isBack = async () =>
        (await show(daemon, 'NRestarts')) === restarts && (await show(daemon, 'ActiveState')) === 'active';
      await until(isBack, 'it is running again', 60_000);
    }
    await arrives('aio-dca-daemon');
    expect(await show('aio-dca-alert@aio-dca-daemon.service', 'Result')).toBe('start-limit-hit');
    expect(await told(daemon)).toBe(0);
    await booted.must(`systemctl stop ${daemon}`);
    expect(await booted.must(`journalctl --no-pager -o cat -t aio-dca -u ${daemon}`)).toMatch(
      /^daemon ends$/m,
    );

    await booted.must('mv /etc/aio-dca/lamassu.password /tmp/');
    expect(await start(daemon)).toMatchObject({ code: 1 });
    expect(await show(daemon, 'ActiveState')).toBe('failed');
    await arrives(daemon);
    await booted.must('mv /tmp/lamassu.password /etc/aio-dca/');
    expect(await told('aio-dca-daemon')).toBe(1);
  });

  describe('the sites', () => {
    const sites = 'aio-dca-serve.service';
    let ports: number[];
    const healthy = async () => {
      const asked = ports.map((port) => fetch(`http://127.0.0.1:${port}/healthz`).then((one) => one.text()));
      return Promise.all(asked).catch(() => []);
    };
    /** Both sites as config.toml has them, on ports that are free on this host, whose network the container has. */
    const tables = async () => {
      ports = [await freePort(), await freePort()];
      const [client, admin] = ports;
      return `\n[web.client]\nlisten = "127.0.0.1:${client}"\n[web.admin]\nlisten = "127.0.0.1:${admin}"\n`;
    };

    test('start without the keys that pay, come back after a kill, which is told, and stop', async () => {
      await booted.must(`
        cd /etc/aio-dca
        cp -p config.toml /tmp/ && mv source.adminkey id_ed25519 lamassu.password /tmp/
        printf '${(await tables()).replaceAll('\n', '\\n')}' >>config.toml
      `);
      await dropIn(sites, '[Service]\\nRestartSec=1\\n');
      expect(await start(sites)).toMatchObject({ code: 0 });
      expect(await healthy()).toEqual(['ok\n', 'ok\n']);

      await booted.must(`kill -9 $(systemctl show --value --property=MainPID ${sites})`);
      await until(
        async () => (await show(sites, 'NRestarts')) === '1' && (await healthy()).length === 2,
        'the sites are back',
        60_000,
      );
      await arrives('aio-dca-serve');
      await booted.must(`systemctl stop ${sites}`);
      expect(await show(sites, 'Result')).toBe('success');
      await booted.must(
        'cd /tmp && mv config.toml source.adminkey id_ed25519 lamassu.password /etc/aio-dca/',
      );
    });

    test('have a user of their own by the commands of the docs, who reads no key', async () => {
      const other = await startWorld({ tunnel: 'direct', ledger: 'postgresql', config: await tables() });
      started.defer(() => other.stop());
      await other.must(['migrate']);
      const its = (name: string) => readFileSync(join(other.folder, name));
      await booted.must('cd /etc/aio-dca && cp -p config.toml /tmp/ && cat >config.toml', {
        input: its('config.toml'),
      });
      await booted.must('cat >/etc/aio-dca/ledger.password', { input: its('ledger.password') });
      await booted.must(commands('sudo useradd --system', 'web'));
      expect(await show(sites, 'ActiveState')).toBe('active');
      expect(await healthy()).toEqual(['ok\n', 'ok\n']);
      const pid = await show(sites, 'MainPID');
      expect((await booted.must(`stat -c %U /proc/${pid}`)).trim()).toBe('aio-dca-web');
      for (const file of ['/etc/aio-dca/source.adminkey', '/etc/credstore', '/var/lib/aio-dca/ledger.sqlite'])
        expect(
          (await booted.sh(`nsenter -t ${pid} -m runuser -u aio-dca-web -- ls ${file}`)).code,
          file,
        ).not.toBe(0);
      await booted.must(`systemctl stop ${sites}
        rm -r /etc/systemd/system/${sites}.d && systemctl daemon-reload
        mv /tmp/config.toml /etc/aio-dca/ && rm /etc/aio-dca/ledger.password`);
    });
  });

  test('a ledger elsewhere is allowed to every unit by the commands of the docs', async () => {
    await docs('for unit in aio-dca aio-dca-daemon');
    await booted.must(`
      install -d -m 700 -o aio-dca -g aio-dca /srv/aio-dca
      mv /var/lib/aio-dca/ledger.sqlite* /srv/aio-dca/
      sed -i 's|sqlite:/var/lib/|sqlite:/srv/|' /etc/aio-dca/config.toml
    `);
    for (const unit of ['aio-dca', 'aio-dca-watch', 'aio-dca-backup', 'aio-dca-daemon'])
      expect(await start(unit), await booted.must(`journalctl --no-pager -n 9 -u ${unit}`)).toMatchObject({
        code: 0,
      });
    await booted.must('systemctl stop aio-dca-daemon');
  });

  test('secrets may be root’s alone, and the service’s user gets at no other file of root', async () => {
    await docs('sudo install -d -m 700 /etc/credstore');
    for (const unit of [
      'aio-dca',
      'aio-dca-watch',
      'aio-dca-backup',
      'aio-dca-daemon',
      'aio-dca-alert@again',
    ])
      expect(await start(unit), await booted.must(`journalctl --no-pager -n 9 -u ${unit}`)).toMatchObject({
        code: 0,
      });
    await booted.must('systemctl stop aio-dca-daemon');
    await arrives('again');
    expect((await mailbox()).split('again needs you').at(-1)).toContain('Source wallet');
    const byHand = await booted.must(commands('sudo systemd-run'), { cwd: '/' });
    expect(byHand).toContain('source wallet');

    for (const attempt of [
      'ls /etc/credstore/aio-dca',
      'mv /etc/credstore /etc/mine',
      'ln -sfT /etc/shadow /etc/credstore/aio-dca/lamassu.password',
      'mv /etc/aio-dca/config.toml /etc/aio-dca/mine.toml',
      'systemctl start aio-dca.service',
    ])
      expect((await asService(attempt)).code, attempt).not.toBe(0);
  });
});
