import type { Config } from '../config/load.ts';
import { dueGroups } from '../ledger/payouts/form.ts';
import { unsentSats } from '../ledger/payouts/payouts.ts';
import type { Db } from '../ledger/store/open.ts';
import type { Instant } from '../time.ts';
import { formOptions } from './pay.ts';

/** The brake, and what it holds back now, in satoshi. */
export interface Pause {
  at: Instant;
  by: string;
  reason: string;
  sats: bigint;
}

/** Null where paying is not paused. */
export async function pauseOf(db: Db, config: Config): Promise<Pause | null> {
  const { paused_at, paused_by, paused_reason } = await db
    .selectFrom('ledger')
    .select(['paused_at', 'paused_by', 'paused_reason'])
    .executeTakeFirstOrThrow();
  if (paused_at === null) return null;
  const open = await unsentSats(db);
  const due = await dueGroups(db, formOptions(config, 0n));
  return {
    at: paused_at,
    by: paused_by ?? '',
    reason: paused_reason ?? '',
    sats: due.reduce((all, { sats }) => all + sats, open),
  };
}
