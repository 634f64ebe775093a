import type { Db } from '../store/open.ts';
import type { Schema } from '../store/schema.ts';

export type Processed = Pick<
  Schema['cash_outs'],
  'machine' | 'begun_at_machine' | 'confirmed_at' | 'currency' | 'fiat' | 'gross' | 'origin'
>;

export type KnownReview = Pick<Schema['review'], 'reason' | 'lamassu' | 'state' | 'since'>;

/** What the ledger knows of a row of the source. */
export interface KnownRow {
  processed?: Processed;
  /** Its entry in the review queue; not read for a processed row. */
  review?: KnownReview;
  watched: boolean;
}

export const NOTHING_KNOWN: KnownRow = { watched: false };

/** What the ledger knows of the rows, by id; unknown rows are left out. */
export async function knownRows(db: Db, ids: readonly string[]): Promise<Map<string, KnownRow>> {
  const known = new Map<string, KnownRow>();
  if (ids.length === 0) return known;
  const processed = await db
    .selectFrom('cash_outs')
    .select(['id', 'machine', 'begun_at_machine', 'confirmed_at', 'currency', 'fiat', 'gross', 'origin'])
    .where('id', 'in', ids)
    .execute();
  for (const { id, ...row } of processed) known.set(id, { processed: row, watched: false });
  // Usually none: most rows of a window were processed before.
  const open = ids.filter((id) => !known.has(id));
  if (open.length === 0) return known;
  const watched = await db
    .selectFrom('watch')
    .select('cash_out_id')
    .where('cash_out_id', 'in', open)
    .execute();
  for (const { cash_out_id: id } of watched) known.set(id, { watched: true });
  for (const [id, review] of await knownReviews(db, open))
    known.set(id, { watched: known.get(id)?.watched ?? false, review });
  return known;
}

/** The entries of the review queue, by the id of the row. */
export async function knownReviews(db: Db, ids: readonly string[]): Promise<Map<string, KnownReview>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('review')
    .select(['cash_out_id', 'reason', 'lamassu', 'state', 'since'])
    .where('cash_out_id', 'in', ids)
    .execute();
  return new Map(rows.map(({ cash_out_id: id, ...review }) => [id, review]));
}
