import type { Run } from '../ledger/runs/lease.ts';
import type { Message } from '../lib/message.ts';
import { untilQuiet } from '../payouts/session.ts';
import type { Instant } from '../time.ts';

/**
 * Before the operator's word that something was not paid counts: waits for the quiet time from now on. The ledger's times
 * alone say nothing where a clock was set ahead, and what LNbits still works on would be paid once more.
 */
export async function untilNothingIsUnderWay(
  { run, tell }: { run: Pick<Run, 'lost'>; tell(text: string | Message): void },
  sentAt: Instant | null,
  quietMs: number,
): Promise<void> {
  if (sentAt === null) return;
  tell(`Waiting ${Math.ceil(quietMs / 1000)} s, until LNbits cannot be at it any more.`);
  await untilQuiet({ quietMs, began: performance.now(), posted: new Map(), signal: run.lost }, [sentAt]);
}
