import { BridgeError, concerns } from '../errors.ts';
import type { LamassuMachine } from '../lamassu/database.ts';
import { findMachine } from '../ledger/machines/machines.ts';
import { seeMachines } from '../ledger/machines/register.ts';
import type { Trx } from '../ledger/store/open.ts';
import type { Context } from './operation.ts';
import type { ReadingContext } from './undistributed.ts';

/*
 * A machine that Lamassu has, and the ledger does not know yet: nothing has read Lamassu since it was paired. A command
 * that names one reads the machines of Lamassu, so that it works, or the error suggests their names.
 */

/**
 * Reads the machines of Lamassu if the ledger has none of that name. Answers what enters them into the ledger, in the
 * transaction of the change; it does nothing if the machine is known, or Lamassu cannot be read.
 */
export async function machinesFor(
  { config, clock, ledger, who }: Pick<Context, 'config' | 'clock' | 'who'> & Pick<ReadingContext, 'ledger'>,
  named: string | null | undefined,
): Promise<(trx: Trx) => Promise<void>> {
  if (typeof named !== 'string') return nothing;
  try {
    await findMachine(ledger.db, named, 'machine');
    return nothing;
  } catch (error) {
    if (!(error instanceof BridgeError) || error.kind !== 'not-found') throw error;
  }
  const machines = await readMachines({ config, clock });
  return (trx) => seeMachines(trx, { ...who, at: clock.now() }, machines, config.lamassu.name);
}

async function nothing(): Promise<void> {}

/** Empty if Lamassu cannot be read: then the ledger's error stands, which says how to find out. */
async function readMachines({ config, clock }: Pick<Context, 'config' | 'clock'>): Promise<LamassuMachine[]> {
  const { openDatabase } = await import('../lamassu/database.ts');
  try {
    const database = await openDatabase(config.lamassu, clock);
    try {
      return await database.machines();
    } finally {
      await database.close();
    }
  } catch (error) {
    if (concerns(error, 'source')) return [];
    throw error;
  }
}
