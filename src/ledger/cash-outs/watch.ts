import type { Instant } from '../../time.ts';
import type { Trx } from '../store/open.ts';

/** Watches a row that may become eligible: each run reads it again by its id, however old it is. */
export async function watch(
  trx: Trx,
  row: { id: string; source: string; confirmedAt: Instant | null },
  at: Instant,
): Promise<void> {
  await trx
    .insertInto('watch')
    .values({ cash_out_id: row.id, source: row.source, confirmed_at: row.confirmedAt, since: at })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
