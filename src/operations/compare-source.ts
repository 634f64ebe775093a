import type { Config } from '../config/config.ts';
import { BridgeError, conflict } from '../errors.ts';
import { type Database, openDatabase } from '../lamassu/database.ts';
import { lastingChange } from '../lamassu/lasting.ts';
import { bindSource, type ComparedSource } from '../ledger/cash-outs/watermark.ts';
import type { Db, Ledger } from '../ledger/store/open.ts';
import type { Schema } from '../ledger/store/schema.ts';
import { call, message } from '../lib/message.ts';
import { saysTheSame } from '../lib/same-columns.ts';
import type { Instant } from '../time.ts';

/*
 * A Lamassu database that was upgraded, restored or moved has another identity. Its content shows that it is the same
 *  Lamassu.
 */

const PAGE = 500;
/** The number of ids that an error lists. */
const SHOWN = 10;

/**
 * Compares everything that the ledger processed of this source with the database that is reached now. Changes
 * nothing. Throws `ledger/source-differs` with the missing or different rows, `usage/invalid` if `accept` is not the
 * identity of that database, and the errors of reading Lamassu.
 */
export async function compareSource(
  config: Pick<Config, 'lamassu'>,
  ledger: Pick<Ledger, 'db' | 'clock' | 'dryRun'>,
  accept: string,
): Promise<ComparedSource> {
  const { name, startAt } = config.lamassu;
  const source = await openDatabase(config.lamassu, ledger.clock);
  try {
    const { systemIdentifier: is } = source;
    if (is === null) {
      throw conflict(
        'accept',
        'the database that is reached now does not tell its identity to this role',
        'Without it there is nothing to compare or to accept. To let the role read it: GRANT EXECUTE ON FUNCTION pg_control_system() TO the role of [lamassu] user;',
      );
    }
    if (is !== accept) {
      throw conflict(
        'accept',
        `the database that is reached now is ${is}`,
        message`Check [lamassu] host and [lamassu.ssh]. If this is the right database: ${call('ledger.source', { accept: is, reason: null })}.`,
      );
    }
    const known = await ledger.db
      .selectFrom('sources')
      .selectAll()
      .where('name', '=', name)
      .executeTakeFirst();
    if (!known) {
      throw conflict(
        'accept',
        `the ledger has read nothing of "${name}" yet, so it is bound to no database`,
        message`The first ${call('poll')} binds it. Check [lamassu] name.`,
      );
    }
    const other = await ledger.db
      .selectFrom('sources')
      .select('name')
      .where('name', '<>', name)
      .where('system_identifier', '=', is)
      .executeTakeFirst();
    if (other) {
      throw conflict(
        'accept',
        `this is the database of source "${other.name}" in this ledger`,
        'Check [lamassu] name and host: each Lamassu has a name of its own.',
      );
    }
    // start_at is checked as in a run.
    await ledger.dryRun((trx) =>
      bindSource(trx, { name, startAt, systemIdentifier: null }, ledger.clock.now()),
    );
    return { source: name, was: known.system_identifier, is, ...(await compare(ledger.db, source, known)) };
  } finally {
    await source.close();
  }
}

type ProcessedRow = Pick<Schema['cash_outs'], 'id' | 'confirmed_at' | 'origin' | 'lamassu'>;

async function compare(
  db: Db,
  source: Database,
  known: Schema['sources'],
): Promise<Pick<ComparedSource, 'cashOuts' | 'newest'>> {
  const missing: ProcessedRow[] = [];
  const different: string[] = [];
  let newest: ProcessedRow | null = null;
  let newestThere: Instant | null = null;
  let cashOuts = 0;
  for await (const page of processedOf(db, known.name)) {
    const rows = new Map((await source.byIds(page.map(({ id }) => id))).map((row) => [row.id, row]));
    const accepted = await changesSeen(db, page);
    for (const one of page) {
      const row = rows.get(one.id);
      if (newest === null || one.confirmed_at > newest.confirmed_at) newest = one;
      if (!row) missing.push(one);
      else if (newestThere === null || one.confirmed_at > newestThere) newestThere = one.confirmed_at;
      // A row that the operator settled may have been confirmed since.
      const change = row && lastingChange(one.lamassu, row, { confirmedSince: one.origin !== 'lamassu' });
      if (row && change && !saysTheSame(accepted.get(one.id) ?? '{"id":null}', row))
        different.push(`${one.id}: ${change}`);
      cashOuts += 1;
    }
  }
  if (missing.length > 0) throw lacks(missing, newestThere);
  if (different.length > 0) throw refused(`${different.length} of them differ`, different);
  const [read] = known.mark_id === null ? [undefined] : await source.byIds([known.mark_id]);
  if (known.mark_id !== null && !read)
    throw refused('the row that was read last is not in it', [known.mark_id]);
  const lastAction = await source.lastAction();
  if (lastAction !== null && known.last_action !== null && lastAction < known.last_action) {
    throw older(
      `its cash_out_actions end at ${lastAction}, and ${known.last_action} was there when it was read last`,
    );
  }
  return { cashOuts, newest: newest && { id: newest.id, confirmedAt: newest.confirmed_at } };
}

async function* processedOf(db: Db, source: string): AsyncGenerator<ProcessedRow[]> {
  for (let after = ''; ; ) {
    const page = await db
      .selectFrom('cash_outs')
      .select(['id', 'confirmed_at', 'origin', 'lamassu'])
      .where('source', '=', source)
      .where('origin', '<>', 'external')
      .where('id', '>', after)
      .orderBy('id')
      .limit(PAGE)
      .execute();
    if (page.length > 0) yield page;
    const last = page.at(-1)?.id;
    if (last === undefined || page.length < PAGE) return;
    after = last;
  }
}

/** The later changes of these rows that review has recorded. */
async function changesSeen(db: Db, page: ProcessedRow[]): Promise<Map<string, string>> {
  const rows = await db
    .selectFrom('review')
    .select(['cash_out_id', 'lamassu'])
    .where('reason', '=', 'changed')
    .where(
      'cash_out_id',
      'in',
      page.map(({ id }) => id),
    )
    .execute();
  return new Map(rows.map((row) => [row.cash_out_id, row.lamassu]));
}

function lacks(missing: ProcessedRow[], newestThere: Instant | null): BridgeError {
  const ids = missing.map(({ id }) => id);
  const first = missing.reduce((least, { confirmed_at: at }) => (at < least ? at : least), '~');
  // Only the newest are missing: the database ends too early.
  if (newestThere !== null && newestThere < first) {
    return older(
      `${missing.length} that the ledger distributed from ${first} on are not in it: ${list(ids)}`,
    );
  }
  return refused(`${missing.length} that the ledger distributed are not in it`, ids);
}

function older(what: string): BridgeError {
  return new BridgeError(
    'ledger/source-differs',
    `this database is older than what the ledger has read: ${what}`,
    'An older copy of Lamassu’s database was restored. Restore the newest one: only that knows the cash-outs since.',
  );
}

function refused(what: string, each: string[]): BridgeError {
  return new BridgeError(
    'ledger/source-differs',
    `this is not the Lamassu whose cash-outs the ledger distributed: ${what}: ${list(each)}`,
    'Check [lamassu] host, database and [lamassu.ssh]. Nothing was written.',
  );
}

function list(each: string[]): string {
  const more = each.length > SHOWN ? `; and ${each.length - SHOWN} more` : '';
  return `${each.slice(0, SHOWN).join('; ')}${more}`;
}
