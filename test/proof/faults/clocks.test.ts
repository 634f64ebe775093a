import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { hostOff, setLamassuClock, setLedgerClock } from '../../support/clocks.ts';
import type { RunOptions } from '../../support/command.ts';
import { insertAction } from '../../support/lamassu.ts';
import { type LedgerKind, ledgerKinds } from '../../support/ledgers.ts';
import { startWorld, type World } from '../../support/world.ts';
import { draws } from '../rows/draws.ts';
import { long, seed } from '../seed.ts';

/*
 * Each of three clocks (Lamassu's, this host's, that of the ledger's server) is wrong: ahead or behind, by minutes,
 * six hours or a year, for a moment or for good, also across a boot, at each command whose time counts and at each run.
 * A client is always due all of the principal: by floor(4000.00 / 826091.28 × 10^8) 484,207 sat of each cash-out.
 * Whatever is done under a wrong clock either is right, or is refused, or `status` says so, exits 2 and names a
 * command; and once that was given, the client has every sat.
 */

vi.setConfig({ maxConcurrency: 4, testTimeout: 240_000 });

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const PRINCIPAL = 484_207n;

const sizes: [string, number][] = [
  // More than a minute also when all the commands of a test were slow.
  ['minutes', 3 * MINUTE],
  ['six hours', 6 * HOUR],
  ['a year', 365 * 24 * HOUR],
];
const shifts = sizes.flatMap(([size, ms]): [string, number][] => [
  [`${size} ahead`, ms],
  [`${size} behind`, -ms],
]);
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();

/** In the short form some of the cells, by the seed; each of them is on one of the ledgers. */
function cells<T>(all: T[], least: number): T[] {
  if (long) return all;
  const draw = draws(seed);
  const left = [...all];
  const chosen: T[] = [];
  while (chosen.length < least && left.length > 0)
    chosen.push(...left.splice(draw.int(0, left.length - 1), 1));
  return chosen;
}

async function withWorld(ledger: LedgerKind, work: (world: World) => Promise<void>): Promise<void> {
  const world = await startWorld({ tunnel: 'direct', ledger });
  try {
    await world.must(['migrate']);
    await work(world);
    const verified = await world.aioDca(['verify']);
    expect(verified.code, verified.stdout).toBe(0);
  } finally {
    await world.stop();
  }
}

interface Status {
  clock: { entries: { subject: string; way_out: string }[] };
  attention: Record<string, number | boolean>;
}

async function status(world: World, options?: RunOptions): Promise<{ code: number | null; said: Status }> {
  const ran = await world.aioDca(['status', '--json'], options);
  return { code: ran.code, said: ran.json<Status>() };
}

/** Corrects what `status` names, by the command that it names, with the real time of the entry. */
async function putRight(world: World, at: string): Promise<number> {
  const { code, said } = await status(world);
  const { entries } = said.clock;
  if (entries.length > 0) expect(code).toBe(2);
  for (const { way_out: command } of entries) {
    const args = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
    await world.must([
      ...args.slice(1).map((arg) => (arg === '…' ? at : arg)),
      '--reason',
      'the clock was wrong',
    ]);
  }
  return entries.length;
}

/** Settles what is in review for its time, by the time that it really had; and runs until nothing is left. */
async function settleAll(world: World, at: string): Promise<void> {
  const list = await world.must(['review', 'list', '--json']);
  for (const { id, reason, state } of list.json<{ id: string; reason: string; state: string }[]>()) {
    if (state !== 'open') continue;
    const dismissed = ['review', 'dismiss', id, '--reason', 'a clock of Lamassu was wrong'];
    const settled = ['settle', id, '--at', at, '--reason', 'a clock of Lamassu was wrong', '--yes'];
    if (reason === 'clock') continue;
    await world.must(reason === 'changed' ? dismissed : settled);
  }
  await world.aioDca(['poll']);
  const last = await world.aioDca(['poll', '--json']);
  expect(last.code, last.stdout).toBe(0);
}

const all = (boots: (string | undefined)[]) =>
  ledgerKinds.flatMap((ledger) =>
    shifts.flatMap(([clock, ms]) =>
      boots.map((boot) => ({ ledger, clock, ms, boot, booted: boot ? 'another boot' : 'the same boot' })),
    ),
  );

const other = '22222222-2222-2222-2222-222222222222';
/** That a server's host has booted since is known where its system has an id. */
const boots = existsSync('/etc/machine-id') ? [undefined, other] : [undefined];

test.concurrent.each(cells(all([undefined, other]), 3))(
  'cash is entered before any run by a host $clock ($booted, $ledger): no client loses a sat',
  async ({ ledger, ms, boot }) => {
    await withWorld(ledger, async (world) => {
      const alice = await world.addClient('alice');
      const entered = ago(0);
      const off = hostOff(ms, boot);
      const cash = ['fundings', 'add', 'alice', '60000 GTQ', '--any-machine', '--deposited'];
      const refused = ledger === 'postgresql';
      const ran = await world.aioDca(cash, off);
      expect([ran.code, ran.stderr.includes('clock/differs')], ran.stderr).toEqual([
        refused ? 2 : 0,
        refused,
      ]);
      if (refused) await world.must([...cash, '--at', entered], off);
      await world.must(['clients', 'add', 'carol', '--wallet-key-file', await key(world, 'carol')], off);
      await world.insertCashOut({ confirmed_at: ago(-200), created: ago(0) });
      await until(world);
      const first = await world.aioDca(['poll', '--json']);
      const named = await putRight(world, entered);
      // An entry ahead of now is always found; one behind, only if the host has not booted since.
      const found = !refused && (ms > 0 || boot === undefined);
      expect([first.code, named], first.stdout).toEqual(found ? [2, 1] : [0, 0]);
      await settleAll(world, ago(0));
      expect(await world.balance(alice)).toBe(PRINCIPAL);
      expect((await status(world)).code).toBe(0);
    });
  },
);

test.concurrent.each(cells(all([undefined, other]), 2))(
  'after a run each command whose time counts is refused by a host $clock, or says it later ($booted, $ledger)',
  async ({ ledger, ms, boot }) => {
    await withWorld(ledger, async (world) => {
      const alice = await world.addClient('alice', ['--daily-limit', '500 GTQ']);
      await world.addCommission('owner');
      await world.addFunding('alice', '60000 GTQ');
      await world.must(['fundings', 'add', 'alice', '100 GTQ', '--any-machine']);
      await world.insertCashOut({ device_id: 'machine-1' });
      await world.must(['poll']);
      const commands = [
        ['fundings', 'add', 'alice', '200 GTQ', '--any-machine', '--deposited'],
        ['fundings', 'confirm', 'f2'],
        ['clients', 'pause', 'alice'],
        ['clients', 'set', 'alice', '--mode', 'fixed'],
        ['clients', 'set', 'alice', '--daily-limit', '400 GTQ'],
        ['machines', 'set', 'machine-1', '--commission-rate', '1%'],
        ['commission', 'set', 'owner', '--weight', '7'],
        ['commission', 'add', 'shop', '--weight', '3', '--wallet-key-file', await key(world, 'shop')],
        ['commission', 'remove', 'owner'],
      ];
      // Without a count since the last run and without a server, only a clock that is behind contradicts what there is.
      const known = boot === undefined || ms < 0 || ledger === 'postgresql';
      const off = hostOff(ms, boot);
      for (const command of known ? commands : commands.slice(0, 3)) {
        const ran = await world.aioDca([...command, '--json'], off);
        const said = `${command.join(' ')}: ${ran.stdout}${ran.stderr}`;
        if (known) expect([ran.code, ran.stdout.includes('clock/differs')], said).toEqual([2, true]);
        else expect(ran.code, said).toBe(0);
      }
      if (known) expect((await status(world, off)).said.attention.clock).toBe(1);
      const entered = ago(0);
      if (known) {
        // An entry with its time is accepted by any clock.
        const stated = ['fundings', 'confirm', 'f2', '--at', ago(1_000), '--no-past'];
        await world.must(stated, off);
      }
      await world.insertCashOut({ confirmed_at: ago(0), created: ago(100), device_id: 'machine-1' });
      await world.aioDca(['poll']);
      const named = await putRight(world, entered);
      expect(named).toBe(known ? 0 : 3);
      if (!known) await world.must(['clients', 'resume', 'alice']);
      await settleAll(world, ago(0));
      // Paused from then on, the client has no part in what came later.
      expect(await world.balance(alice)).toBe(known ? 2n * PRINCIPAL : PRINCIPAL);
    });
  },
);

const lamassu = ledgerKinds.flatMap((ledger) =>
  shifts.flatMap(([clock, ms]) =>
    (['a run in between', 'no run in between', 'for good'] as const).map((how) => ({
      ledger,
      clock,
      ms,
      how,
    })),
  ),
);

test.concurrent.each(cells(lamassu, 4))(
  "Lamassu's clock is $clock when somebody sells, $how ($ledger): nobody loses a sat",
  async ({ ledger, ms, how }) => {
    await withWorld(ledger, async (world) => {
      const alice = await world.addClient('alice');
      await world.addFunding('alice', '60000 GTQ', { at: ago(3 * HOUR) });
      await insertAction(world.lamassu, {
        tx_id: await world.insertCashOut({ confirmed_at: ago(2 * HOUR) }),
      });
      await world.must(['poll']);
      await setLamassuClock(world, ms);
      const stamped = ago(-ms + 500);
      const id = await world.insertCashOut({ confirmed_at: stamped, created: stamped });
      await insertAction(world.lamassu, { tx_id: id, created: stamped });
      if (how !== 'no run in between') {
        const ran = await world.aioDca(['poll', '--json']);
        expect([ran.code, ran.stdout.includes('clock/differs')], ran.stdout).toEqual([2, true]);
        // Beside the clock itself, cash counts as entered ahead of a Lamassu that is behind.
        expect((await status(world)).said.attention.clock).toBeGreaterThanOrEqual(1);
      }
      if (how === 'for good') {
        const refused = await world.aioDca([
          'fundings',
          'add',
          'alice',
          '1 GTQ',
          '--any-machine',
          '--deposited',
        ]);
        expect([refused.code, refused.stderr.includes('clock/differs')]).toEqual([2, true]);
        await world.aioDca(['poll']);
      }
      await setLamassuClock(world, 0);
      await world.aioDca(['poll']);
      await settleAll(world, ago(HOUR));
      expect(await world.balance(alice)).toBe(2n * PRINCIPAL);
      expect((await status(world)).code).toBe(0);
    });
  },
);

test.concurrent.each(
  cells(
    shifts.flatMap(([clock, ms]) =>
      boots.map((boot) => ({ clock, ms, boot, booted: boot ? 'another boot' : 'the same boot' })),
    ),
    1,
  ),
)(
  "the clock of the ledger's server is $clock during a run that is killed ($booted)",
  async ({ ms, boot }) => {
    await withWorld('postgresql', async (world) => {
      const alice = await world.addClient('alice');
      await world.addFunding('alice', '60000 GTQ');
      await world.insertCashOut();
      await setLedgerClock(world.ledgerUrl, ms);
      const command = world.start(['poll']);
      world.simulator().onRequest = ({ kind }) => {
        if (kind === 'version') command.child.kill('SIGKILL');
        return undefined;
      };
      await command.ended;
      world.simulator().onRequest = undefined;
      const off = await world.aioDca(['poll', '--json'], boot === undefined ? {} : hostOff(0, boot));
      expect([off.code, off.stdout.includes("the clock of the ledger's PostgreSQL")], off.stdout).toEqual([
        2,
        true,
      ]);
      await setLedgerClock(world.ledgerUrl, 0);
      await world.must(['poll']);
      expect(await world.balance(alice)).toBe(PRINCIPAL);
      expect((await status(world)).code).toBe(0);
    });
  },
);

test.concurrent.each(cells(all(boots), 2))(
  'a run by a host $clock is killed, and the clock is right again ($booted, $ledger): the next one finishes it',
  async ({ ledger, ms, boot }) => {
    await withWorld(ledger, async (world) => {
      const alice = await world.addClient('alice');
      await world.addFunding('alice', '60000 GTQ');
      await world.insertCashOut();
      await world.aioDca(['poll'], hostOff(ms));
      await world.insertCashOut();
      const command = world.start(['poll'], hostOff(ms));
      world.simulator().onRequest = ({ kind }) => {
        if (kind === 'version') command.child.kill('SIGKILL');
        return undefined;
      };
      await command.ended;
      world.simulator().onRequest = undefined;
      const before = await status(world);
      if (Math.abs(ms) > 3 * HOUR) expect(before.said.attention.stale).toBe(true);
      const ran = await world.aioDca(['poll', '--json'], boot === undefined ? {} : hostOff(0, boot));
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
      expect(await world.balance(alice)).toBe(2n * PRINCIPAL);
      expect((await status(world)).code).toBe(0);
    });
  },
);

/** A file with the invoice key of a new wallet. */
async function key(world: World, name: string): Promise<string> {
  const { inkey } = await world.lnbits.createUserWallet(name);
  const file = `${world.folder}/${name}.invoicekey`;
  await writeFile(file, `${inkey}\n`, { mode: 0o600 });
  return file;
}

/** Until Lamassu's clock has come to what was inserted. */
async function until(world: World): Promise<void> {
  const come = async () => {
    const [row] = await world.lamassu.query('select max(confirmed_at) <= now() as come from cash_out_txs');
    expect(row?.come).toBe(true);
  };
  await vi.waitFor(come, { timeout: 30_000 });
}
