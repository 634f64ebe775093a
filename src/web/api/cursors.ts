import { invalid } from '../../errors.ts';
import { parseLimit } from '../../typed/limit.ts';
import type { WebContext } from '../request/site-context.ts';

/* Lists page by page: `limit`, an opaque `cursor`, and `Link: rel="next"`. */

const DEFAULT_ROWS = 50;
const MOST_ROWS = 200;

export interface PageAsked {
  limit: number;
  /** What the cursor holds: the id of the last row that was shown. */
  after: string | undefined;
}

/** Throws `usage/invalid` for a limit or a cursor that cannot be used. */
export function pageAsked(context: WebContext): PageAsked {
  const given = context.req.query('limit');
  const limit = given === undefined ? DEFAULT_ROWS : parseLimit(given);
  if (limit > MOST_ROWS)
    throw invalid('limit', `${limit} is more than ${MOST_ROWS}`, 'Follow Link: rel="next".');
  const cursor = context.req.query('cursor');
  return { limit, after: cursor === undefined ? undefined : read(cursor) };
}

/** Says where the next page is; `last`: the id of the last row of this one. */
export function linkNext(context: WebContext, last: string): void {
  const url = new URL(context.req.url);
  url.searchParams.set('cursor', Buffer.from(last).toString('base64url'));
  context.header('link', `<${url.pathname}${url.search}>; rel="next"`);
}

function read(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString();
  if (text !== '' && Buffer.from(text).toString('base64url') === cursor) return text;
  throw invalid('cursor', 'it is none that was answered here', 'Begin without a cursor.');
}

/** One page of rows that are all there; `id` tells them apart. Throws `usage/invalid` if the cursor's row is gone. */
export function pageOfRows<Row>(
  rows: readonly Row[],
  { limit, after }: PageAsked,
  id: (row: Row) => string,
): { rows: Row[]; more: boolean } {
  const at = after === undefined ? -1 : rows.findIndex((row) => id(row) === after);
  if (after !== undefined && at < 0) {
    throw invalid('cursor', 'its row is not there any more', 'Begin without a cursor.');
  }
  const page = rows.slice(at + 1, at + 1 + limit);
  return { rows: page, more: at + 1 + limit < rows.length };
}
