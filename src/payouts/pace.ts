import type { PayContext } from './session.ts';

/** How long a run continues at LNbits' pace; the next run reads Lamassu first. */
const LONGEST_MS = 15 * 60_000;
/** How many times in a row LNbits may accept nothing; five waits outlast a window of a minute (lnbits/pace.ts). */
const IN_A_ROW = 6;

/**
 * After a rate limit: waits until LNbits accepts requests again. False if the rest is left to the next run, or the run
 * is asked to stop. The lease is renewed meanwhile, so no other run can begin.
 */
export async function keepPace(ctx: PayContext): Promise<boolean> {
  ctx.limited = (ctx.limited ?? 0) + 1;
  if (ctx.limited >= IN_A_ROW) return false;
  for (let wait = Math.max(ctx.lnbits.wait(), 1); wait > 0; wait = ctx.lnbits.wait()) {
    if (ctx.signal.aborted || ctx.clock.monotonic() - ctx.began + wait > LONGEST_MS) return false;
    ctx.onWait?.(wait);
    await ctx.clock.sleep(wait, { signal: ctx.signal });
  }
  return !ctx.signal.aborted;
}
