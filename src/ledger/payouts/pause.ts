import type { Instant } from '../../time.ts';
import { type Act, type ReasonedAct, record } from '../log/log.ts';
import type { Db, Trx } from '../store/open.ts';

/* The pause: recording goes on, and nothing is sent. */

export interface Pause {
  at: Instant;
  by: string;
  reason: string;
}

/** Who paused paying, since when and why; null if it is not paused. */
export async function pauseOf(db: Db): Promise<Pause | null> {
  const { paused_at: at, paused_by: by, paused_reason: reason } = await readPause(db);
  return at === null ? null : { at, by: by ?? '', reason: reason ?? '' };
}

/** Whether paying is paused; read before each payment and credit. */
export async function isPaused(db: Db): Promise<boolean> {
  const { paused_at } = await db.selectFrom('ledger').select('paused_at').executeTakeFirstOrThrow();
  return paused_at !== null;
}

/** Pauses paying: nothing more is sent. False if it was paused already; that pause stays as it was. */
export async function pausePaying(trx: Trx, act: ReasonedAct): Promise<boolean> {
  if (await isPaused(trx)) return false;
  const { at, actor, reason } = act;
  const after = { paused_at: at, paused_by: actor, paused_reason: reason };
  await trx.updateTable('ledger').set(after).execute();
  await record(trx, act, { action: 'payouts pause', subject: 'payouts', after });
  return true;
}

/** Resumes paying. False if it was not paused. */
export async function resumePaying(trx: Trx, act: Act): Promise<boolean> {
  const before = await readPause(trx);
  if (before.paused_at === null) return false;
  await trx.updateTable('ledger').set({ paused_at: null, paused_by: null, paused_reason: null }).execute();
  await record(trx, act, { action: 'payouts resume', subject: 'payouts', before });
  return true;
}

function readPause(db: Db) {
  return db
    .selectFrom('ledger')
    .select(['paused_at', 'paused_by', 'paused_reason'])
    .executeTakeFirstOrThrow();
}
