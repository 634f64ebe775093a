import type { Config } from '../config/config.ts';
import { latestDue, nextDue } from '../dca/local-time.ts';
import type { FormOptions } from '../ledger/payouts/form.ts';
import { type Wait, whoWaits } from '../ledger/payouts/waits.ts';
import type { Ledger } from '../ledger/store/open.ts';
import type { Instant } from '../time.ts';

/* What is due and who waits, by the settings. Apart from paying, so that pages load nothing of LNbits. */

/** The settings for when and how payouts are formed. */
export type FormConfig = Pick<Config, 'payouts' | 'fixed' | 'timezone'>;

/** The rules by which allocations that are due at `at` become payouts. */
export function formOptions(config: FormConfig, run: bigint, at: Instant): FormOptions {
  const { batch, minimumSats, maximumSats } = config.payouts;
  return {
    batch,
    minimumSats,
    maximumSats,
    fixedDueAt: latestDue(at, config.fixed.times, config.timezone),
    now: at,
    run,
  };
}

/** Who waits for what at this moment. */
export async function waitsNow(
  { db, clock }: Pick<Ledger, 'db' | 'clock'>,
  config: FormConfig,
): Promise<Wait[]> {
  const at = clock.now();
  return whoWaits(db, formOptions(config, 0n, at), nextDue(at, config.fixed.times, config.timezone));
}
