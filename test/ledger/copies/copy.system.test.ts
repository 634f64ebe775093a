import { copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { backupLedger } from '../../../src/ledger/copies/backup.ts';
import { copyLedger } from '../../../src/ledger/copies/copy.ts';
import { creditsIn, dropCredit } from '../../../src/ledger/credits/credits.ts';
import { intendCredits } from '../../../src/ledger/credits/plan.ts';
import { OPERATOR, record } from '../../../src/ledger/log/log.ts';
import { startRun } from '../../../src/ledger/runs/lease.ts';
import { type Ledger, openLedger } from '../../../src/ledger/store/open.ts';
import { tablePages, tables } from '../../../src/ledger/store/tables.ts';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { systemClock } from '../../../src/time.ts';
import { bootless, now } from '../../support/clock.ts';
import { startCommand } from '../../support/command.ts';
import { freshLedger, freshLedgerUrl, type LedgerKind, ledgerKinds } from '../../support/ledgers.ts';
import { type Payday, payday } from '../../support/payday.ts';

const who = { principal: OPERATOR, actor: 'test', run: null, clock: systemClock };

/** A ledger with something in most tables. */
async function usedLedger(): Promise<Payday> {
  const day = await payday();
  onTestFinished(() => day.stop());
  await day.addClient('alice');
  await day.addClient('bob');
  await day.addCommission('owner', 2n);
  for (const name of ['alice', 'bob', 'alice']) await day.owe(name, 12_345n);
  await day.payNow();
  await day.owe('bob', 777n, 23n);
  await day.ledger.write(async (trx) => {
    const who = { principal: OPERATOR, actor: 'test', run: null, clock: bootless };
    for (const dropped of [true, false]) {
      await intendCredits(trx, { ...who, at: now() }, { wallet: day.source.id, largest: 500n });
      for (const credit of dropped ? await creditsIn(trx, ['intended']) : [])
        await dropCredit(trx, { ...who, at: now() }, credit, 'LNbits gave no answer');
    }
    await trx.insertInto('machines').values({ device_id: 'a-new-one', first_seen: now() }).execute();
    await trx
      .updateTable('machines')
      .set({ replaced_by: 'bob' })
      .where('device_id', '=', 'a-new-one')
      .execute();
    await record(
      trx,
      { principal: OPERATOR, actor: 'test', run: null, clock: bootless, at: now() },
      { action: 'test', subject: 'ñ 🎉', after: { big: 2n ** 62n } },
    );
  });
  return day;
}

const rowsOf = async ({ db }: Ledger) =>
  Object.fromEntries(
    await Promise.all(
      tables.map(
        async (table) => [table.name, (await Array.fromAsync(tablePages(db, table))).flat()] as const,
      ),
    ),
  );

const opened = async (url: string) => {
  const ledger = await openLedger({ clock: systemClock, url, use: 'write' });
  onTestFinished(() => ledger.close());
  return ledger;
};

test.each(ledgerKinds)(
  'every table of a ledger in %s is copied, after those that it refers to',
  async (kind) => {
    const { db } = await freshLedger(kind);
    const { rows } = await (kind === 'sqlite'
      ? sql<{ name: string }>`select name from sqlite_master where type = 'table'`
      : sql<{
          name: string;
        }>`select table_name as name from information_schema.tables where table_schema = current_schema()`
    ).execute(db);
    const left = rows
      .map(({ name }) => name)
      .filter((name) => !/^(kysely_|sqlite_|ledger$|lease$)/.test(name));
    expect(tables.map(({ name }) => name).toSorted()).toEqual(left.toSorted());
  },
);

describe.each(ledgerKinds)('to %s', (kind: LedgerKind) => {
  test('and back: every row is the same, ids count on, and the old ledger is out of use', async () => {
    const { ledger } = await usedLedger();
    const before = await rowsOf(ledger);
    const url = await freshLedgerUrl(kind);
    const moved = await copyLedger({ url: ledger.url }, { url }, who);
    expect(moved).toMatchObject({ id: ledger.id, url, rows: { cash_outs: 4, payouts: 2, allocations: 4 } });

    // A process that had it open all the time can no longer write to it either.
    await expect(ledger.write(async () => 'written')).rejects.toMatchObject({ code: 'ledger/retired' });
    await expect(openLedger({ clock: systemClock, url: ledger.url, use: 'read' })).rejects.toMatchObject({
      code: 'ledger/retired',
      kind: 'misconfigured',
      hint: expect.stringContaining(url),
    });
    const there = await opened(url);
    const after = await rowsOf(there);
    const added = (name: string) => after[name]?.slice(before[name]?.length);
    expect(added('runs')).toMatchObject([{ kind: 'ledger copy', outcome: 'ok' }]);
    expect(added('log')).toMatchObject([{ action: 'ledger copy', actor: 'test' }]);
    for (const { name } of tables) expect(after[name]?.slice(0, before[name]?.length)).toEqual(before[name]);
    expect(await verifyLedger(there)).toMatchObject({ ok: true });

    const again = await freshLedgerUrl('sqlite');
    await copyLedger({ url }, { url: again }, who);
    const back = await opened(again);
    expect((await rowsOf(back)).payments).toEqual(before.payments);
    await back.write((trx) =>
      record(
        trx,
        { principal: OPERATOR, actor: 'test', run: null, clock: bootless, at: now() },
        { action: 'test', subject: 'last' },
      ),
    );
    expect(await verifyLedger(back)).toMatchObject({ ok: true });
    if (kind === 'sqlite') expect(statSync(url.slice('sqlite:'.length)).mode & 0o777).toBe(0o600);
  });

  test('a place that is not empty is refused, and nothing changes', async () => {
    const { ledger } = await usedLedger();
    const other = await freshLedger(kind);
    await other.write((trx) => trx.insertInto('currencies').values({ code: 'USD', digits: 2n }).execute());
    await expect(copyLedger({ url: ledger.url }, { url: other.url }, who)).rejects.toMatchObject({
      code: 'usage/invalid',
    });
    await expect(copyLedger({ url: ledger.url }, { url: ledger.url }, who)).rejects.toMatchObject({
      code: 'usage/invalid',
    });
    expect((await opened(ledger.url)).id).toBe(ledger.id);
    expect((await opened(other.url)).id).toBe(other.id);
  });

  test('a copy that differs is not put into use', async () => {
    const { ledger } = await usedLedger();
    const url = await freshLedgerUrl(kind);
    const target = await openLedger({ clock: systemClock, url, use: 'move' });
    const meddle =
      kind === 'sqlite'
        ? [`create trigger meddle after insert on wallets begin update wallets set invoice_key = 'x'; end`]
        : [
            `create function meddle() returns trigger language plpgsql as
             $$ begin new.invoice_key = 'x'; return new; end $$`,
            'create trigger meddle before insert on wallets for each row execute function meddle()',
          ];
    for (const text of meddle) await sql.raw(text).execute(target.db);
    await expect(copyLedger({ url: ledger.url }, { url }, who)).rejects.toMatchObject({
      code: 'ledger/copy-differs',
      message: expect.stringContaining('wallets'),
    });
    expect((await opened(ledger.url)).id).toBe(ledger.id);
    await expect(openLedger({ clock: systemClock, url, use: 'write' })).rejects.toMatchObject({
      code: 'ledger/unfinished',
      kind: 'misconfigured',
    });

    // The same command begins again over what was left.
    if (kind === 'postgresql') await sql`drop trigger meddle on wallets`.execute(target.db);
    await target.close();
    await copyLedger({ url: ledger.url }, { url }, who);
    expect((await opened(url)).id).toBe(ledger.id);
  });

  test('books that do not balance are moved as they are, and reported', async () => {
    const { ledger } = await usedLedger();
    await ledger.db
      .insertInto('runs')
      .values({ id: 99n, kind: 'poll', actor: 'x', started_at: now() })
      .execute();
    const { verification } = await copyLedger({ url: ledger.url }, { url: await freshLedgerUrl(kind) }, who);
    expect(verification.differences.map(({ code }) => code)).toEqual(['run/open']);
  });
});

test('a run that is going on is not disturbed', async () => {
  const { ledger } = await usedLedger();
  const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'the timer' });
  const url = await freshLedgerUrl('sqlite');
  await expect(copyLedger({ url: ledger.url }, { url }, who)).rejects.toMatchObject({
    code: 'run/busy',
  });
  await run.finish('ok', null);
  await copyLedger({ url: ledger.url }, { url }, who);
});

describe('killed at any commit', { timeout: 120_000 }, () => {
  const preload = new URL('../../support/kill-at-commit.mjs', import.meta.url).href;

  /** An installation of its own with a copy of that ledger, and the command that moves it. */
  async function installation(day: Payday, template: string, to: string) {
    const folder = mkdtempSync(join(tmpdir(), 'aio-dca-copy-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    copyFileSync(day.config.file, join(folder, 'config.toml'));
    copyFileSync(template, join(folder, 'ledger.sqlite'));
    const args = ['--config', join(folder, 'config.toml'), 'ledger', 'copy', '--to', to, '--yes', '--json'];
    const move = (kill = '', more: string[] = []) =>
      startCommand([...args, ...more], { node: ['--import', preload], env: { KILL_AT_COMMIT: kill } }).ended;
    return { folder, move, from: `sqlite:${join(folder, 'ledger.sqlite')}` };
  }

  const isUsable = async (url: string) => {
    const ledger = await openLedger({ clock: systemClock, url, use: 'write' }).catch(() => undefined);
    const used = ledger && (await ledger.db.selectFrom('cash_outs').select('id').execute()).length > 0;
    await ledger?.close();
    return used ?? false;
  };

  async function templateOf(day: Payday): Promise<string> {
    const file = join(day.config.file, '..', 'template.sqlite');
    await backupLedger(day.ledger, file);
    return file;
  }

  test.each(['before', 'after'])(
    '%s it: both are never in use, and the same command finishes it',
    async (phase) => {
      const day = await usedLedger();
      const template = await templateOf(day);
      let n = 1;
      for (; n < 20; n += 1) {
        const { folder, move, from } = await installation(day, template, 'sqlite:new.sqlite');
        const to = `sqlite:${join(folder, 'new.sqlite')}`;
        const killed = await move(`${phase}:${n}`);
        if (killed.signal === null) break;
        const usable = [await isUsable(from), await isUsable(to)];
        expect(usable, `killed ${phase} commit ${n}`).not.toEqual([true, true]);
        const ended = await move();
        expect([ended.code, await isUsable(from), await isUsable(to)], `killed ${phase} commit ${n}`).toEqual(
          [0, false, true],
        );
      }
      expect(n).toBeGreaterThan(5);
    },
  );

  test.each(['before:2', 'after:2'])('of the old one (%s), with the new one on PostgreSQL', async (point) => {
    const day = await usedLedger();
    const to = await freshLedgerUrl('postgresql');
    const { move, from, folder } = await installation(
      day,
      await templateOf(day),
      new URL(to).href.replace(/:[^:@/]*@/, '@'),
    );
    writeFileSync(join(folder, 'password'), new URL(to).password);
    const password = ['--to-password-file', join(folder, 'password')];
    expect((await move(point, password)).signal).toBe('SIGKILL');
    expect([await isUsable(from), await isUsable(to)]).toEqual([point === 'before:2', false]);
    expect(await move('', password)).toMatchObject({ code: 0 });
    expect([await isUsable(from), await isUsable(to)]).toEqual([false, true]);
    expect(await verifyLedger(await opened(to))).toMatchObject({ ok: true });
  });
});
