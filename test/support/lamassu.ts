import { randomUUID } from 'node:crypto';
import pg from 'pg';

/**
 * The tables of Lamassu's server by its migrations of that time: `2018` neither prices nor received atoms, `2023-05`
 * the first names of the recyclers, `10.0.3` what most operators run, `next` also `fixed_fee`.
 */
export type LamassuVersion = '2018' | '2023-05' | '10.0.3' | 'next';

export interface Lamassu {
  url: string;
  version: LamassuVersion;
  /** For other changes that a test makes in the database. */
  query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Ends the fixture's own session. */
  end(): Promise<void>;
}

type Value = string | number | bigint | boolean | null;

const STAGES = [
  'notSeen',
  'published',
  'authorized',
  'instant',
  'confirmed',
  'rejected',
  'insufficientFunds',
];

/** The machine of all rows that name none. */
export const MACHINE = '7a1f4c2e9b8d4f60a3c5e7910b2d4f68';

/** Makes Lamassu's tables in the empty database at `url`. */
export async function createLamassu(
  url: string,
  { version = '10.0.3' }: { version?: LamassuVersion } = {},
): Promise<Lamassu> {
  const client = new pg.Client({ connectionString: url, application_name: 'lamassu-server' });
  client.on('error', () => undefined);
  await client.connect();
  await client.query(schema(version));
  return {
    url,
    version,
    query: async (sql, values = []) => (await client.query<Record<string, unknown>>(sql, values)).rows,
    end: () => client.end(),
  };
}

/**
 * Inserts a cash-out and returns its id. Without more it is a successful one of half an hour ago, with the figures
 * of a real row: 4000.00000 GTQ for 512,400 sat at 826091.28000 and 5.5 %, of which 484,207 are principal.
 */
export async function insertCashOut(db: Lamassu, columns: Record<string, Value> = {}): Promise<string> {
  const now = Date.now();
  const ago = (minutes: number) => new Date(now - minutes * 60_000).toISOString();
  const { confirmed_at: confirmed } = columns;
  const shortly = (time: string) => new Date(Date.parse(time) - 2 * 60_000).toISOString();
  const defaults: Record<string, Value> = {
    id: randomUUID(),
    device_id: MACHINE,
    to_address: 'lnbc5124u1pexample',
    crypto_atoms: '512400',
    crypto_code: 'LN',
    fiat: '4000.00000',
    fiat_code: 'GTQ',
    status: 'confirmed',
    dispense: true,
    dispense_confirmed: true,
    created:
      typeof confirmed === 'string' && !Number.isNaN(Date.parse(confirmed)) ? shortly(confirmed) : ago(32),
    confirmed_at: ago(30),
    phone: '+50255550123',
    ...(db.version === '2018'
      ? {}
      : {
          received_crypto_atoms: '512400',
          commission_percentage: '0.05500',
          raw_ticker_price: '826091.28000',
          discount: 0,
        }),
  };
  const [row] = await insert(db, 'cash_out_txs', { ...defaults, ...columns });
  return String(row?.id);
}

/** Inserts a row of `cash_out_actions`; without more it is a whole dispense of 20 × 200 by the row's own machine. */
export async function insertAction(
  db: Lamassu,
  columns: Record<string, Value> & { tx_id: string },
): Promise<void> {
  const [row] = await db.query('select device_id from public.cash_out_txs where id = $1', [columns.tx_id]);
  const device_id = String(row?.device_id ?? MACHINE);
  const defaults = { action: 'dispense', device_id, denomination_1: 200, dispensed_1: 20 };
  await insert(db, 'cash_out_actions', { ...defaults, ...columns });
}

export async function pairMachine(db: Lamassu, name: string, deviceId = MACHINE): Promise<void> {
  await insert(db, 'devices', { device_id: deviceId, name });
}

/** As Lamassu's server unpairs a machine: its row goes, its name is kept elsewhere. */
export async function unpairMachine(db: Lamassu, deviceId = MACHINE): Promise<void> {
  await db.query(
    `insert into unpaired_devices (id, device_id, name, paired, unpaired)
     select gen_random_uuid(), device_id, name, created, now() from devices where device_id = $1`,
    [deviceId],
  );
  await db.query('delete from devices where device_id = $1', [deviceId]);
}

async function insert(db: Lamassu, table: string, columns: Record<string, Value>) {
  const names = Object.keys(columns);
  const places = names.map((_, i) => `$${i + 1}`);
  return db.query(
    `insert into public.${table} (${names.join(', ')}) values (${places.join(', ')}) returning *`,
    Object.values(columns),
  );
}

function schema(version: LamassuVersion): string {
  const since = (added: LamassuVersion, ...columns: string[]) => {
    const order: LamassuVersion[] = ['2018', '2023-05', '10.0.3', 'next'];
    return order.indexOf(version) >= order.indexOf(added) ? columns : [];
  };
  const recyclers =
    version === '2023-05'
      ? ['1f', '1r', '2f', '2r', '3f', '3r']
      : since('10.0.3', ...[1, 2, 3, 4, 5, 6].map((n) => `recycler_${n}`));
  const slots = ['1', '2', ...since('2023-05', '3', '4'), ...recyclers];
  const cashOuts = [
    'id uuid primary key',
    'device_id text not null',
    'to_address text not null',
    'crypto_atoms numeric(30) not null',
    'crypto_code text not null',
    'fiat numeric(14,5) not null',
    'fiat_code text not null',
    'tx_hash text',
    "status status_stage not null default 'notSeen'",
    'dispense boolean not null default false',
    'notified boolean not null default false',
    'redeem boolean not null default false',
    'phone text',
    'error text',
    'created timestamptz not null default now()',
    'dispense_confirmed boolean default false',
    'last_checked timestamptz',
    'confirmed_at timestamptz',
    'error_code text',
    "customer_id uuid default '47ac1184-8102-11e7-9079-8f13a7117867'",
    'tx_version integer not null default 1',
    'published_at timestamptz',
    'terms_accepted boolean not null default false',
    'layer_2_address text',
    ...since(
      '2023-05',
      'commission_percentage numeric(14,5) default null',
      'raw_ticker_price numeric(14,5) default null',
      'received_crypto_atoms numeric(30) default null',
      'discount smallint',
      'tx_customer_photo_at timestamptz',
      'tx_customer_photo_path text',
      'wallet_score smallint',
    ),
    ...since('10.0.3', 'email text'),
    ...since('next', 'fixed_fee numeric(14,5) not null default 0'),
  ];
  const actions = [
    'id serial primary key',
    'tx_id uuid not null references cash_out_txs (id)',
    'action text not null',
    'to_address text',
    'error text',
    'error_code text',
    'tx_hash text',
    'created timestamptz not null default now()',
    "device_id text not null default ''",
    ...slots.flatMap((slot) =>
      ['provisioned', 'dispensed', 'rejected', 'denomination'].map((what) => `${what}_${slot} integer`),
    ),
  ];
  return `
    create type status_stage as enum (${STAGES.map((stage) => `'${stage}'`).join(', ')});
    create table devices (
      device_id text primary key, password text, name text, paired boolean not null default true,
      display boolean not null default true, created timestamptz not null default now()
    );
    ${since('2023-05', 'create table unpaired_devices (id uuid primary key, device_id text not null, model text, name text, paired timestamp not null, unpaired timestamp not null);').join('')}
    create table customers (id uuid primary key, phone text, id_card_data json);
    create table cash_out_txs (${cashOuts.join(', ')});
    create table cash_out_actions (${actions.join(', ')});
  `;
}
