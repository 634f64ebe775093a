import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { notDone, type Packed, pack, typePages, whyNoOwnRoot } from './support/own-root/own-root.ts';
import { INSTALL, README, UPGRADING } from './support/own-root/pages.ts';

/* The commands of the documentation, typed as they stand there, from an empty root to a client who is paid. */

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What people do on such a host: the exit code, and a part of what they are told. */
const AGAIN =
  '--yes init --no-test --direct --timezone UTC --start-at 2026-11-01 --lnbits-url https://x.example </dev/null';
const MISTAKES = new Map<string, [code: number, said: string]>([
  // Another user than the one who runs it.
  ['aio-dca status', [78, 'maria may not. Do it as the user who runs the bridge: `sudo -u aio-dca …`.']],
  [
    'sudo aio-dca status',
    [78, 'belongs to aio-dca, and this is root Do it as aio-dca: `sudo -u aio-dca …`.'],
  ],
  [
    'sudo -u aio-dca aio-dca commission add bob --weight 1 --wallet-key-file $PWD/alice.invoicekey',
    [64, 'alice.invoicekey` reads it as you.'],
  ],
  [
    'sudo -u aio-dca aio-dca export payouts --format csv --output november.csv',
    [64, 'aio-dca may not write there. `… > FILE` writes as you.'],
  ],
  // As under the confinement of the units.
  [
    "sudo unshare -m sh -c 'cd /var/lib && mount --bind aio-dca aio-dca && mount -o remount,bind,ro aio-dca && sudo -u aio-dca aio-dca fundings cancel f1'",
    [78, 'each of their units needs ReadWritePaths='],
  ],
  // Once more: by root, who replaces the configuration; aio-dca may not, as it is root's.
  [`sudo -u aio-dca aio-dca ${AGAIN}`, [78, 'Do this as root, by `sudo`: `aio-dca init`']],
  [`sudo aio-dca ${AGAIN}`, [0, 'for the user aio-dca']],
  // Where contrib/install.sh was not run.
  [
    `sudo aio-dca --config /none/config.toml ${AGAIN}`,
    [78, '`sudo sh /usr/local/lib/node_modules/aio-dca-bridge/contrib/install.sh` makes'],
  ],
  ["sudo stat -c '%a %U %G' /etc/aio-dca/config.toml", [0, '640 root aio-dca']],
  // What the units name as their documentation.
  ['test -r /usr/local/share/doc/aio-dca-bridge/monitoring.md', [0, '']],
  // A tarball has the user who packed it, and so would what root unpacks.
  ['sudo stat -c %U:%G /usr/local/bin', [0, 'root:root']],
  // Files that were made as root.
  ['sudo chown root: /etc/aio-dca/lamassu.password', [0, '']],
  ['sudo -u aio-dca aio-dca doctor', [78, 'sudo chown aio-dca /etc/aio-dca/lamassu.password']],
  ['sudo chown root: /var/lib/aio-dca/ledger.sqlite', [0, '']],
  [
    'sudo -u aio-dca aio-dca status',
    [
      78,
      "belongs to root, and this is aio-dca Give it to aio-dca: `sudo sh -c 'chown aio-dca: /var/lib/aio-dca/ledger.sqlite*'`.",
    ],
  ],
]);

const why = whyNoOwnRoot();
if (why !== undefined) console.warn(`The commands of README.md and docs/upgrading.md are NOT tried: ${why}.`);

describe.skipIf(why !== undefined)(`in a root of its own${why === undefined ? '' : ` (${why})`}`, () => {
  let packed: Packed;
  beforeAll(() => {
    packed = pack();
  });
  afterAll(() => packed.remove());

  test('README leads from nothing to a client who is paid, and docs/upgrading.md on from there', async () => {
    const { typed, files, service, paidSats, afterwards } = await typePages(
      [README, UPGRADING],
      packed.tarball,
      {
        afterwards: [...MISTAKES.keys()],
      },
    );
    expect(notDone(typed)).toEqual([]);
    expect(typed.at(-1)?.command).toMatch(/^sudo systemctl start/);
    expect({ service: service.code, paidSats }).toEqual({ service: 0, paidSats: 363_155 });
    expect(files).toEqual([
      '/etc/aio-dca 1770 root aio-dca',
      '/etc/aio-dca/authorized_keys.line 600 aio-dca aio-dca',
      '/etc/aio-dca/config.toml 640 root aio-dca',
      '/etc/aio-dca/id_ed25519 600 aio-dca aio-dca',
      '/etc/aio-dca/lamassu.password 600 aio-dca aio-dca',
      '/etc/aio-dca/role.sql 600 aio-dca aio-dca',
      '/etc/aio-dca/source.adminkey 600 aio-dca aio-dca',
      '/var/lib/aio-dca 700 aio-dca aio-dca',
      '/var/lib/aio-dca/ledger.sqlite 600 aio-dca aio-dca',
    ]);
    const printed = (part: string) => typed.find(({ command }) => command.includes(part))?.printed ?? '';
    // README shows the commands that init prints, and its last page fits a screen.
    const [first = '', last = ''] = printed('aio-dca init').split('Written into');
    expect(first.replaceAll(/\s+/g, ' ')).toContain('Nothing is written before the last answer');
    const lines = `Written into${last}`.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const page = lines.map((line) => line.trim()).join('\n');
    for (const { command } of typed.filter((one) => one.command.includes('ssh root@')))
      expect(page).toContain(command.replaceAll(/\n */g, '\n'));
    expect(printed('poll --dry-run')).toContain('363,155 sat');
    const said = afterwards.map((one) => ({
      command: one.command,
      code: one.code,
      // A command that is too long for the terminal goes on after a backslash.
      said: one.printed.replaceAll(/( \\)?\s+/g, ' '),
    }));
    expect(said).toEqual(
      [...MISTAKES].map(([command, [code, text]]) => ({
        command,
        code,
        said: expect.stringContaining(text),
      })),
    );
  }, 400_000);
});

test('the file that the documentation installs is the one of this version', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  for (const { path } of [README, INSTALL, UPGRADING]) {
    const named = readFileSync(path, 'utf8').match(/aio-dca-bridge[-@](\d+\.\d+\.\d+)/g) ?? [];
    expect(new Set(named.map((name) => name.replace(/^.*[-@]/, ''))), path).toEqual(new Set([version]));
  }
});
