import { type SqlBool, sql } from 'kysely';
import type { Mode } from '../../dca/fill.ts';
import { formatDecimal } from '../../dca/money.ts';
import { notFound, wrongState } from '../../errors.ts';
import { didYouMean } from '../../lib/did-you-mean.ts';
import { call, message } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import { inForce } from '../store/effective-dated.ts';
import { namesOf } from '../store/names-by-id.ts';
import type { Db, Trx } from '../store/open.ts';
import { CASH_LEFT, type Schema } from '../store/schema.ts';

/** A client at a moment: its row, and the mode and limits in force. */
export interface Client {
  id: bigint;
  name: string;
  walletId: string;
  /** `closing`: an older version began to close it while it was owed sats. `closed` is final. */
  status: Schema['recipients']['status'];
  createdAt: Instant;
  mode: Mode;
  /** It gets no new allocations; what is due to it is still paid. */
  paused: boolean;
  limits: Limit[];
}

/** A fixed client's limit per local day in one currency, and the most that the client may set; minor units. */
export interface Limit {
  currency: string;
  digits: number;
  daily: bigint;
  max: bigint | null;
}

/** The clients by name, with the settings in force at `at`. */
export async function clientsAt(db: Db, at: Instant, name?: string): Promise<Client[]> {
  const clients = await db
    .selectFrom('recipients')
    .innerJoin('client_settings', (join) =>
      join.on(
        'client_settings.id',
        '=',
        inForce('client_settings', 'client_id', sql.ref('recipients.id'), at),
      ),
    )
    .selectAll('recipients')
    .select(['client_settings.mode', 'client_settings.paused'])
    .$if(name !== undefined, (query) => query.where('recipients.name', '=', name ?? ''))
    .orderBy('recipients.name')
    .execute();
  const limits = await db
    .selectFrom('client_limits as l')
    .innerJoin('currencies', 'currencies.code', 'l.currency')
    .select(['l.client_id', 'l.currency', 'l.daily_limit', 'l.max_daily_limit', 'currencies.digits'])
    .where(
      'l.id',
      '=',
      inForce(
        'client_limits',
        'client_id',
        sql.ref('l.client_id'),
        at,
        sql<SqlBool>`x.currency = ${sql.ref('l.currency')}`,
      ),
    )
    .orderBy('l.currency')
    .execute();
  return clients.map((row) => ({
    id: row.id,
    name: row.name,
    walletId: row.wallet_id,
    status: row.status,
    createdAt: row.created_at,
    mode: row.mode,
    paused: row.paused === 1n,
    limits: limits
      .filter((limit) => limit.client_id === row.id)
      .map((limit) => ({
        currency: limit.currency,
        digits: Number(limit.digits),
        daily: limit.daily_limit,
        max: limit.max_daily_limit,
      })),
  }));
}

/** The client of that name; `field` is the input's field. Throws `usage/invalid` if there is none. */
export async function findClient(db: Db, name: string, at: Instant, field = 'client'): Promise<Client> {
  const [client] = await clientsAt(db, at, name);
  if (client) return client;
  const near = didYouMean(name, await namesOf(db, 'client'));
  throw notFound(
    field,
    `there is no client ${JSON.stringify(name)}`,
    message`${near}${call('clients.list')} shows the names.`,
  );
}

/** A client that can still be changed: `closed` is final. */
export async function openClient(db: Db, name: string, at: Instant): Promise<Client> {
  const client = await findClient(db, name, at, 'name');
  if (client.status !== 'closed') return client;
  throw wrongState('name', `${name} is closed`, 'That is final; add a client with another name.');
}

/** The client's fundings with cash left, oldest first. */
export function fundingsWithCash(db: Db, client: bigint) {
  return db
    .selectFrom('fundings')
    .select(['id', 'status', 'currency'])
    .where('client_id', '=', client)
    .where('status', 'in', CASH_LEFT)
    .orderBy('id')
    .execute();
}

export async function setStatus(trx: Trx, { id }: Client, status: Client['status']): Promise<void> {
  await trx.updateTable('recipients').set({ status }).where('id', '=', id).execute();
}

/** A client as the log shows it. */
export function clientSnapshot({ mode, paused, status, walletId, limits }: Client) {
  return {
    mode,
    paused,
    status,
    wallet_id: walletId,
    limits: limits.map(({ currency, digits, daily, max }) => ({
      currency,
      daily: formatDecimal(daily, digits),
      max: max === null ? null : formatDecimal(max, digits),
    })),
  };
}
