import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from './session.ts';

/** How long a run goes on at the pace that LNbits allows; then the next one does, which reads Lamassu first. */
const LONGEST_MS = 15 * 60_000;
/** So often in a row LNbits may take nothing; five waits outlast a window of a minute (lnbits/pace.ts). */
const IN_A_ROW = 6;

/**
 * LNbits takes no more requests for now: waits until it takes one again. False where the rest is left to the next run
 * instead, or the run is asked to stop. Other runs cannot begin meanwhile, and the lease is renewed.
 */
export async function keepPace(ctx: Context): Promise<boolean> {
  ctx.limited = (ctx.limited ?? 0) + 1;
  if (ctx.limited >= IN_A_ROW) return false;
  for (let wait = Math.max(ctx.lnbits.wait(), 1); wait > 0; wait = ctx.lnbits.wait()) {
    if (ctx.signal.aborted || performance.now() - ctx.began + wait > LONGEST_MS) return false;
    ctx.onWait?.(wait);
    await sleep(wait, undefined, { signal: ctx.signal }).catch(() => {});
  }
  return !ctx.signal.aborted;
}
