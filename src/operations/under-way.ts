import { untilQuiet } from '../payouts/session.ts';
import type { Instant } from '../time.ts';
import type { Context } from './operation.ts';

/**
 * Waits for the quiet time, counted from now, before the operator may decide that something was not paid. The ledger's
 * times alone prove nothing if a clock was set ahead, and a request that LNbits still works on would be paid twice.
 */
export async function untilNothingIsUnderWay(
  { ledger, run, tell }: Pick<Context, 'ledger' | 'run' | 'tell'>,
  sentAt: Instant | null,
  quietMs: number,
): Promise<void> {
  if (sentAt === null) return;
  await tell(`Waiting ${Math.ceil(quietMs / 1000)} s, until LNbits can no longer be working on it.`);
  const { clock } = ledger;
  const from = { clock, quietMs, began: clock.monotonic(), posted: new Map() };
  await untilQuiet({ ...from, signal: run.lost }, [sentAt]);
}
