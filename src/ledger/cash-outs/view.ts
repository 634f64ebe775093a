import { type RawBuilder, type Selectable, type SqlBool, sql } from 'kysely';
import { call } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import { readNames } from '../store/names-by-id.ts';
import type { Db } from '../store/open.ts';
import { noSuchRow, type Page, type PageOptions } from '../store/page.ts';
import type { Schema } from '../store/schema.ts';
import { idsBeginning, idsOfClient, onlyId } from './find-id.ts';
import { causesOf, type OwnShareCause } from './why-own-share.ts';

/* Cash-outs that were distributed, as lists and pages show them. */

export type CashOutRow = Selectable<Schema['cash_outs']> & {
  digits: number;
  machineName: string | null;
  begunAtName: string | null;
};

/** Which cash-outs are listed; null or undefined: without that bound. */
export interface CashOutChoice {
  id?: string;
  /** Device id. */
  machine?: string | undefined;
  /** Those that cash of this client had a part in. */
  client?: bigint | undefined;
  /** Confirmed at or after this time, and before the other one. */
  from?: Instant | null;
  before?: Instant | null;
}

/** The newest cash-outs of the choice, and how many there are in all. */
export async function readCashOutList(
  db: Db,
  { limit, after }: PageOptions,
  choice: CashOutChoice = {},
): Promise<Page<CashOutRow>> {
  const { id, machine, client, from: since = null, before = null } = choice;
  const from = after === undefined ? null : await placeOf(db, after);
  const query = db
    .selectFrom('cash_outs')
    .$if(id !== undefined, (some) => some.where('cash_outs.id', '=', id ?? ''))
    .$if(machine !== undefined, (some) => some.where('cash_outs.machine', '=', machine ?? ''))
    .$if(client !== undefined, (some) => some.where('cash_outs.id', 'in', idsOfClient(db, client ?? 0n)))
    .$if(since !== null, (some) => some.where('cash_outs.confirmed_at', '>=', since ?? ''))
    .$if(before !== null, (some) => some.where('cash_outs.confirmed_at', '<', before ?? ''));
  const rows = await query
    .innerJoin('currencies', 'currencies.code', 'cash_outs.currency')
    .leftJoin('machines', 'machines.device_id', 'cash_outs.machine')
    .leftJoin('machines as begun', 'begun.device_id', 'cash_outs.begun_at_machine')
    .selectAll('cash_outs')
    .$if(from !== null, (some) => some.where(isOlder(from ?? { confirmed_at: '', id: '' })))
    .select(['currencies.digits', 'machines.name as machineName', 'begun.name as begunAtName'])
    .orderBy('confirmed_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  const { total } = await query
    .select((eb) => eb.fn.countAll<bigint>().as('total'))
    .executeTakeFirstOrThrow();
  return { rows: rows.map((row) => ({ ...row, digits: Number(row.digits) })), total: Number(total) };
}

/**
 * Where a cash-out stands in the lists, of all or of a client. Throws `usage/invalid` if there is none of that id.
 */
export async function placeOf(db: Db, id: string, client?: bigint): Promise<CashOutPlace> {
  const row = await db
    .selectFrom('cash_outs')
    .select(['confirmed_at', 'id'])
    .where('id', '=', id)
    .$if(client !== undefined, (some) => some.where('id', 'in', idsOfClient(db, client ?? 0n)))
    .executeTakeFirst();
  if (!row) throw noSuchRow(id);
  return row;
}

export interface CashOutPlace {
  confirmed_at: Instant;
  id: string;
}

/** Whether a cash-out comes behind that one, in lists that begin with the newest. */
export function isOlder({ confirmed_at: at, id }: CashOutPlace): RawBuilder<SqlBool> {
  return sql<SqlBool>`(cash_outs.confirmed_at, cash_outs.id) < (${at}, ${id})`;
}

export type AllocationView = Selectable<Schema['allocations']> & { client: string };

export interface CashOutDetail {
  cashOut: CashOutRow;
  /** In the order of the fundings. */
  allocations: AllocationView[];
  /** Why it has an own share; empty if it has none, null if an older version divided it. */
  causes: OwnShareCause<string>[] | null;
  /** Who settled it by hand; null if Lamassu confirmed it. */
  settlement: Schema['settlements'] | null;
}

/** A distributed cash-out, by its id or an unambiguous beginning. Errors: those of `onlyId`. */
export async function readCashOut(db: Db, text: string): Promise<CashOutDetail> {
  const id = onlyId(text, await idsBeginning(db, 'cash_outs', text), 'id', call('cash_outs.list'));
  const detail = await cashOutDetail(db, id);
  if (!detail) throw new Error(`cash-out ${id} was found and is not there`);
  return detail;
}

/** The same by the whole id; undefined if it was not processed. */
export async function cashOutDetail(db: Db, id: string): Promise<CashOutDetail | undefined> {
  const [cashOut] = (await readCashOutList(db, { limit: 1 }, { id })).rows;
  if (!cashOut) return undefined;
  const allocations = await db
    .selectFrom('allocations')
    .innerJoin('recipients', 'recipients.id', 'allocations.client_id')
    .selectAll('allocations')
    .select('recipients.name as client')
    .where('cash_out_id', '=', id)
    .orderBy('allocations.funding_id')
    .execute();
  const settlement = await db
    .selectFrom('settlements')
    .selectAll()
    .where('cash_out_id', '=', id)
    .executeTakeFirst();
  return { cashOut, allocations, causes: await causesOfOne(db, cashOut), settlement: settlement ?? null };
}

async function causesOfOne(db: Db, { own_fiat, own_reasons }: CashOutRow): Promise<CashOutDetail['causes']> {
  if (own_fiat === 0n) return [];
  const causes = causesOf(own_reasons);
  if (causes === null) return null;
  const { recipients } = await readNames(db);
  return causes.map(({ reason, clients }) => ({
    reason,
    clients: clients.map((id) => recipients.get(id) ?? `${id}`),
  }));
}
