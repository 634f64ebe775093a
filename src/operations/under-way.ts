import { untilQuiet } from '../payouts/session.ts';
import type { Instant } from '../time.ts';
import type { Context } from './operation.ts';

/**
 * Before the operator's word that something was not paid counts: waits for the quiet time from now on. The ledger's times
 * alone say nothing where a clock was set ahead, and what LNbits still works on would be paid once more.
 */
export async function untilNothingIsUnderWay(
  { ledger, run, tell }: Pick<Context, 'ledger' | 'run' | 'tell'>,
  sentAt: Instant | null,
  quietMs: number,
): Promise<void> {
  if (sentAt === null) return;
  tell(`Waiting ${Math.ceil(quietMs / 1000)} s, until LNbits cannot be at it any more.`);
  const { clock } = ledger;
  const from = { clock, quietMs, began: clock.monotonic(), posted: new Map() };
  await untilQuiet({ ...from, signal: run.lost }, [sentAt]);
}
