import { dueGroups } from '../ledger/payouts/form.ts';
import { unsentSats } from '../ledger/payouts/open-payouts.ts';
import { type Pause, pauseOf } from '../ledger/payouts/pause.ts';
import type { Ledger } from '../ledger/store/open.ts';
import { type FormConfig, formOptions } from './due.ts';

/** The pause, and the sats that wait because of it. */
export interface PausedSats extends Pause {
  sats: bigint;
}

/** The pause; null if paying is not paused. */
export async function pausedSats(
  { db, clock }: Pick<Ledger, 'db' | 'clock'>,
  config: FormConfig,
): Promise<PausedSats | null> {
  const paused = await pauseOf(db);
  if (paused === null) return null;
  const open = await unsentSats(db);
  const due = await dueGroups(db, formOptions(config, 0n, clock.now()));
  return { ...paused, sats: due.reduce((all, { sats }) => all + sats, open) };
}
