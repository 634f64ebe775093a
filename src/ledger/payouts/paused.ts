import type { Instant } from '../../time.ts';
import type { Db } from '../store/open.ts';

/** Who paused paying, when and why. */
export interface Paused {
  at: Instant;
  by: string;
  reason: string;
}

/** Null where paying is not paused. */
export async function pausedSince(db: Db): Promise<Paused | null> {
  const { paused_at, paused_by, paused_reason } = await db
    .selectFrom('ledger')
    .select(['paused_at', 'paused_by', 'paused_reason'])
    .executeTakeFirstOrThrow();
  return paused_at === null ? null : { at: paused_at, by: paused_by ?? '', reason: paused_reason ?? '' };
}
