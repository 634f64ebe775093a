import { dueGroups } from '../ledger/payouts/form.ts';
import { type Paused, pausedSince } from '../ledger/payouts/paused.ts';
import { unsentSats } from '../ledger/payouts/payouts.ts';
import type { Ledger } from '../ledger/store/open.ts';
import { type FormConfig, formOptions } from './pay.ts';

/** The pause, and the sats that wait because of it. */
export interface Pause extends Paused {
  sats: bigint;
}

/** The pause; null if paying is not paused. */
export async function pauseOf(
  { db, clock }: Pick<Ledger, 'db' | 'clock'>,
  config: FormConfig,
): Promise<Pause | null> {
  const paused = await pausedSince(db);
  if (paused === null) return null;
  const open = await unsentSats(db);
  const due = await dueGroups(db, formOptions(config, 0n, clock.now()));
  return { ...paused, sats: due.reduce((all, { sats }) => all + sats, open) };
}
