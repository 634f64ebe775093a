import pg from 'pg';
import { parseDecimal, RATE_SCALE } from '../dca/money.ts';
import { BridgeError } from '../errors.ts';
import { type HostClock, hostClock, type Instant } from '../time.ts';
import { type CashOutColumn, noteSlots, optionalColumns, requiredColumns } from './columns.ts';
import { type Connection, connect, type LamassuOptions } from './connect.ts';
import type { Connect } from './keep.ts';
import { type Access, present, type Rights, readAccess } from './rights.ts';
import type { LamassuRow } from './row.ts';
import { readTooMuch } from './too-much.ts';

/**
 * Lamassu's database as it was at one moment: everything is read in one read-only transaction, so all answers fit
 * together. Close it when the reading is done, so that Lamassu can clean up behind it. After an error nothing more
 * can be read from it.
 *
 * Every reading method may fail with lamassu/timeout, lost, query; those that read cash-outs also with
 * lamassu/column-missing and not-granted. An error is an error, never an early end.
 */
export interface Source {
  /** Lamassu's own clock at opening. */
  now: Instant;
  /** This host's clocks right before and right after Lamassu was asked for its own. */
  asked: { before: HostClock; after: HostClock };
  /** Identity of the database cluster; null where the server does not tell it. */
  systemIdentifier: string | null;
  /** The machines that Lamassu knows; empty where they may not be read. */
  machines(): Promise<{ deviceId: string; name: string | null }[]>;
  /**
   * Pages of rows that were confirmed, or that were confirmed and created, at or after `from`: by the later of the two, so
   * that one is found which a clock that was behind has stamped. Ordered by (confirmed_at, id); after them, where asked
   * for, those created in [from, to) whose cash came out without a confirmation, ordered by (created, id).
   */
  confirmedSince(from: Instant, unconfirmed?: { from: Instant; to: Instant }): AsyncIterable<LamassuRow[]>;
  /**
   * The number of the newest action that Lamassu wrote down, by which a later look finds what happened since; null where
   * actions may not be read. A clock has no part in it.
   */
  lastAction(): Promise<bigint | null>;
  /** The ids of the cash-outs with an action of a higher number that is dated earlier than `before`. */
  backdatedSince(action: bigint, before: Instant): Promise<string[]>;
  /** The rows that exist of these ids, ordered by (confirmed_at, id). */
  byIds(ids: readonly string[]): Promise<LamassuRow[]>;
  /** The first few ids that begin with `text`, at least 6 characters of a UUID's; none where it is no beginning of one. */
  idsBeginning(text: string): Promise<string[]>;
  /** The cash that left for this cash-out, in fiat ×10^5, from the notes counted; null where nothing tells. */
  dispensed(id: string): Promise<bigint | null>;
  /** What the role may and may not read, for `doctor`. */
  check(): Promise<Rights>;
  /** Ends whatever is going on. Never throws. */
  close(): Promise<void>;
}

const PAGE = 500;

/** So many rows are asked for at once, first of all: that is a whole window, but for a backlog. */
const AT_ONCE = 5_000;

const UNCONFIRMED = `t.confirmed_at is null and t.created >= $2::timestamptz and t.created < $3::timestamptz
  and (t.dispense_confirmed or (t.dispense and t.status::text in ('authorized', 'instant')))`;

/** Enough to say that there are several. */
const MOST_IDS = 5;

const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Opens Lamassu's database, by a session of its own or one that is kept. Errors: those of `connect`. */
export async function openSource(options: LamassuOptions, by: Connect = connect): Promise<Source> {
  const connection = await by(options);
  try {
    await connection.query('begin isolation level repeatable read read only');
    const access = await readAccess(connection);
    const before = hostClock();
    const [server] = await connection.query(
      `select ${instant('now()')} as now,
         has_function_privilege(to_regprocedure('pg_control_system()'), 'execute')::text as identified`,
    );
    const asked = { before, after: hostClock() };
    if (!server?.now) throw new Error('PostgreSQL did not say what time it is');
    // Asked only where it may be: a refusal would end the transaction.
    const systemIdentifier = server.identified === 'true' ? await readSystemIdentifier(connection) : null;
    return source({ connection, access, now: server.now, asked, systemIdentifier, user: options.user });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

interface Opened {
  connection: Connection;
  access: Access;
  now: Instant;
  asked: Source['asked'];
  systemIdentifier: string | null;
  user: string;
}

function source({ connection, access, now, asked, systemIdentifier, user }: Opened): Source {
  let cursors = 0;

  // Lamassu has no index that helps, so each query goes through the whole table: one for both kinds of rows, and not by a
  // cursor at first, since PostgreSQL uses several cores for a plain query only. Within the snapshot the order is fixed,
  // so the cursor goes on where that one ended; each of its pages is a statement with a time limit of its own, while
  // pg-cursor's limit also counts the time that the reader of the pages takes in between.
  async function* pages(condition: string, values: string[]): AsyncGenerator<LamassuRow[]> {
    const query = `${selectCashOuts(access, user)} where ${condition}
      order by t.confirmed_at, case when t.confirmed_at is null then t.created end, t.id`;
    const rows = await connection.query<LamassuRow>(`${query} limit ${AT_ONCE}`, values);
    for (let i = 0; i < rows.length; i += PAGE) yield rows.slice(i, i + PAGE);
    if (rows.length < AT_ONCE) return;
    cursors += 1;
    const name = `aio_dca_${cursors}`;
    await connection.query(`declare ${name} no scroll cursor for ${query} offset ${AT_ONCE}`, values);
    for (;;) {
      const page = await connection.query<LamassuRow>(`fetch ${PAGE} from ${name}`);
      if (page.length > 0) yield page;
      if (page.length < PAGE) break;
    }
    await connection.query(`close ${name}`);
  }

  return {
    now,
    asked,
    systemIdentifier,
    machines: () => readMachines(connection, access),
    confirmedSince: (from, unconfirmed) => {
      const confirmed =
        '(t.confirmed_at is not null and greatest(t.confirmed_at, t.created) >= $1::timestamptz)';
      if (!unconfirmed) return pages(confirmed, [from]);
      return pages(`(${confirmed} or (${UNCONFIRMED}))`, [from, unconfirmed.from, unconfirmed.to]);
    },
    lastAction: () => readLastAction(connection, access),
    backdatedSince: (action, before) => readBackdatedSince(connection, action, before),
    byIds: async (ids) => {
      const uuids = ids.filter((id) => UUID.test(id));
      const sql = `${selectCashOuts(access, user)} where t.id = any ($1::uuid[]) order by t.confirmed_at, t.id`;
      return connection.query<LamassuRow>(sql, [uuids]);
    },
    idsBeginning: (text) => readIdsBeginning(connection, text),
    dispensed: (id) => readDispensed(connection, access, id),
    check: async () => ({ ...access, ...(await readTooMuch(connection)) }),
    close: () => connection.close(),
  };
}

/** The query for `LamassuRow`s, up to its FROM. Throws where the server or its grants do not allow to judge a row. */
function selectCashOuts(access: Access, user: string): string {
  const missing = access.missing.join(', ');
  if (missing) {
    throw new BridgeError(
      'lamassu/column-missing',
      `Lamassu's database has no ${missing}.`,
      'Look whether `database` names Lamassu’s own database, and whether this bridge supports its version.',
    );
  }
  const columns: readonly CashOutColumn[] = [...requiredColumns, ...optionalColumns];
  const denied = columns.filter((column) => access.notGranted.includes(`cash_out_txs.${column}`));
  if (denied.length > 0) {
    throw new BridgeError(
      'lamassu/not-granted',
      `User ${user} may not read ${denied.join(', ')} of cash_out_txs.`,
      `As PostgreSQL's superuser in Lamassu's database: GRANT SELECT (${denied.join(', ')}) ON cash_out_txs TO ${pg.escapeIdentifier(user)};`,
    );
  }
  const selected = columns.map((column) =>
    present(access, 'cash_out_txs', column) ? `${asText(column)} as ${column}` : `null::text as ${column}`,
  );
  return `select ${selected.join(', ')} from public.cash_out_txs t`;
}

function asText(column: CashOutColumn): string {
  if (column === 'created' || column === 'confirmed_at') return instant(`t.${column}`);
  // A dispenser's error may be a whole page.
  if (column === 'error') return 'left(t.error::text, 1000)';
  return `t.${column}::text`;
}

/** An `Instant`; for a time outside its years (and infinity) PostgreSQL's own text, which is none. */
function instant(time: string): string {
  return `case when ${time} >= '0001-01-01 00:00:00Z' and ${time} < '10000-01-01 00:00:00Z'
    then to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') else ${time}::text end`;
}

async function readSystemIdentifier(connection: Connection): Promise<string | null> {
  const [row] = await connection.query('select system_identifier::text as id from pg_control_system()');
  return row?.id ?? null;
}

async function readMachines(
  connection: Connection,
  access: Access,
): Promise<{ deviceId: string; name: string | null }[]> {
  if (!present(access, 'devices', 'device_id') || access.notGranted.includes('devices.device_id')) return [];
  const named = present(access, 'devices', 'name') && !access.notGranted.includes('devices.name');
  const rows = await connection.query(
    `select device_id::text as id, ${named ? 'name::text' : 'null::text'} as name from public.devices order by device_id`,
  );
  return rows.flatMap(({ id, name }) => (id ? [{ deviceId: id, name: name ?? null }] : []));
}

async function readLastAction(connection: Connection, access: Access): Promise<bigint | null> {
  const readable = ['id', 'tx_id', 'created'].every(
    (column) =>
      present(access, 'cash_out_actions', column) &&
      !access.notGranted.includes(`cash_out_actions.${column}`),
  );
  if (!readable) return null;
  const [row] = await connection.query(
    'select coalesce(max(id), 0)::text as last from public.cash_out_actions',
  );
  return BigInt(row?.last ?? '0');
}

async function readBackdatedSince(
  connection: Connection,
  action: bigint,
  before: Instant,
): Promise<string[]> {
  const rows = await connection.query(
    'select distinct tx_id::text as id from public.cash_out_actions where id > $1::int8 and created < $2::timestamptz',
    [`${action}`, before],
  );
  return rows.flatMap(({ id }) => id ?? []);
}

/** By the range of ids that begin so: the primary key's index answers it. */
async function readIdsBeginning(connection: Connection, text: string): Promise<string[]> {
  const id = text.toLowerCase();
  const filled = (digit: string) =>
    id + `00000000-0000-0000-0000-000000000000`.slice(id.length).replaceAll('0', digit);
  if (text.length < 6 || !UUID.test(filled('0'))) return [];
  const rows = await connection.query(
    `select id::text as id from public.cash_out_txs where id >= $1::uuid and id <= $2::uuid order by id limit ${MOST_IDS}`,
    [filled('0'), filled('f')],
  );
  return rows.flatMap((row) => row.id ?? []);
}

async function readDispensed(connection: Connection, access: Access, id: string): Promise<bigint | null> {
  const slots = noteSlots.filter((slot) =>
    [`denomination_${slot}`, `dispensed_${slot}`].every((column) =>
      present(access, 'cash_out_actions', column),
    ),
  );
  // Without all of them the sum would be too small, and look right.
  const readable = !access.notGranted.some((name) => name.startsWith('cash_out_actions.'));
  if (!UUID.test(id) || slots.length === 0 || !readable) return null;
  const notes = slots.map((slot) => `(a.denomination_${slot}::numeric * a.dispensed_${slot})`);
  const [row] = await connection.query(
    `select sum(notes.cash)::text as cash from public.cash_out_actions a, lateral (values ${notes.join(', ')}) notes (cash)
     where a.tx_id = $1::uuid and a.action in ('dispense', 'dispenseError')`,
    [id],
  );
  return row?.cash ? parseDecimal(row.cash, RATE_SCALE) : null;
}
