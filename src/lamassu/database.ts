import pg from 'pg';
import { BridgeError } from '../errors.ts';
import { isUuid } from '../lib/uuid.ts';
import type { Clock, HostClock, Instant } from '../time.ts';
import { actionColumns, type CashOutColumn, noteSlots, optionalColumns, requiredColumns } from './columns.ts';
import type { Connection, LamassuOptions } from './connect.ts';
import { readTooMuch } from './excess-privileges.ts';
import { NOTE_ACTIONS, type NoteCount, type NotesAction } from './notes.ts';
import { unsuitable } from './refusal.ts';
import { type Access, neededAndNotGranted, present, type Rights, readAccess } from './rights.ts';
import type { LamassuRow } from './row.ts';
import type { Connect } from './session-cache.ts';

/**
 * A snapshot of Lamassu's database: one read-only transaction, so all answers are consistent. Close it as soon as the
 * reading is done, because an open transaction blocks Lamassu's vacuum. After an error it cannot be read any more.
 *
 * Every reading method may fail with lamassu/timeout, lost, query; those that read cash-outs also with
 * lamassu/column-missing and not-granted. After an error, no method returns as if the rows had ended.
 */
export interface Database {
  /** Lamassu's own clock at opening. */
  now: Instant;
  /** This host's clocks right before and right after Lamassu told its own. */
  clocks: { before: HostClock; after: HostClock };
  /** Identity of the database cluster; null if the role may not read it. */
  systemIdentifier: string | null;
  /** The machines of this Lamassu, paired and unpaired; empty if the role may not read them. */
  machines(): Promise<LamassuMachine[]>;
  /**
   * Pages of confirmed rows, ordered by (confirmed_at, id): those whose `confirmed_at` or `created`, whichever is
   * later, is at or after `from`. The later of the two also finds a row whose confirmation a slow clock stamped. With
   * `unconfirmed`, rows follow that were created in [from, to) and paid out without a confirmation, ordered by
   * (created, id).
   */
  confirmedSince(from: Instant, unconfirmed?: { from: Instant; to: Instant }): AsyncIterable<LamassuRow[]>;
  /**
   * The number of Lamassu's newest action: a later snapshot finds everything since by it, whatever the clocks say. Null
   * if the role may not read actions.
   */
  lastAction(): Promise<bigint | null>;
  /** The ids of the cash-outs with an action of a higher number that is dated earlier than `before`. */
  backdatedSince(action: bigint, before: Instant): Promise<string[]>;
  /** The rows with these ids, as far as they exist, ordered by (confirmed_at, id). */
  byIds(ids: readonly string[]): Promise<LamassuRow[]>;
  /** The first few ids that begin with `text`, at least 6 characters of a UUID; none if it cannot begin a UUID. */
  idsBeginning(text: string): Promise<string[]>;
  /** The same rows with their `actions`. Lamassu has no index for this, so it is one query for all rows. */
  withActions(rows: readonly LamassuRow[]): Promise<LamassuRow[]>;
  /** What the role may and may not read, for `doctor`. */
  check(): Promise<Rights>;
  /** Ends the transaction and any query under way. Never throws. */
  close(): Promise<void>;
}

export interface LamassuMachine {
  deviceId: string;
  name: string | null;
  /** False: Lamassu unpaired it. */
  paired: boolean;
}

const PAGE = 500;

/** The rows of the first query: a whole window, unless there is a backlog. */
const AT_ONCE = 5_000;

const UNCONFIRMED = `t.confirmed_at is null and t.created >= $2::timestamptz and t.created < $3::timestamptz
  and (t.dispense_confirmed or (t.dispense and t.status::text in ('authorized', 'instant')))`;

/** Enough to say that there are several. */
const MOST_IDS = 5;

/**
 * Opens Lamassu's database, by a session of its own or one that is kept; `clock` is that of this host. Errors: those of
 * `connect`.
 */
export async function openDatabase(
  options: LamassuOptions,
  clock: Clock,
  by: Connect = connectAnew,
): Promise<Database> {
  const connection = await by(options);
  try {
    // now() stays the time at which the transaction began.
    const before = clock.host();
    await connection.query('begin isolation level repeatable read read only');
    const access = await readAccess(connection);
    const [server] = await connection.query(
      `select ${instant('now()')} as now,
         has_function_privilege(to_regprocedure('pg_control_system()'), 'execute')::text as identified,
         current_setting('transaction_read_only') as "readOnly"`,
    );
    const clocks = { before, after: clock.host() };
    if (!server?.now) throw new Error('PostgreSQL did not say what time it is');
    if (server.readOnly !== 'on') throw unsuitable(options, 'its transaction may change something');
    // Only with the grant: a refusal would end the transaction.
    const systemIdentifier = server.identified === 'true' ? await readSystemIdentifier(connection) : null;
    return database({ connection, access, now: server.now, clocks, systemIdentifier, user: options.user });
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Loads the clients of SSH and PostgreSQL now: most commands that could ask Lamassu do not. */
async function connectAnew(options: LamassuOptions): Promise<Connection> {
  const { connect } = await import('./connect.ts');
  return connect(options);
}

interface Opened {
  connection: Connection;
  access: Access;
  now: Instant;
  clocks: Database['clocks'];
  systemIdentifier: string | null;
  user: string;
}

function database({ connection, access, now, clocks, systemIdentifier, user }: Opened): Database {
  let cursors = 0;

  // Lamassu has no index for this, so each query scans the whole table. Hence one query for both kinds of rows. It is a
  // plain query first, since PostgreSQL uses several cores only for those. Within the snapshot the order is fixed, so a
  // cursor continues where it ended. Each FETCH is a statement with its own time limit; pg-cursor's limit would also
  // count the time between the pages.
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
    clocks,
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
      const uuids = ids.filter((id) => isUuid(id));
      const sql = `${selectCashOuts(access, user)} where t.id = any ($1::uuid[]) order by t.confirmed_at, t.id`;
      return connection.query<LamassuRow>(sql, [uuids]);
    },
    idsBeginning: (text) => readIdsBeginning(connection, text),
    withActions: async (rows) => {
      if (rows.length === 0) return [];
      const actions = await readActions(
        connection,
        access,
        rows.map((row) => row.id),
      );
      const none = { actions: null, notes: null };
      return rows.map((row) => ({ ...row, ...(actions?.get(row.id) ?? none) }));
    },
    check: async () => ({ ...access, ...(await readTooMuch(connection)) }),
    close: () => connection.close(),
  };
}

/** SELECT and FROM of the query for `LamassuRow`s. Throws if the server lacks, or does not grant, a required column. */
function selectCashOuts(access: Access, user: string): string {
  const missing = access.missing.join(', ');
  if (missing) {
    throw new BridgeError(
      'lamassu/column-missing',
      `Lamassu's database has no ${missing}.`,
      'Check that `database` names Lamassu’s own database, and that this bridge supports its version.',
    );
  }
  const columns: readonly CashOutColumn[] = [...requiredColumns, ...optionalColumns];
  const denied = Map.groupBy(neededAndNotGranted(access), (name) => name.split('.')[0] ?? '');
  if (denied.size > 0) {
    const named = [...denied].map(
      ([table, names]) => [table, names.map((name) => name.slice(table.length + 1)).join(', ')] as const,
    );
    const grants = named.map(
      ([table, names]) => `GRANT SELECT (${names}) ON ${table} TO ${pg.escapeIdentifier(user)};`,
    );
    throw new BridgeError(
      'lamassu/not-granted',
      `User ${user} may not read ${named.map(([table, names]) => `${names} of ${table}`).join(', nor ')}.`,
      `As PostgreSQL's superuser in Lamassu's database: ${grants.join(' ')}`,
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

/** An `Instant`; for infinity and years out of range, PostgreSQL's own text. */
function instant(time: string): string {
  return `case when ${time} >= '0001-01-01 00:00:00Z' and ${time} < '10000-01-01 00:00:00Z'
    then to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') else ${time}::text end`;
}

async function readSystemIdentifier(connection: Connection): Promise<string | null> {
  const [row] = await connection.query('select system_identifier::text as id from pg_control_system()');
  return row?.id ?? null;
}

async function readMachines(connection: Connection, access: Access): Promise<LamassuMachine[]> {
  const readable = (name: string) => access.columns.includes(name) && !access.notGranted.includes(name);
  if (!readable('devices.device_id')) return [];
  const name = (table: string) => (readable(`${table}.name`) ? 'name::text' : 'null::text');
  const paired = await connection.query(
    `select device_id::text as id, ${name('devices')} as name from public.devices order by device_id`,
  );
  // A machine may have been unpaired several times under different names: the last name counts.
  const newest = readable('unpaired_devices.unpaired') ? ', unpaired desc' : '';
  const unpaired = readable('unpaired_devices.device_id')
    ? await connection.query(
        `select distinct on (device_id) device_id::text as id, ${name('unpaired_devices')} as name
         from public.unpaired_devices u
         where not exists (select from public.devices d where d.device_id = u.device_id)
         order by device_id${newest}`,
      )
    : [];
  const machines = (rows: typeof paired, isPaired: boolean) =>
    rows.flatMap(({ id, name }) => (id ? [{ deviceId: id, name: name ?? null, paired: isPaired }] : []));
  return [...machines(paired, true), ...machines(unpaired, false)];
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

/** A range of ids, so that the index of the primary key answers it. */
async function readIdsBeginning(connection: Connection, text: string): Promise<string[]> {
  const id = text.toLowerCase();
  const filled = (digit: string) =>
    id + `00000000-0000-0000-0000-000000000000`.slice(id.length).replaceAll('0', digit);
  if (text.length < 6 || !isUuid(filled('0'))) return [];
  const rows = await connection.query(
    `select id::text as id from public.cash_out_txs where id >= $1::uuid and id <= $2::uuid order by id limit ${MOST_IDS}`,
    [filled('0'), filled('f')],
  );
  return rows.flatMap((row) => row.id ?? []);
}

/** `actions` and `notes` of a row by its id, for rows that have any; null if this server has none. */
async function readActions(
  connection: Connection,
  access: Access,
  ids: string[],
): Promise<Map<string, { actions: string; notes: string }> | null> {
  if (!actionColumns.every((column) => present(access, 'cash_out_actions', column))) return null;
  const readable = (column: string) =>
    present(access, 'cash_out_actions', column) && !access.notGranted.includes(`cash_out_actions.${column}`);
  const rows = await connection.query(
    `select a.tx_id::text as id, a.action::text as action, nullif(a.device_id::text, '') as device_id,
       ${readable('created') ? instant('a.created') : 'null::text'} as created, (${cashCounted(access)})::text as cash,
       (${notesCounted(access)})::text as notes
     from unnest($1::uuid[]) wanted (id) join public.cash_out_actions a on a.tx_id = wanted.id
     where a.action = any ($2) order by ${readable('id') ? 'a.id' : 'action'}`,
    [ids.filter((id) => isUuid(id)), NOTE_ACTIONS],
  );
  const found = new Map<string, { actions: NotesAction[]; notes: (NoteCount[] | null)[] }>();
  for (const { id, action, device_id, created, cash, notes } of rows) {
    const one = {
      action: action ?? '',
      device_id: device_id ?? null,
      created: created ?? null,
      cash: cash ?? null,
    };
    const of = found.get(`${id}`) ?? { actions: [], notes: [] };
    of.actions.push(one);
    of.notes.push(notes ? (JSON.parse(notes) as NoteCount[]) : null);
    found.set(`${id}`, of);
  }
  return new Map(
    [...found].map(([id, { actions, notes }]) => [
      id,
      { actions: JSON.stringify(actions), notes: JSON.stringify(notes) },
    ]),
  );
}

/**
 * Denomination × notes, summed over the cassettes of one action; null if there is no count, or a cassette is not
 * granted.
 */
function cashCounted(access: Access): string {
  const slots = countedSlots(access);
  if (slots.length === 0) return 'null::numeric';
  const notes = slots.map((slot) => `(a.denomination_${slot}::numeric * a.dispensed_${slot})`);
  return `select sum(notes.cash) from (values ${notes.join(', ')}) notes (cash)`;
}

/** The same, each cassette for itself: JSON of `NoteCount[]`. */
function notesCounted(access: Access): string {
  const slots = countedSlots(access);
  if (slots.length === 0) return 'null::json';
  const notes = slots.map((slot) => `(a.denomination_${slot}::text, a.dispensed_${slot}::text)`);
  return `select json_agg(json_build_array(n.denomination, n.dispensed))
    from (values ${notes.join(', ')}) n (denomination, dispensed) where n.denomination is not null and n.dispensed is not null`;
}

/** The cassettes and recyclers of this server; none if one of them is not granted. */
function countedSlots(access: Access): string[] {
  const slots = noteSlots.filter((slot) =>
    [`denomination_${slot}`, `dispensed_${slot}`].every((column) =>
      present(access, 'cash_out_actions', column),
    ),
  );
  // Without every cassette, the sum would be too small, and nothing would show it.
  const hidden = slots.some((slot) =>
    access.notGranted.some((name) =>
      [`cash_out_actions.denomination_${slot}`, `cash_out_actions.dispensed_${slot}`].includes(name),
    ),
  );
  return hidden ? [] : slots;
}
