import type { Run } from '../ledger/runs/lease.ts';
import type { Ledger } from '../ledger/store/open.ts';
import type { Cli } from './context.ts';

/**
 * Holds the lease for as long as `work` takes, so that no run pays meanwhile: never while a person is asked. `kind` is
 * the command, like `payouts hold`.
 */
export async function asRun<T>(
  ledger: Ledger,
  cli: Cli,
  kind: string,
  work: (run: Run) => Promise<T>,
): Promise<T> {
  const { startRun } = await import('../ledger/runs/lease.ts');
  const run = await startRun(ledger, kind, cli.actor);
  try {
    const result = await work(run);
    await run.finish('ok', null);
    return result;
  } catch (error) {
    await run.finish('failed', null).catch(() => {});
    throw error;
  }
}
