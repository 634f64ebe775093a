import type { Context } from '../../src/payouts/session.ts';
import type { Instant } from '../../src/time.ts';

/**
 * What stands for the wait until POSTs are quiet: it keeps for which it was, and the quiet time is over after it, unless
 * a test has something else happen meanwhile. In each file that does not want to wait:
 *
 * `vi.mock('../../src/payouts/session.ts', async (original) => noWait(await original()));`
 */
export const waiting = { for: [] as (Instant | null)[][], meanwhile: quietAfterIt };

export async function quietAfterIt(ctx: Pick<Context, 'quietMs'>): Promise<void> {
  ctx.quietMs = 0;
}

export function noWait(context: object): object {
  const untilQuiet = (ctx: Context, sentAt: (Instant | null)[]) => {
    waiting.for.push(sentAt);
    return waiting.meanwhile(ctx);
  };
  return { ...context, untilQuiet };
}
