import { type BridgeError, wrongState } from '../errors.ts';
import { cashOfFunding, type Funding, findFunding } from '../ledger/fundings/view.ts';
import { lastReadAt } from '../ledger/runs/runs.ts';
import type { Ledger, Trx } from '../ledger/store/open.ts';
import { call, message } from '../lib/message.ts';
import { distributeAhead, type ReadAhead, readAhead } from '../scheduler/dry-run.ts';
import type { LastReading } from '../views/last-reading.ts';
import type { Context } from './operation.ts';

/*
 * Cash that cash-outs took, and that is not distributed yet, is in the ledger as the client's, but not in the machine
 * any more. So Lamassu is read before the operator takes cash off a funding, or moves it; if it cannot be read, the
 * view says so.
 */

/** What `readBefore` needs of an operation. */
export type ReadingContext = Pick<Context, 'config' | 'who' | 'clock'> & {
  ledger: Pick<Ledger, 'db' | 'clock' | 'dryRun'>;
};

/**
 * Reads Lamassu before `change` is made to a funding. Throws what `change` throws, before Lamassu is asked, and
 * `usage/invalid` if cash-outs that are not distributed yet took of the cash that would leave the funding or its
 * machine, or would take of it at the machine that it moves to.
 */
export async function readBefore(
  context: ReadingContext,
  id: bigint,
  change: (trx: Trx) => Promise<Funding>,
): Promise<LastReading> {
  const { config, ledger } = context;
  const before = await findFunding(ledger.db, id);
  const after = await ledger.dryRun(change);
  const problems: BridgeError[] = [];
  const read = await readAhead({ ledger, config }, problems);
  if (!read) {
    const readAt = await lastReadAt(ledger.db, config.lamassu.name);
    return { readAt, problem: problems.at(-1) ?? null };
  }
  const isMove = before.machine !== after.machine;
  const here = await takenAhead(context, before, read);
  const isTooMuch = isMove || before.remaining - after.remaining > here.left;
  if (here.cashOuts > 0 && isTooMuch) {
    throw undistributed(
      before,
      here,
      `took ${cashOfFunding(before, here.taken)} of f${id} out of the machine`,
    );
  }
  if (isMove) {
    const there = await takenAhead(context, before, read, change);
    const would = `would take ${cashOfFunding(before, there.taken)} of f${id} out of a machine that it was not in`;
    if (there.cashOuts > 0) throw undistributed(before, there, would, here.left);
  }
  return { readAt: read.now, problem: null };
}

interface Taken {
  cashOuts: number;
  taken: bigint;
  left: bigint;
}

/** What the next run takes of a funding, as it is or after a change. */
async function takenAhead(
  { config, clock, who, ledger }: ReadingContext,
  { id }: Funding,
  read: ReadAhead,
  change: (trx: Trx) => Promise<unknown> = async () => undefined,
): Promise<Taken> {
  let cashOuts = 0;
  return ledger.dryRun(async (trx) => {
    await change(trx);
    const { remaining } = await findFunding(trx, id);
    await distributeAhead(trx, { config, clock, who, signal: AbortSignal.any([]) }, read, {
      onCashOut: (_cashOut, { allocations }) => {
        if (allocations.some((one) => one.funding === id)) cashOuts += 1;
      },
    });
    const { remaining: left } = await findFunding(trx, id);
    return { cashOuts, taken: remaining - left, left };
  });
}

function undistributed(funding: Funding, { cashOuts, left }: Taken, what: string, then = left): BridgeError {
  const some = cashOuts === 1 ? '1 cash-out that is' : `${cashOuts} cash-outs that are`;
  return wrongState(
    'id',
    `${some} not distributed yet ${what}`,
    message`${call('poll')} distributes ${cashOuts === 1 ? 'it' : 'them'}. Then ${cashOfFunding(funding, then)} of ${funding.client} remain.`,
  );
}
