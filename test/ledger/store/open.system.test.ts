import { execFile } from 'node:child_process';
import { chmodSync, chownSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { describe, expect, onTestFinished, test } from 'vitest';
import { migrations } from '../../../migrations/index.ts';
import { type Ledger, type LedgerUse, openLedger } from '../../../src/ledger/store/open.ts';
import { postgresqlDialect } from '../../../src/ledger/store/postgresql.ts';
import type { Schema } from '../../../src/ledger/store/schema.ts';
import { createFile, sqliteDialect } from '../../../src/ledger/store/sqlite.ts';
import { systemClock } from '../../../src/time.ts';
import { forEachLedger, freshLedgerUrl, openAgain } from '../../support/ledgers.ts';

const run = promisify(execFile);
const LIMITS = {
  statement_timeout: 60_000,
  lock_timeout: 30_000,
  idle_in_transaction_session_timeout: 60_000,
};
const latest = Object.keys(migrations).length;

forEachLedger((kind, fresh) => {
  const open = async (url: string, use: LedgerUse): Promise<Ledger> => {
    const ledger = await openLedger({ clock: systemClock, url, use });
    onTestFinished(() => ledger.close());
    return ledger;
  };

  test('only `create` makes a ledger; every other use says where there is none', async () => {
    const url = await freshLedgerUrl(kind);
    for (const use of ['read', 'write'] as const) {
      await expect(openLedger({ clock: systemClock, url, use })).rejects.toMatchObject({
        code: 'ledger/missing',
        kind: 'misconfigured',
      });
    }
    if (kind === 'sqlite') expect(existsSync(url.slice('sqlite:'.length))).toBe(false);
    const ledger = await open(url, 'create');
    expect(ledger.schema).toBe(latest);
    expect((await open(url, 'read')).id).toBe(ledger.id);
    expect((await open(url, 'create')).id).toBe(ledger.id);
  });

  const setting = async (db: Kysely<Schema>, name: string) => {
    const { rows } = await sql<
      Record<string, unknown>
    >`${sql.raw(kind === 'sqlite' ? 'pragma' : 'show')} ${sql.raw(name)}`.execute(db);
    return Object.values(rows[0] ?? {})[0];
  };

  test('a commit is on the disk, even if the server is set not to wait for it', async () => {
    const { db, url } = await fresh();
    if (kind === 'sqlite') {
      expect(await setting(db, 'journal_mode')).toBe('wal');
      expect(await setting(db, 'synchronous')).toBe(2n);
      return;
    }
    const name = sql.id(new URL(url).pathname.slice(1));
    await sql`alter database ${name} set synchronous_commit = off`.execute(db);
    const ledger = await open(url, 'write');
    expect(await setting(ledger.db, 'synchronous_commit')).toBe('off');
    expect(await ledger.write((trx) => setting(trx, 'synchronous_commit'))).toBe('on');
  });

  test('waiting for another process, and idling in a transaction, both have a limit', async () => {
    const { db } = await fresh();
    if (kind === 'sqlite') {
      expect(await setting(db, 'busy_timeout')).toBe(10_000n);
      return;
    }
    expect(await setting(db, 'lock_timeout')).toBe('30s');
    expect(await setting(db, 'idle_in_transaction_session_timeout')).toBe('1min');
  });

  test('several processes that create it at once make one ledger', async () => {
    const url = await freshLedgerUrl(kind);
    const child = new URL('./migrate-child.ts', import.meta.url).pathname;
    const made = await Promise.all([1, 2, 3].map(() => run(process.execPath, [child, url])));
    const ids = made.map(({ stdout }) => stdout);
    expect(new Set(ids).size).toBe(1);
    expect((await open(url, 'read')).id).toBe(ids[0]);
  });

  test('a ledger that a newer version used is refused', async () => {
    const { db, url } = await fresh();
    await sql`insert into kysely_migration (name, timestamp) values ('9999-later', '2030')`.execute(db);
    await expect(openLedger({ clock: systemClock, url, use: 'read' })).rejects.toMatchObject({
      code: 'ledger/newer',
      kind: 'misconfigured',
    });
    await expect(openLedger({ clock: systemClock, url, use: 'create' })).rejects.toMatchObject({
      code: 'ledger/newer',
    });
  });

  test('a ledger that was moved away is refused, and says where it is', async () => {
    const { db, url } = await fresh();
    await db.updateTable('ledger').set({ retired_to: 'postgresql://elsewhere/ledger' }).execute();
    await expect(openLedger({ clock: systemClock, url, use: 'write' })).rejects.toMatchObject({
      code: 'ledger/retired',
      message: expect.stringContaining('postgresql://elsewhere/ledger'),
    });
  });

  test('an older ledger is upgraded, and what was in it stays', async () => {
    const url = await freshLedgerUrl(kind);
    const first = await firstVersion(url);
    await expect(openLedger({ clock: systemClock, url, use: 'read' })).rejects.toMatchObject({
      code: 'ledger/outdated',
      kind: 'misconfigured',
    });
    if (kind === 'postgresql') {
      // A server is often shared: there only `migrate` changes the schema.
      await expect(openLedger({ clock: systemClock, url, use: 'write' })).rejects.toMatchObject({
        code: 'ledger/outdated',
      });
    }
    const upgraded = await open(url, kind === 'sqlite' ? 'write' : 'create');
    expect(upgraded).toMatchObject({ id: first.id, schema: latest });
    expect(await upgraded.db.selectFrom('currencies').selectAll().execute()).toMatchObject([
      { code: 'GTQ', digits: 2n },
    ]);
    expect(await upgraded.db.selectFrom('voids').selectAll().execute()).toEqual([]);
  });

  test('runs of an older ledger count as successful if they left nothing undone, and its parts are unchanged', async () => {
    const url = await freshLedgerUrl(kind);
    await firstVersion(url, ['north'], async (db) => {
      const at = '2026-01-01T00:00:00.000000Z';
      const polls = [
        ['ok', at],
        ['attention', at],
        ['incomplete', at],
        ['ok', null],
      ] as const;
      for (const [index, [outcome, read_at]] of polls.entries())
        await db
          .insertInto('runs')
          .values({
            ...{ id: BigInt(index + 3), kind: 'poll', actor: 'timer', started_at: at, finished_at: at },
            ...{ outcome, read_at },
          })
          .execute();
      await db.insertInto('wallets').values({ id: 'w', invoice_key: 'k', created_at: at }).execute();
      await db
        .insertInto('recipients')
        .values({ id: 1n, kind: 'client', name: 'alice', wallet_id: 'w', status: 'active', created_at: at })
        .execute();
      await db
        .insertInto('payouts')
        .values({
          ...{ id: 1n, recipient_id: 1n, kind: 'client', sats: 3n, fiat: 1n, currency: 'GTQ' },
          ...{ state: 'planned', created_at: at },
        })
        .execute();
      await db.insertInto('payout_parts').values({ payout_id: 1n, part: 1n, sats: 3n }).execute();
    });
    const { db } = await open(url, 'create');
    const runs = await db.selectFrom('runs').select('succeeded').where('id', '>', 2n).orderBy('id').execute();
    expect(runs.map(({ succeeded }) => succeeded)).toEqual([1n, 1n, 0n, 0n]);
    expect(await db.selectFrom('payout_parts').selectAll().execute()).toEqual([
      { payout_id: 1n, part: 1n, sats: 3n, split: 0n },
    ]);
  });

  test.each([
    [['north'], 'north'],
    [['north', 'south'], null],
  ])('the runs of an older ledger with %j read %s', async (sources, source) => {
    const url = await freshLedgerUrl(kind);
    await firstVersion(url, sources);
    const { db } = await open(url, 'create');
    expect(await db.selectFrom('runs').select(['kind', 'source']).orderBy('id').execute()).toEqual([
      { kind: 'poll', source },
      { kind: 'fixed', source: null },
    ]);
  });

  test('payouts of an older ledger that wait keep what the source wallet lacks for them', async () => {
    const url = await freshLedgerUrl(kind);
    const more =
      'the source wallet holds what is due by what is known, and LNbits wants more, as for a service fee';
    const rows = [
      ['deferred', 'the source wallet holds 5 sat, less than the 9 sat due', 'sats'],
      ['deferred', 'POST /api/v1/payments: LNbits refused: Insufficient balance.', 'sats'],
      ['deferred', `its invoices failed at LNbits: ${more}: LNbits refused: Insufficient balance.`, 'fee'],
      ['unknown', 'the source wallet holds 5 sat, and clients come first: 9 sat are due to them', 'sats'],
      ['deferred', 'LNbits did not answer', null],
      ['deferred', null, null],
      ['held', 'the source wallet holds 5 sat, less than the 9 sat due', null],
    ] as const;
    const fill = async (db: Kysely<Schema>) => {
      await paidAndCredited(db);
      for (const [index, [state, reason]] of rows.entries())
        await db
          .insertInto('payouts')
          .values({
            ...{ id: BigInt(index + 2), recipient_id: 1n, kind: 'client', sats: 9n, fiat: 1n },
            ...{ currency: 'GTQ', state, reason, created_at: '2026-01-01T00:00:00.000000Z' },
          })
          .execute();
    };
    await firstVersion(url, ['lamassu'], fill, '0004-run-sources');
    const { db } = await open(url, 'create');
    const after = await db.selectFrom('payouts').select(['reason', 'lack']).orderBy('id').execute();
    expect(after.slice(1)).toEqual(rows.map(([, reason, lack]) => ({ reason, lack })));
  });

  test('payments and credits of an older ledger have no service fee, contradict nothing, and stay final', async () => {
    const url = await freshLedgerUrl(kind);
    await firstVersion(url, ['lamassu'], paidAndCredited, '0004-run-sources');
    const { db } = await open(url, 'create');
    expect(await db.selectFrom('payments').selectAll().execute()).toMatchObject([
      { id: 1n, state: 'settled', sats: 9n, fee_msat: 0n },
      { id: 2n, state: 'dead', sats: 9n, fee_msat: 0n },
    ]);
    expect(await db.selectFrom('credits').selectAll().execute()).toMatchObject([
      { state: 'dropped', fee: 0n },
    ]);
    expect(await db.selectFrom('contradictions').selectAll().execute()).toEqual([]);
    const move = (table: 'payments' | 'credits', id: bigint, state: string) =>
      sql`update ${sql.table(table)} set state = ${state}, ${sql.ref(table === 'credits' ? 'credited_at' : 'settled_at')} = 'now' where id = ${id}`.execute(
        db,
      );
    await expect(move('payments', 1n, 'dead')).rejects.toThrow('does not go back');
    await expect(move('payments', 2n, 'unknown')).rejects.toThrow('does not go back');
    await expect(sql`update payments set sats = 8 where id = 1`.execute(db)).rejects.toThrow('never changes');
    await expect(sql`update credits set fee = 1 where id = 1`.execute(db)).rejects.toThrow('never changes');
    // Given up, but shown by LNbits.
    await move('payments', 2n, 'settled');
    await move('credits', 1n, 'credited');
    await expect(move('credits', 1n, 'dropped')).rejects.toThrow('does not go back');
  });

  test('divisions of an older ledger keep their machine, and still cannot be changed', async () => {
    const url = await freshLedgerUrl(kind);
    await firstVersion(
      url,
      ['lamassu'],
      async (old) => {
        const at = '2026-01-01T00:00:00.000000Z';
        for (const device_id of ['m1', 'm2'])
          await old.insertInto('machines').values({ device_id, first_seen: at }).execute();
        const zero = { commission: 0n, net: 0n, own: 100n, undelivered: 0n, own_fiat: 10n };
        const row = { id: 'c1', source: 'lamassu', machine: 'm1', confirmed_at: at, processed_at: at };
        const figures = { local_date: '2026-01-01', currency: 'GTQ', fiat: 10n, gross: 100n, ...zero };
        const how = { method: 'ticker' as const, origin: 'lamassu' as const, lamassu: '{}' };
        await old
          .insertInto('cash_outs')
          .values({ ...row, ...figures, ...how })
          .execute();
      },
      '0004-run-sources',
    );
    const { db } = await open(url, 'create');
    expect(await db.selectFrom('cash_outs').select(['id', 'machine', 'begun_at_machine']).execute()).toEqual([
      { id: 'c1', machine: 'm1', begun_at_machine: null },
    ]);
    const change = (set: { machine?: string; begun_at_machine?: string }) =>
      db.updateTable('cash_outs').set(set).execute();
    await expect(change({ begun_at_machine: 'm2' })).rejects.toThrow('a processed cash-out never changes');
    await expect(change({ machine: 'm2' })).rejects.toThrow('a processed cash-out never changes');
  });

  test('an older ledger gets a secret of its own for its seals; a new one has it from its beginning', async () => {
    const secretOf = async ({ db }: Ledger) =>
      await db.selectFrom('ledger').select(['seal_secret', 'all_sealed']).executeTakeFirstOrThrow();
    const secrets: string[] = [];
    for (const all of [false, true]) {
      const url = await freshLedgerUrl(kind);
      if (!all) await firstVersion(url);
      const ledger = await open(url, 'create');
      const { seal_secret: secret, all_sealed } = await secretOf(ledger);
      expect([secret, all_sealed]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), all ? 1n : 0n]);
      expect(ledger.seals).toMatchObject({ ledger: ledger.id, all });
      expect(ledger.seals.secret.reveal()).toBe(secret);
      expect(JSON.stringify(ledger.seals)).not.toContain(secret);
      expect((await open(url, 'write')).seals.secret.reveal()).toBe(secret);
      secrets.push(secret);
    }
    expect(new Set(secrets).size).toBe(2);
  });

  test('a dry run sees what it wrote, and undoes it', async () => {
    const ledger = await fresh();
    const seen = await ledger.dryRun(async (trx) => {
      await trx.insertInto('currencies').values({ code: 'GTQ', digits: 2n }).execute();
      return trx.selectFrom('currencies').selectAll().execute();
    });
    expect(seen).toHaveLength(1);
    expect(await ledger.db.selectFrom('currencies').selectAll().execute()).toEqual([]);
  });

  test('an error within a transaction undoes all of it', async () => {
    const ledger = await fresh();
    const failing = ledger.write(async (trx) => {
      await trx.insertInto('currencies').values({ code: 'GTQ', digits: 2n }).execute();
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await ledger.db.selectFrom('currencies').selectAll().execute()).toEqual([]);
  });

  test('sats, cents and microseconds come back as they went in', async () => {
    const ledger = await fresh();
    const at = '2026-11-20T10:00:00.123457Z';
    const huge = 2_100_000_000_000_000n;
    await ledger.write(async (trx) => {
      await trx.insertInto('wallets').values({ id: 'w', invoice_key: 'k', created_at: at }).execute();
      await trx.insertInto('currencies').values({ code: 'GTQ', digits: 2n }).execute();
      await trx
        .insertInto('recipients')
        .values({
          id: 9_007_199_254_740_993n,
          kind: 'client',
          name: 'ä',
          wallet_id: 'w',
          status: 'active',
          created_at: at,
        })
        .execute();
      await trx
        .insertInto('payouts')
        .values({
          recipient_id: 9_007_199_254_740_993n,
          kind: 'client',
          sats: huge,
          fiat: 1n,
          currency: 'GTQ',
          state: 'planned',
          created_at: at,
        })
        .execute();
    });
    const [row] = await (await openAgain(ledger)).db.selectFrom('payouts').selectAll().execute();
    expect(row).toMatchObject({ recipient_id: 9_007_199_254_740_993n, sats: huge, created_at: at });
  });
});

describe('sqlite', () => {
  test('only its owner may read the file', async () => {
    const url = await freshLedgerUrl('sqlite');
    const ledger = await openLedger({ clock: systemClock, url, use: 'create' });
    const path = url.slice('sqlite:'.length);
    await ledger.db.insertInto('currencies').values({ code: 'GTQ', digits: 2n }).execute();
    for (const file of [path, `${path}-wal`, `${path}-shm`]) expect(statSync(file).mode & 0o777).toBe(0o600);
    await ledger.close();
  });

  test.runIf(process.getuid?.() === 0)('a ledger of another user says so before it is opened', async () => {
    const url = await freshLedgerUrl('sqlite');
    await (await openLedger({ clock: systemClock, url, use: 'create' })).close();
    chownSync(url.slice('sqlite:'.length), 12_345, 12_345);
    await expect(openLedger({ clock: systemClock, url, use: 'write' })).rejects.toMatchObject({
      code: 'ledger/owner',
      kind: 'misconfigured',
      message: expect.stringContaining('belongs to user id 12345, and this is root'),
    });
  });

  test('a file that is no ledger is refused', async () => {
    const url = await freshLedgerUrl('sqlite');
    const path = url.slice('sqlite:'.length);
    writeFileSync(path, 'this is a shopping list, and a rather long one, to be sure of it');
    chmodSync(path, 0o600);
    await expect(openLedger({ clock: systemClock, url, use: 'write' })).rejects.toMatchObject({
      code: 'ledger/unusable',
      kind: 'misconfigured',
    });
  });

  test('a folder that is not there is named', async () => {
    const missing = openLedger({
      clock: systemClock,
      url: 'sqlite:/nowhere/at/all/ledger.sqlite',
      use: 'create',
    });
    await expect(missing).rejects.toMatchObject({
      code: 'ledger/unusable',
      message: expect.stringContaining('/nowhere/at/all'),
    });
  });
});

describe('postgresql', () => {
  test('a server that is not there is a failure that passes', async () => {
    const away = openLedger({
      clock: systemClock,
      url: 'postgresql://nobody@127.0.0.1:1/ledger',
      use: 'read',
    });
    await expect(away).rejects.toMatchObject({ code: 'ledger/unreachable', kind: 'unavailable' });
  });

  test('a wrong password is not, and is not printed', async () => {
    const url = new URL(await freshLedgerUrl('postgresql'));
    url.password = 'hunter2-hunter2';
    const refused = openLedger({ clock: systemClock, url: url.href, use: 'read' });
    await expect(refused).rejects.toMatchObject({ code: 'ledger/rights', kind: 'misconfigured' });
  });
});

/** A ledger as an earlier version made it, the first one unless it is named. */
async function firstVersion(
  url: string,
  sources: string[] = [],
  fill: (db: Kysely<Schema>) => Promise<void> = async () => {},
  version = '0001-ledger',
): Promise<{ id: string }> {
  const path = url.slice('sqlite:'.length);
  if (url.startsWith('sqlite:')) createFile(path);
  const dialect = url.startsWith('sqlite:') ? sqliteDialect(path) : postgresqlDialect(url, undefined, LIMITS);
  const db = new Kysely<Schema>({ dialect });
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateTo(version);
  if (error) throw error;
  const id = 'a-ledger-of-the-first-version';
  const at = '2026-01-01T00:00:00.000000Z';
  await sql`insert into ledger (one, id, created_at) values (1, ${id}, ${at})`.execute(db);
  await db.insertInto('currencies').values({ code: 'GTQ', digits: 2n }).execute();
  for (const name of sources)
    await db.insertInto('sources').values({ name, start_at: at, created_at: at }).execute();
  for (const [index, kind] of ['poll', 'fixed'].entries())
    await db
      .insertInto('runs')
      .values({ id: BigInt(index + 1), kind, actor: 'timer', started_at: at })
      .execute();
  await fill(db);
  await db.destroy();
  return { id };
}

/** A payout of two parts, one settled and one whose payment is dead, and a credit that was dropped. */
async function paidAndCredited(db: Kysely<Schema>): Promise<void> {
  const at = '2026-01-01T00:00:00.000000Z';
  await db.insertInto('wallets').values({ id: 'w', invoice_key: 'k', created_at: at }).execute();
  const recipient = {
    kind: 'client',
    name: 'alice',
    wallet_id: 'w',
    status: 'active',
    created_at: at,
  } as const;
  await db
    .insertInto('recipients')
    .values({ id: 1n, ...recipient })
    .execute();
  const payout = {
    recipient_id: 1n,
    kind: 'client',
    sats: 18n,
    fiat: 1n,
    currency: 'GTQ',
    state: 'paying',
  } as const;
  await db
    .insertInto('payouts')
    .values({ id: 1n, ...payout, created_at: at })
    .execute();
  for (const [part, state] of [
    [1n, 'settled'],
    [2n, 'dead'],
  ] as const) {
    await db.insertInto('payout_parts').values({ payout_id: 1n, part, sats: 9n }).execute();
    const row = { payout_id: 1n, part, sats: 9n, attempt: 1n, payment_hash: `h${part}`, bolt11: `b${part}` };
    const wallets = { client_wallet_id: 'w', source_wallet_id: 's', state, run_id: 1n, created_at: at };
    await db
      .insertInto('payments')
      .values({ id: part, ...row, ...wallets, sent_at: at, settled_at: state === 'settled' ? at : null })
      .execute();
  }
  const credit = {
    wallet_id: 's',
    sats: 9n,
    state: 'dropped',
    created_at: at,
    sent_at: at,
    seen: '[]',
  } as const;
  await db
    .insertInto('credits')
    .values({ id: 1n, ...credit })
    .execute();
}
