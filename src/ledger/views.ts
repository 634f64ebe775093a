import type { Selectable } from 'kysely';
import { sql } from 'kysely';
import { BridgeError } from '../errors.ts';
import type { Db } from './store/open.ts';
import type { PayoutState, Schema } from './store/schema.ts';

/* What the lists and pages of the command line read. */

/** The newest rows, and how many there are in all. */
export interface Page<T> {
  rows: T[];
  total: number;
}

export type PayoutView = Selectable<Schema['payouts']> & {
  recipient: string;
  digits: number;
  /** Sats of its parts that have arrived. */
  settled: bigint;
  /** What LNbits took on top as its service fee, in msat. */
  feeMsat: bigint;
};

export interface PayoutFilter {
  states?: readonly PayoutState[] | undefined;
  /** A recipient's name. */
  recipient?: string | undefined;
  id?: bigint | undefined;
}

export async function listPayouts(db: Db, filter: PayoutFilter, limit: number): Promise<Page<PayoutView>> {
  const { states, recipient, id } = filter;
  const query = db
    .selectFrom('payouts')
    .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
    .innerJoin('currencies', 'currencies.code', 'payouts.currency')
    .$if(states !== undefined, (some) => some.where('payouts.state', 'in', states ?? []))
    .$if(recipient !== undefined, (some) => some.where('recipients.name', '=', recipient ?? ''))
    .$if(id !== undefined, (some) => some.where('payouts.id', '=', id ?? 0n));
  const rows = await query
    .selectAll('payouts')
    .select(['recipients.name as recipient', 'currencies.digits'])
    .select((eb) => [
      eb
        .selectFrom('payments')
        .select(sql<bigint>`cast(coalesce(sum(payments.sats), 0) as bigint)`.as('sats'))
        .whereRef('payments.payout_id', '=', 'payouts.id')
        .where('payments.state', '=', 'settled')
        .$asScalar()
        .as('settled'),
      eb
        .selectFrom('payments')
        .select(sql<bigint>`cast(coalesce(sum(payments.fee_msat), 0) as bigint)`.as('fee_msat'))
        .whereRef('payments.payout_id', '=', 'payouts.id')
        .$asScalar()
        .as('fee_msat'),
    ])
    .orderBy('payouts.id', 'desc')
    .limit(limit)
    .execute();
  const { total } = await query
    .select((eb) => eb.fn.countAll<bigint>().as('total'))
    .executeTakeFirstOrThrow();
  return {
    rows: rows.map(({ fee_msat, ...row }) => ({
      ...row,
      digits: Number(row.digits),
      settled: row.settled ?? 0n,
      feeMsat: fee_msat ?? 0n,
    })),
    total: Number(total),
  };
}

export interface PayoutDetail {
  payout: PayoutView;
  /** The allocations, or shares of the commission, that it pays. */
  members: { id: bigint; cash_out_id: string; sats: bigint }[];
  payments: Selectable<Schema['payments']>[];
}

/** Throws `usage/invalid` where there is no such payout. */
export async function showPayout(db: Db, id: bigint): Promise<PayoutDetail> {
  const [payout] = (await listPayouts(db, { id }, 1)).rows;
  if (!payout) throw none(`there is no payout p${id}`, '`aio-dca payouts list` shows them.');
  const allocations = await db
    .selectFrom('allocations')
    .select(['id', 'cash_out_id', 'net as sats'])
    .where('payout_id', '=', id)
    .orderBy('id')
    .execute();
  const shares = await db
    .selectFrom('commission_shares')
    .select(['id', 'cash_out_id', 'sats'])
    .where('payout_id', '=', id)
    .orderBy('id')
    .execute();
  const payments = await db
    .selectFrom('payments')
    .selectAll()
    .where('payout_id', '=', id)
    .orderBy('part')
    .orderBy('attempt')
    .execute();
  return { payout, members: [...allocations, ...shares], payments };
}

export type CashOutView = Selectable<Schema['cash_outs']> & { digits: number };

export async function listCashOuts(db: Db, limit: number, id?: string): Promise<Page<CashOutView>> {
  const query = db.selectFrom('cash_outs').$if(id !== undefined, (some) => some.where('id', '=', id ?? ''));
  const rows = await query
    .innerJoin('currencies', 'currencies.code', 'cash_outs.currency')
    .selectAll('cash_outs')
    .select('currencies.digits')
    .orderBy('confirmed_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  const { total } = await query
    .select((eb) => eb.fn.countAll<bigint>().as('total'))
    .executeTakeFirstOrThrow();
  return { rows: rows.map((row) => ({ ...row, digits: Number(row.digits) })), total: Number(total) };
}

export type AllocationView = Selectable<Schema['allocations']> & { client: string };

export interface CashOutDetail {
  cashOut: CashOutView;
  /** In the order of the fundings. */
  allocations: AllocationView[];
  /** Who settled it by hand; null where Lamassu confirmed it. */
  settlement: Schema['settlements'] | null;
}

/** A cash-out by its id or an unambiguous beginning of it. Throws `usage/invalid`. */
export async function showCashOut(db: Db, text: string): Promise<CashOutDetail> {
  const id = only(text, await beginning(db, 'cash_outs', text), 'cash-out', 'aio-dca cash-outs list');
  const detail = await cashOutDetail(db, id);
  if (!detail) throw new Error(`cash-out ${id} was found and is not there`);
  return detail;
}

/** Undefined where nothing of that id was processed. */
export async function cashOutDetail(db: Db, id: string): Promise<CashOutDetail | undefined> {
  const [cashOut] = (await listCashOuts(db, 1, id)).rows;
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
  return { cashOut, allocations, settlement: settlement ?? null };
}

/** Lamassu's ids are UUIDs. */
const LAMASSU_ID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/**
 * The whole id of the cash-out that a person means: Lamassu's, which need not be known here, or an unambiguous
 * beginning of one that was processed or came into review, else of one that `elsewhere` has. Throws `usage/invalid`,
 * and what `elsewhere` throws.
 */
export async function findCashOutId(
  db: Db,
  text: string,
  elsewhere?: (beginning: string) => Promise<string[]>,
): Promise<string> {
  if (LAMASSU_ID.test(text)) return text.toLowerCase();
  const known = [...(await beginning(db, 'cash_outs', text)), ...(await beginning(db, 'review', text))];
  const found = known.length > 0 || !elsewhere || text.length < SHORTEST ? known : await elsewhere(text);
  return only(text, [...new Set(found)], 'cash-out', 'aio-dca review list');
}

/** The first ids of a table that begin with the text. */
async function beginning(db: Db, table: 'cash_outs' | 'review', text: string): Promise<string[]> {
  const ids =
    table === 'cash_outs'
      ? db.selectFrom('cash_outs').select('id')
      : db.selectFrom('review').select('cash_out_id as id');
  const rows = await db
    .selectFrom(ids.as('ids'))
    .select('id')
    .where('id', '>=', text)
    .where('id', '<=', `${text}${LAST}`)
    .orderBy('id')
    .limit(MOST)
    .execute();
  return rows.map((row) => row.id);
}

export type ReviewView = Schema['review'];

/** Rows that wait for a person; with `closed`, also those that do not any more. */
export async function listReview(
  db: Db,
  limit: number,
  { closed }: { closed: boolean },
): Promise<Page<ReviewView>> {
  const query = db
    .selectFrom('review')
    .$if(!closed, (some) => some.where('state', 'in', ['open', 'released']));
  const rows = await query
    .selectAll()
    .orderBy('since', 'desc')
    .orderBy('cash_out_id', 'desc')
    .limit(limit)
    .execute();
  const { total } = await query
    .select((eb) => eb.fn.countAll<bigint>().as('total'))
    .executeTakeFirstOrThrow();
  return { rows, total: Number(total) };
}

export interface ReviewDetail {
  review: ReviewView;
  /** What the ledger knows of it: processed, or watched since when. */
  cashOut: CashOutView | null;
  watchedSince: string | null;
  /** Who let it pass, last. */
  release: { at: string; actor: string; reason: string | null } | null;
}

/** A row in review by its whole id; undefined where it never came there. */
export async function findReview(db: Db, id: string): Promise<ReviewDetail | undefined> {
  const review = await db.selectFrom('review').selectAll().where('cash_out_id', '=', id).executeTakeFirst();
  if (!review) return undefined;
  const release = await db
    .selectFrom('log')
    .select(['at', 'actor', 'reason'])
    .where('subject', '=', id)
    .where('action', '=', 'review release')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const watch = await db.selectFrom('watch').select('since').where('cash_out_id', '=', id).executeTakeFirst();
  const [cashOut] = (await listCashOuts(db, 1, id)).rows;
  return { review, cashOut: cashOut ?? null, watchedSince: watch?.since ?? null, release: release ?? null };
}

/** The same of one that is there for certain. */
export async function showReview(db: Db, id: string): Promise<ReviewDetail> {
  const found = await findReview(db, id);
  if (!found) throw new Error(`${id} is not in review`);
  return found;
}

/** Sorts after everything that can follow a beginning. */
const LAST = '\u{10ffff}';
const SHORTEST = 6;
const MOST = 5;

/** The one id that was meant. */
function only(text: string, found: string[], noun: string, list: string): string {
  const exact = found.find((id) => id === text);
  if (exact !== undefined) return exact;
  if (text.length < SHORTEST) {
    throw none(
      `${JSON.stringify(text)} is too short for an id`,
      `Type at least ${SHORTEST} characters of it.`,
    );
  }
  const [id, another] = found;
  if (id === undefined) throw none(`there is no ${noun} ${JSON.stringify(text)}`, `\`${list}\` shows them.`);
  if (another !== undefined) {
    throw none(`${JSON.stringify(text)} could be ${found.join(', ')}`, 'Type more characters of it.');
  }
  return id;
}

function none(message: string, hint: string): BridgeError {
  return new BridgeError('usage/invalid', `ID: ${message}.`, hint);
}
