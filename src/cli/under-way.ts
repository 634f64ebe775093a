import type { Run } from '../ledger/runs/lease.ts';
import { untilQuiet } from '../payouts/session.ts';
import type { Instant } from '../time.ts';

/**
 * Before a person's word that something was not paid counts: waits for the quiet time from now on. The ledger's times
 * alone say nothing where a clock was set ahead, and what LNbits is still at would be paid once more.
 */
export async function untilNothingIsUnderWay(
  { lost }: Pick<Run, 'lost'>,
  sentAt: Instant | null,
  quietMs: number,
): Promise<void> {
  if (sentAt === null) return;
  process.stderr.write(`Waiting ${Math.ceil(quietMs / 1000)} s, until LNbits cannot be at it any more.\n`);
  await untilQuiet({ quietMs, began: performance.now(), posted: new Map(), signal: lost }, [sentAt]);
}
