import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test, vi } from 'vitest';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import { brokenOff, currentRun, startRun } from '../../../src/ledger/runs/lease.ts';
import type { Ledger } from '../../../src/ledger/store/open.ts';
import { plus } from '../../../src/time.ts';
import { now, testClock } from '../../support/clock.ts';
import { forEachLedger } from '../../support/ledgers.ts';
import { nextMoment } from '../../support/payday.ts';

forEachLedger((kind, open) => {
  /** Another process that holds the lease. */
  const holder = async ({ url }: Ledger) => {
    const file = new URL('./lease-child.ts', import.meta.url).pathname;
    const child = spawn(process.execPath, [file, url], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    return child;
  };

  test('while a living process holds the lease, another run is refused with its name', async () => {
    const ledger = await open();
    const child = await holder(ledger);
    await expect(startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' })).rejects.toMatchObject({
      code: 'run/busy',
      kind: 'busy',
      message: expect.stringMatching(new RegExp(`run r1 \\(poll, by the child, process ${child.pid} on `)),
    });
    expect(await currentRun(ledger.db)).toMatchObject({ id: 1n, kind: 'poll', actor: 'the child' });
    expect(await brokenOff(ledger.db)).toBeNull();
  });

  test('a process that was killed is replaced at once, and its run is recorded as died', async () => {
    const ledger = await open();
    const child = await holder(ledger);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await currentRun(ledger.db)).toBeUndefined();
    expect(await brokenOff(ledger.db)).toBe(1n);
    const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' });
    expect(await brokenOff(ledger.db)).toBeNull();
    expect(run.id).toBe(2n);
    const [died] = await ledger.db.selectFrom('runs').selectAll().where('id', '=', 1n).execute();
    expect(died).toMatchObject({ outcome: 'died', summary: null });
    await run.finish('ok', {});
  });

  test('a suspended process is replaced when its lease has expired, not before', async () => {
    const ledger = await open();
    const child = await holder(ledger);
    child.kill('SIGSTOP');
    await expect(startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' })).rejects.toMatchObject({
      code: 'run/busy',
    });
    await ledger.db
      .updateTable('lease')
      .set({ expires_at: plus(now(), -1) })
      .execute();
    await (await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' })).finish('ok', {});
  });

  test('a run that lives renews its lease, three times before it would expire', async () => {
    const clock = testClock();
    const ledger = { ...(await open()), clock };
    const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' });
    const expires = async () =>
      (await ledger.db.selectFrom('lease').select('expires_at').executeTakeFirstOrThrow()).expires_at;
    const first = await expires();
    await nextMoment();
    clock.pass(10_000);
    await vi.waitFor(async () => expect((await expires()) > first).toBe(true), { timeout: 30_000 });
    await run.finish('ok', {});
    expect(clock.waitsInBackground()).toBe(0);
  });

  /** Another owner of the lease that this process took. */
  const own = async (ledger: Ledger, owner: object, more: { expires_at?: string } = {}) => {
    await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' });
    const lease = await ledger.db.selectFrom('lease').select('owner').executeTakeFirstOrThrow();
    const changed = JSON.stringify({ ...JSON.parse(lease.owner), ...owner });
    await ledger.db
      .updateTable('lease')
      .set({ owner: changed, ...more })
      .execute();
  };

  test('a process of this host before it booted is gone, also where its lease ends in a year', async () => {
    const ledger = await open();
    await own(ledger, { boot: 'another boot' }, { expires_at: plus(now(), 365 * 86_400_000) });
    expect(await currentRun(ledger.db)).toBeUndefined();
    await expect(startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' })).resolves.toMatchObject({
      id: 2n,
    });
  });

  test('a lease that ends in a year ends 30 seconds after it was seen, unless its owner lives and renews it', async () => {
    const ledger = await open();
    await own(ledger, { pidNamespace: 'pid:[1]' }, { expires_at: plus(now(), 365 * 86_400_000) });
    const expires = async () =>
      (await ledger.db.selectFrom('lease').select('expires_at').executeTakeFirstOrThrow()).expires_at;
    await expect(startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' })).rejects.toMatchObject({
      code: 'run/busy',
    });
    const shortened = await expires();
    expect(shortened < plus(now(), 31_000)).toBe(true);
    expect(shortened > plus(now(), 20_000)).toBe(true);
    // Seeing it again does not extend it.
    await expect(startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' })).rejects.toMatchObject({
      code: 'run/busy',
    });
    expect(await expires()).toBe(shortened);
  });

  test.each([
    ['on another host', { boot: 'another boot', host: 'elsewhere' }],
    ['on a clone of this host under another name', { boot: 'another boot', host: 'clone' }],
    ['in another container', { pidNamespace: 'pid:[1]', pid: 999_999_999 }],
  ])(
    'whether a process %s lives cannot be told: it is replaced when the lease has expired',
    async (_name, owner) => {
      const ledger = await open();
      await own(ledger, owner);
      // One host uses a file, so a process that wrote to it before the boot is gone.
      if (kind === 'sqlite' && 'boot' in owner) {
        await expect(startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' })).resolves.toMatchObject({
          id: 2n,
        });
        return;
      }
      await expect(startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' })).rejects.toMatchObject({
        code: 'run/busy',
      });
      await ledger.db
        .updateTable('lease')
        .set({ expires_at: plus(now(), -1) })
        .execute();
      await expect(startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' })).resolves.toMatchObject({
        id: 2n,
      });
    },
  );

  test('a process that has the pid of a dead one is not taken for it', async () => {
    const ledger = await open();
    await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' });
    const lease = await ledger.db.selectFrom('lease').select('owner').executeTakeFirstOrThrow();
    await ledger.db
      .updateTable('lease')
      .set({ owner: JSON.stringify({ ...JSON.parse(lease.owner), started: '1' }) })
      .execute();
    await expect(startRun(ledger, 'poll', { principal: OPERATOR, actor: 'me' })).resolves.toMatchObject({
      id: 2n,
    });
  });

  test('a run that was replaced writes nothing, and ends without undoing the other', async () => {
    const ledger = await open();
    const slow = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'slow' });
    await ledger.db
      .updateTable('lease')
      .set({ expires_at: plus(now(), -1) })
      .execute();
    const other = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'other' });
    const late = slow.write((trx) =>
      trx.insertInto('currencies').values({ code: 'USD', digits: 2n }).execute(),
    );
    await expect(late).rejects.toMatchObject({ code: 'run/lost-lease', kind: 'unavailable' });
    await expect(slow.finish('ok', {})).rejects.toMatchObject({ code: 'run/lost-lease' });
    expect(await ledger.db.selectFrom('currencies').selectAll().execute()).toEqual([]);
    expect(await other.write(async () => 'goes on')).toBe('goes on');
    await other.finish('ok', {});
    expect(await currentRun(ledger.db)).toBeUndefined();
  });
});
