import { type Bought, priceOf, worthOf, worthOfPart } from '../dca/price.ts';

/*
 * What can be exported, as tables of columns. The names of kinds and columns are a contract with bookkeeping:
 * extend them, do not rename them.
 */

/**
 * How a column is written. `time` is followed by a second column with the same moment in local time; `fiat` is in minor
 * units of the row's currency; `funding`, `payout` and `run` are ids as the lists show them; `json` is text of JSON;
 * `hidden` is read for the sake of another column, and not written.
 */
export type ColumnType =
  | 'text'
  | 'sats'
  | 'msat'
  | 'fiat'
  | 'rate'
  | 'time'
  | 'number'
  | 'funding'
  | 'payout'
  | 'run'
  | 'json'
  | 'hidden';

/** A row as the database gives it, by the names of the columns. */
type Values = Record<string, string | bigint | null>;

export interface Column {
  name: string;
  type: ColumnType;
  /** Its expression, in SQL for both SQLite and PostgreSQL; or its value, from the columns of the row that have one. */
  sql: string | ((row: Values) => bigint | null);
  /** Whether the totals have its sum by currency. */
  summed: boolean;
}

export interface ExportKind {
  /**
   * The first table is the one that `key` orders. Left joins keep it outermost: otherwise SQLite begins with another
   * table and sorts all rows for every page.
   */
  from: string;
  /** A condition on rows that leaves left joins as they are. */
  where?: string;
  /** The time that a range is compared with; each row has one, and it never changes. */
  at: string;
  /** A unique key that orders the rows; the ledger has an index for it. */
  key: string[];
  /** The currency of a row and its digits; null if rows have none. */
  currency: string | null;
  /** Whether a row concerns the client `?`; null if no row concerns one. */
  client: string | null;
  /** Where each row is a part of a cash-out: the column whose sum over the parts before it is in its `before`. */
  parts?: string;
  columns: Column[];
}

const column = (name: string, type: ColumnType, sql: Column['sql']): Column => ({
  name,
  type,
  sql,
  summed: false,
});
const total = (name: string, type: 'sats' | 'msat' | 'fiat', sql: Column['sql']): Column => ({
  name,
  type,
  sql,
  summed: true,
});

/** The cash-out that a row belongs to. */
const ofCashOut = [
  column('cash_out', 'text', 'co.id'),
  column('confirmed_at', 'time', 'co.confirmed_at'),
  column('local_date', 'text', 'co.local_date'),
  column('source', 'text', 'co.source'),
  column('machine', 'text', 'co.machine'),
  column('machine_name', 'text', 'm.name'),
];

/** Whether and when a row's sats arrived. */
const paid = [
  column('payout_state', 'text', 'p.state'),
  column('settled_at', 'time', "case when p.state = 'settled' then p.settled_at end"),
];

/** The price of a cash-out, for rows that are a part of one. */
const hiddenPrice = [
  column('cash_out_fiat', 'hidden', 'co.fiat'),
  column('cash_out_principal', 'hidden', 'co.net + co.own'),
];

const priceOfCashOut = (row: Values): Bought => ({
  fiat: integer(row.cash_out_fiat),
  sats: integer(row.cash_out_principal),
});

/** The worth of a part of a cash-out's commission. `before` selects the sum of the parts before it. */
const partOfCommission = (name: string, before: string) => [
  ...hiddenPrice,
  column('before', 'hidden', `cast(coalesce((${before}), 0) as bigint)`),
  total('commission_fiat', 'fiat', (row) =>
    worthOfPart(integer(row.before), integer(row[name]), priceOfCashOut(row)),
  ),
];

function integer(value: Values[string] | undefined): bigint {
  return BigInt(value ?? 0n);
}

export const kinds = {
  'cash-outs': {
    from: `cash_outs co left join machines m on m.device_id = co.machine
      left join currencies cu on cu.code = co.currency`,
    at: 'co.confirmed_at',
    key: ['co.confirmed_at', 'co.id'],
    currency: 'cu',
    client: 'exists (select 1 from allocations x where x.cash_out_id = co.id and x.client_id = ?)',
    columns: [
      column('id', 'text', 'co.id'),
      ...ofCashOut.slice(1),
      column('processed_at', 'time', 'co.processed_at'),
      column('currency', 'text', 'co.currency'),
      total('fiat', 'fiat', 'co.fiat'),
      total('own_fiat', 'fiat', 'co.own_fiat'),
      total('gross_sats', 'sats', 'co.gross'),
      total('commission_sats', 'sats', 'co.commission'),
      total('net_sats', 'sats', 'co.net'),
      total('own_sats', 'sats', 'co.own'),
      total('undelivered_sats', 'sats', 'co.undelivered'),
      column('commission_method', 'text', 'co.method'),
      column('origin', 'text', 'co.origin'),
      column('begun_at_machine', 'text', 'co.begun_at_machine'),
      ...hiddenPrice,
      column('price', 'fiat', (row) => priceOf(priceOfCashOut(row))),
      total('commission_fiat', 'fiat', (row) => worthOf(integer(row.commission_sats), priceOfCashOut(row))),
    ],
  },
  allocations: {
    from: `cash_outs co left join machines m on m.device_id = co.machine
      left join allocations a on a.cash_out_id = co.id left join recipients r on r.id = a.client_id
      left join currencies cu on cu.code = a.currency left join payouts p on p.id = a.payout_id`,
    where: 'coalesce(a.funding_id, 0) > 0',
    at: 'co.confirmed_at',
    key: ['co.confirmed_at', 'co.id', 'a.funding_id'],
    currency: 'cu',
    client: 'coalesce(a.client_id, 0) = ?',
    parts: 'commission_sats',
    columns: [
      ...ofCashOut,
      column('client', 'text', 'r.name'),
      column('funding', 'funding', 'a.funding_id'),
      column('mode', 'text', 'a.mode'),
      column('currency', 'text', 'a.currency'),
      total('fiat', 'fiat', 'a.fiat'),
      total('gross_sats', 'sats', 'a.gross'),
      total('commission_sats', 'sats', 'a.commission'),
      total('net_sats', 'sats', 'a.net'),
      column('payout', 'payout', 'a.payout_id'),
      ...paid,
      column('price', 'fiat', (row) => priceOf({ fiat: integer(row.fiat), sats: integer(row.net_sats) })),
      ...partOfCommission(
        'commission_sats',
        `select sum(x.commission) from allocations x where x.cash_out_id = co.id and x.funding_id < a.funding_id`,
      ),
    ],
  },
  payouts: {
    from: 'payouts p left join recipients r on r.id = p.recipient_id left join currencies cu on cu.code = p.currency',
    at: 'p.created_at',
    key: ['p.id'],
    currency: 'cu',
    client: 'p.recipient_id = ?',
    columns: [
      column('id', 'payout', 'p.id'),
      column('created_at', 'time', 'p.created_at'),
      column('recipient', 'text', 'r.name'),
      column('kind', 'text', 'p.kind'),
      column('state', 'text', 'p.state'),
      column('reason', 'text', 'p.reason'),
      column('currency', 'text', 'p.currency'),
      total('fiat', 'fiat', 'p.fiat'),
      total('sats', 'sats', 'p.sats'),
      total(
        'settled_sats',
        'sats',
        `(select cast(coalesce(sum(x.sats), 0) as bigint) from payments x
          where x.payout_id = p.id and x.state = 'settled')`,
      ),
      ...paid.slice(1),
      column(
        'payment_hashes',
        'text',
        `(select string_agg(x.payment_hash, ' ' order by x.part) from payments x
          where x.payout_id = p.id and x.state <> 'dead')`,
      ),
      // What LNbits took on top, of what has arrived and of what may have.
      total(
        'fee_msat',
        'msat',
        `(select cast(coalesce(sum(x.fee_msat), 0) as bigint) from payments x where x.payout_id = p.id)`,
      ),
      // Of the commission there is no cash.
      column('price', 'fiat', (row) =>
        row.kind === 'client' ? priceOf({ fiat: integer(row.fiat), sats: integer(row.sats) }) : null,
      ),
      column('lack', 'text', 'p.lack'),
    ],
  },
  fundings: {
    from: `fundings f left join recipients r on r.id = f.client_id left join currencies cu on cu.code = f.currency
      left join machines m on m.device_id = f.machine`,
    at: 'f.created_at',
    key: ['f.id'],
    currency: 'cu',
    client: 'f.client_id = ?',
    columns: [
      column('id', 'funding', 'f.id'),
      column('created_at', 'time', 'f.created_at'),
      column('deposited_at', 'time', 'f.deposited_at'),
      column('client', 'text', 'r.name'),
      column('machine', 'text', 'f.machine'),
      column('machine_name', 'text', 'm.name'),
      column('currency', 'text', 'f.currency'),
      total('amount', 'fiat', 'f.amount'),
      total('remaining', 'fiat', 'f.remaining'),
      total('spent', 'fiat', 'f.spent'),
      total('withdrawn', 'fiat', 'f.withdrawn'),
      column('rate', 'rate', 'f.rate'),
      column('status', 'text', 'f.status'),
    ],
  },
  // Without recipients the commission stays in the source wallet: one row without a recipient.
  commission: {
    from: `cash_outs co left join machines m on m.device_id = co.machine
      left join currencies cu on cu.code = co.currency
      left join commission_shares s on s.cash_out_id = co.id left join recipients r on r.id = s.recipient_id
      left join payouts p on p.id = s.payout_id`,
    at: 'co.confirmed_at',
    key: ['co.confirmed_at', 'co.id', 'coalesce(s.recipient_id, 0)'],
    currency: 'cu',
    client: null,
    parts: 'sats',
    columns: [
      ...ofCashOut,
      column('recipient', 'text', 'r.name'),
      column('currency', 'text', 'co.currency'),
      total('sats', 'sats', 'coalesce(s.sats, co.commission)'),
      column('payout', 'payout', 's.payout_id'),
      ...paid,
      ...partOfCommission(
        'sats',
        `select sum(x.sats) from commission_shares x where x.cash_out_id = co.id and x.recipient_id < s.recipient_id`,
      ),
    ],
  },
  changes: {
    from: 'log l',
    at: 'l.at',
    key: ['l.id'],
    currency: null,
    client: `l.subject in (select 'client ' || x.name from recipients x where x.id = ?
      union all select 'f' || x.id from fundings x where x.client_id = ?
      union all select 'p' || x.id from payouts x where x.recipient_id = ?)`,
    columns: [
      column('id', 'number', 'l.id'),
      column('at', 'time', 'l.at'),
      column('actor', 'text', 'l.actor'),
      column('run', 'run', 'l.run_id'),
      column('action', 'text', 'l.action'),
      column('subject', 'text', 'l.subject'),
      column('reason', 'text', 'l.reason'),
      column('before', 'json', 'l.before'),
      column('after', 'json', 'l.after'),
    ],
  },
} satisfies Record<string, ExportKind>;

export type KindName = keyof typeof kinds;
