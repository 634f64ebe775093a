import { rmSync } from 'node:fs';
import { sql } from 'kysely';
import type { Secret } from '../../config/secret.ts';
import { BridgeError, conflict } from '../../errors.ts';
import { record, toJson, type Who } from '../log/log.ts';
import { withLease } from '../runs/lease.ts';
import { type Db, type Ledger, openLedger, type Trx, UNFINISHED } from '../store/open.ts';
import type { Protection } from '../store/postgresql.ts';
import { type AnyRow, countedTables, isPostgres, syncIdentity, tablePages, tables } from '../store/tables.ts';
import { type Verification, verifyLedger } from '../verify/verify.ts';

/*
 * A ledger is in use at one place. The order of these steps keeps that true if the process is killed at any moment:
 *
 * 1. Under the lock of the old ledger, all rows go into the new one in one transaction that marks it as unfinished.
 *    After a kill up to here, the old one is in use, and the next attempt makes the copy again.
 * 2. The copy is compared row by row.
 * 3. The old one is retired: this commit decides. After a kill behind it, neither is in use, and the next attempt does
 *    only the rest.
 * 4. The new one is no longer marked as unfinished.
 */

export interface LedgerPlace extends Protection {
  url: string;
  password?: Secret | undefined;
}

export interface Copied {
  id: string;
  url: string;
  /** Rows by table; null if only the rest of an earlier move was done. */
  rows: Record<string, number> | null;
  /** The verification of the new ledger's books, which equal the old ones. */
  verification: Verification;
}

/**
 * Moves a ledger. Errors: `usage/invalid` if the target is not empty, `run/busy`, those of opening either, and
 * `ledger/copy-differs` if the copy differs.
 */
export async function copyLedger(from: LedgerPlace, to: LedgerPlace, who: Who): Promise<Copied> {
  const { clock } = who;
  if (from.url === to.url) throw conflict('to', `${to.url} is the ledger itself`, 'Choose another place.');
  const original = await openLedger({ ...from, clock, use: 'write' }).catch((error: unknown) => {
    if (error instanceof BridgeError && error.code === 'ledger/retired') return error;
    throw error;
  });
  if (original instanceof BridgeError) return finishCopy(original, from, to, who);
  try {
    return await moveAway(original, to, who);
  } finally {
    await original.close();
  }
}

async function moveAway(original: Ledger, to: LedgerPlace, who: Who): Promise<Copied> {
  return withLease(original, { kind: 'ledger copy', who }, async (run) => {
    const copy = await openTarget(to, original);
    try {
      const rows = await run.write(async (trx) => {
        await mayTakeLong(trx);
        await run.finish('ok', { to: to.url }, trx);
        const counts = await copyRows(trx, copy);
        await compare(trx, copy);
        await trx.updateTable('ledger').set({ retired_to: to.url }).execute();
        return counts;
      });
      await takeIntoUse(copy, run.who, original.url);
      return { id: original.id, url: to.url, rows, verification: await verifyLedger(copy) };
    } finally {
      await copy.close();
    }
  });
}

/** The old ledger is already retired: the new one is complete, and only its mark as unfinished has to go. */
async function finishCopy(
  retired: BridgeError,
  from: LedgerPlace,
  to: LedgerPlace,
  who: Who,
): Promise<Copied> {
  const { clock } = who;
  const original = await openLedger({ ...from, clock, use: 'move' });
  try {
    if ((await placeOf(original.db)) !== to.url) throw retired;
    const target = await openLedger({ ...to, clock, use: 'move' });
    try {
      if (target.id !== original.id) throw retired;
      if ((await placeOf(target.db)) === UNFINISHED) await takeIntoUse(target, who, from.url);
      return { id: original.id, url: to.url, rows: null, verification: await verifyLedger(target) };
    } finally {
      await target.close();
    }
  } finally {
    await original.close();
  }
}

/** An empty ledger: a new one, or an unfinished copy of the same ledger, emptied. */
async function openTarget(to: LedgerPlace, { id, clock }: Ledger): Promise<Ledger> {
  const target = await openLedger({ ...to, clock, use: 'move' });
  try {
    const place = await placeOf(target.db);
    if (place === UNFINISHED && target.id === id) {
      if (isPostgres(target.db)) {
        const names = [...tables, { name: 'lease' }].map(({ name }) => sql.table(name));
        await sql`truncate ${sql.join(names)}`.execute(target.db);
        return target;
      }
      await target.close();
      // Nothing is ever deleted from a ledger, but a copy that was never in use is no ledger yet.
      for (const suffix of ['', '-wal', '-shm'])
        rmSync(to.url.slice('sqlite:'.length) + suffix, { force: true });
      return await openLedger({ ...to, clock, use: 'move' });
    }
    for (const table of tables)
      for await (const [row] of tablePages(target.db, table))
        if (row)
          throw conflict(
            'to',
            `there is a ledger at ${to.url}`,
            'A ledger can only be moved to where there is none.',
          );
    return target;
  } catch (error) {
    await target.close();
    throw error;
  }
}

async function copyRows(from: Trx, target: Ledger): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  await target.write(async (into) => {
    await mayTakeLong(into);
    for (const table of tables) {
      counts[table.name] = 0;
      for await (const rows of tablePages(from, table)) {
        // A machine may refer to a successor that is inserted later.
        await insert(into, table.name, table.name === 'machines' ? rows.map(withoutSuccessor) : rows);
        counts[table.name] = (counts[table.name] ?? 0) + rows.length;
      }
    }
    for await (const machines of tablePages(from, { name: 'machines', key: ['device_id'] }))
      for (const { device_id: id, replaced_by: successor } of machines.filter(
        (row) => row.replaced_by !== null,
      ))
        await sql`update machines set replaced_by = ${successor} where device_id = ${id}`.execute(into);
    const { one: _, ...ledger } = await from.selectFrom('ledger').selectAll().executeTakeFirstOrThrow();
    await into
      .updateTable('ledger')
      .set({ ...ledger, retired_to: UNFINISHED })
      .execute();
    for (const name of await countedTables(into)) await syncIdentity(into, name);
  });
  return counts;
}

function withoutSuccessor(machine: AnyRow): AnyRow {
  return { ...machine, replaced_by: null };
}

async function insert(into: Trx, table: string, rows: AnyRow[]): Promise<void> {
  const columns = Object.keys(rows[0] ?? {});
  const values = rows.map((row) => sql`(${sql.join(columns.map((column) => sql.val(row[column])))})`);
  await sql`insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))})
    values ${sql.join(values)}`.execute(into);
}

/** Compares the rows of both ledgers. */
async function compare(from: Trx, target: Ledger): Promise<void> {
  for (const table of tables) {
    const copies = tablePages(target.db, table);
    for await (const rows of tablePages(from, table)) {
      const { value } = await copies.next();
      if (toJson(rows.map(sorted)) !== toJson((value ?? []).map(sorted)))
        throw differs(target, `${table.name} is not the same`);
    }
    if (!(await copies.next()).done) throw differs(target, `${table.name} has more rows`);
  }
}

function sorted(row: AnyRow): [string, AnyRow[string]][] {
  return Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1));
}

async function takeIntoUse(target: Ledger, who: Who, from: string): Promise<void> {
  await target.write(async (trx) => {
    await trx.updateTable('ledger').set({ retired_to: null }).execute();
    await record(
      trx,
      { ...who, at: target.clock.now() },
      {
        action: 'ledger copy',
        subject: 'ledger',
        before: { url: from },
        after: { url: target.url },
      },
    );
  });
}

async function placeOf(db: Db): Promise<string | null> {
  return (await db.selectFrom('ledger').select('retired_to').executeTakeFirstOrThrow()).retired_to;
}

/** One database waits in its transaction while the other works. */
async function mayTakeLong(trx: Trx): Promise<void> {
  if (isPostgres(trx)) await sql`set local idle_in_transaction_session_timeout = 0`.execute(trx);
}

function differs({ url }: Ledger, what: string): BridgeError {
  return new BridgeError(
    'ledger/copy-differs',
    `the copy at ${url} was not put into use: ${what}`,
    'The old ledger is in use as before. Report it.',
  );
}
