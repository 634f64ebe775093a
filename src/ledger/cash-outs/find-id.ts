import { conflict, invalid, notFound } from '../../errors.ts';
import { type Call, call, message } from '../../lib/message.ts';
import type { Db } from '../store/open.ts';

const SHORTEST = 6;

/** How many ids an error names if the text is ambiguous. */
const MOST = 5;

/** Sorts after every id with the same beginning. */
const LAST = '\u{10ffff}';

/** The ids with this beginning that the ledger does not know. */
export type Elsewhere = (beginning: string) => Promise<string[]>;

/**
 * The whole id of a cash-out, by itself or by an unambiguous beginning: of an id that was distributed or is in review,
 * else of an id from `elsewhere`. Errors: those of `onlyId` and of `elsewhere`.
 */
export async function findCashOutId(
  db: Db,
  text: string,
  { field = 'id', elsewhere }: { field?: string; elsewhere?: Elsewhere | undefined } = {},
): Promise<string> {
  const known = [...(await idsBeginning(db, 'cash_outs', text)), ...(await idsBeginning(db, 'review', text))];
  const found = known.length > 0 || !elsewhere || text.length < SHORTEST ? known : await elsewhere(text);
  return onlyId(text, [...new Set(found)], field, call('review.list'));
}

/** The first ids of a table with this beginning; with a client only of cash-outs that its cash had a part in. */
export async function idsBeginning(
  db: Db,
  table: 'cash_outs' | 'review',
  text: string,
  client?: bigint,
): Promise<string[]> {
  const cashOuts = db.selectFrom('cash_outs').select('id');
  const own = client === undefined ? cashOuts : cashOuts.where('id', 'in', idsOfClient(db, client));
  const ids = table === 'cash_outs' ? own : db.selectFrom('review').select('cash_out_id as id');
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

/** The cash-outs that the client's cash had a part in. The index on fundings has them. */
export function idsOfClient(db: Db, client: bigint) {
  return db
    .selectFrom('allocations')
    .select('cash_out_id')
    .where('funding_id', 'in', db.selectFrom('fundings').select('id').where('client_id', '=', client));
}

/**
 * The one id with this beginning. Errors, all `usage/invalid`: `invalid` if the text is too short, `not-found` if no id
 * begins with it, `conflict` if several do. `what`: what is missing then.
 */
export function onlyId(text: string, found: string[], field: string, list: Call, what = 'cash-out'): string {
  const exact = found.find((id) => id === text);
  if (exact !== undefined) return exact;
  const shown = JSON.stringify(text);
  if (text.length < SHORTEST) {
    throw invalid(field, `${shown} is too short for an id`, `Type at least ${SHORTEST} characters of it.`);
  }
  const [id, another] = found;
  if (id === undefined) throw notFound(field, `there is no ${what} ${shown}`, message`${list} shows them.`);
  if (another !== undefined) {
    throw conflict(field, `${shown} could be ${found.join(', ')}`, 'Type more characters of it.');
  }
  return id;
}
