import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import type { Ran } from '../../support/command.ts';
import { MACHINE } from '../../support/lamassu.ts';
import { startWorld, type World } from '../../support/world.ts';
import { long } from '../seed.ts';

/*
 * A disk that is full, and one that accepts no writes. Both are mounted for the purpose, which only root may do:
 * elsewhere, and where mounting is forbidden, these tests are skipped.
 */

const mounts =
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
const KIB = 1024;
/** Room for SQLite's own files that a small ledger needs, and some. */
const SIZE_KIB = 4_096;

/** A disk of its own, and the installation with its ledger on it. */
async function onSmallDisk(): Promise<{ world: World; disk: string }> {
  const world = await startWorld({ tunnel: 'direct', sats: 50_000_000n });
  const disk = join(world.folder, 'disk');
  onTestFinished(async () => {
    spawnSync('umount', ['-l', disk]);
    await world.stop();
  });
  await world.must(['migrate']);
  await world.addClient('alice');
  await world.addFunding('alice', '300000 GTQ');
  await world.insertCashOut();
  await world.must(['poll']);
  mkdirSync(disk);
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_KIB}k`, 'tmpfs', disk]).status).toBe(0);
  const file = join(disk, 'ledger.sqlite');
  copyFileSync(world.ledgerUrl.slice('sqlite:'.length), file);
  chmodSync(file, 0o600);
  const toml = readFileSync(world.configFile, 'utf8');
  writeFileSync(world.configFile, toml.replace('"sqlite:ledger.sqlite"', `"sqlite:${file}"`));
  return { world, disk };
}

/** Leaves so much room; answers how to make room again. */
function fill(disk: string, leftKib: number): () => void {
  const { bavail, bsize } = statfsSync(disk);
  const file = join(disk, 'fill');
  writeFileSync(file, Buffer.alloc(Math.max(0, bavail * bsize - leftKib * KIB)));
  return () => rmSync(file);
}

/** Either done, or reported as what it is: never a defect, never a stack trace, and naming the disk. */
function expectTold(what: string, { code, stdout, stderr }: Ran): void {
  const said = `${what} (exit ${code}):\n${stdout}${stderr}`;
  expect([0, 2, 75], said).toContain(code);
  expect(said).not.toMatch(/internal\/defect|not-allocated|^ +at /m);
  if (code === 75)
    expect(said).toMatch(/(ledger\/unreachable|output\/unwritable|init\/unwritable).*(full|ENOSPC)/);
}

const levels = long ? [0, 8, 20, 40, 60, 90, 120, 140, 160, 190, 250] : [0, 20, 60, 120];

test.runIf(mounts)(
  'every command reports a full disk as one; once there is room, each sat is paid once',
  { timeout: 300_000 },
  async () => {
    const { world, disk } = await onSmallDisk();
    const alice = world.wallets.get('alice');
    if (!alice) throw new Error('no wallet of alice');
    let failed = 0;
    for (const [index, level] of levels.entries()) {
      await world.insertCashOut();
      let room = fill(disk, level);
      const poll = await world.aioDca(['poll']);
      expectTold(`poll with ${level} KiB left`, poll);
      if (poll.code === 75) {
        failed += 1;
        // The operator learns of failed writes before the ledger counts as stale. On a disk without any room not even
        // reading is possible, because SQLite needs files for it.
        const status = await world.aioDca(['status']);
        expectTold(`status with ${level} KiB left`, status);
        if (status.stdout.includes('broke off')) expect(status.code).toBe(2);
      }
      const other = join(world.folder, `key${index}`);
      writeFileSync(other, (await world.lnbits.createUserWallet(`bob${index}`)).inkey, { mode: 0o600 });
      const commands = [
        ['fundings', 'add', 'alice', '100 GTQ', '--any-machine'],
        ['clients', 'add', `bob${index}`, '--wallet-key-file', other],
        [
          ...[
            'settle',
            '--external',
            `slip-${index}`,
            '--fiat',
            '100 GTQ',
            '--gross',
            '1000 sat',
            '--commission',
            '50 sat',
          ],
          ...['--machine', MACHINE, '--at', new Date().toISOString(), '--reason', 'by hand', '--yes'],
        ],
        ['backup', join(disk, `copy-${index}.sqlite`)],
        ['export', 'cash-outs', '--output', join(disk, `cash-outs-${index}.csv`)],
        ['payouts', 'pause', '--reason', 'the disk'],
        ['payouts', 'resume'],
      ];
      for (const command of long || index % 2 === 0 ? commands : []) {
        room();
        room = fill(disk, level);
        expectTold(`${command.slice(0, 2).join(' ')} with ${level} KiB left`, await world.aioDca(command));
      }
      room();
      for (const name of [`copy-${index}.sqlite`, `cash-outs-${index}.csv`])
        rmSync(join(disk, name), { force: true });
      await world.aioDca(['payouts', 'resume']);
      const again = await world.aioDca(['poll']);
      expect([0, 2], again.stdout + again.stderr).toContain(again.code);
    }
    expect(failed, 'the disk was never full').toBeGreaterThan(1);
    const { totals } = (await world.aioDca(['status', '--json'])).json<{
      totals: { net_sats: number; settled_sats: number; cash_outs: number };
    }>();
    expect(totals.settled_sats).toBe(totals.net_sats);
    expect(await world.balance(alice)).toBe(BigInt(totals.net_sats));
    await world.must(['verify']);
    await world.must(['reconcile']);
    const reviews = (await world.aioDca(['review', 'list', '--json'])).stdout;
    expect(reviews).not.toContain('not-allocated');
  },
);

test.runIf(mounts)(
  'a disk that becomes read-only is 78 with those words; writable again, the next run goes on',
  { timeout: 120_000 },
  async () => {
    const { world, disk } = await onSmallDisk();
    await world.insertCashOut();
    for (const command of [
      ['poll'],
      ['payouts', 'pause', '--reason', 'x'],
      ['backup', join(disk, 'copy.sqlite')],
    ]) {
      expect(spawnSync('mount', ['-o', 'remount,ro', disk]).status).toBe(0);
      const ran = await world.aioDca(command);
      expect(ran, ran.stdout + ran.stderr).toMatchObject({ code: 78 });
      expect(ran.stderr).toMatch(/ledger\/unusable.*read-?only/is);
      expect(spawnSync('mount', ['-o', 'remount,rw', disk]).status).toBe(0);
    }
    await world.must(['poll']);
    await world.must(['verify']);
  },
);

test('a ledger on a server that takes no changes is 75 with those words; after it, each sat is paid once', async () => {
  const world = await startWorld({ tunnel: 'direct', ledger: 'postgresql' });
  onTestFinished(() => world.stop());
  await world.must(['migrate']);
  const alice = await world.addClient('alice');
  await world.addFunding('alice', '3000 GTQ');
  await world.insertCashOut();
  const server = new pg.Client(world.ledgerUrl);
  await server.connect();
  onTestFinished(() => server.end());
  const name = pg.escapeIdentifier(new URL(world.ledgerUrl).pathname.slice(1));
  await server.query(`alter database ${name} set default_transaction_read_only = on`);
  for (const command of [['poll'], ['payouts', 'pause', '--reason', 'x']]) {
    const ran = await world.aioDca(command);
    expect(ran, ran.stderr).toMatchObject({ code: 75 });
    expect(ran.stderr).toMatch(/^ledger\/read-only: .*read-only transaction \(SQLSTATE 25006\)/);
  }
  await server.query(`alter database ${name} reset default_transaction_read_only`);
  await world.must(['poll']);
  expect(await world.balance(alice)).toBeGreaterThan(0n);
  await world.must(['verify']);
});
