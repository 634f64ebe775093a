import * as z from 'zod';
import type { BridgeError, ErrorCode } from '../errors.ts';
import { addOwnShare, type OwnShares } from '../ledger/cash-outs/own-shares.ts';
import { markOf } from '../ledger/cash-outs/watermark.ts';
import { lastReadAt } from '../ledger/runs/runs.ts';
import { readNames } from '../ledger/store/names-by-id.ts';
import { distributeAhead, readAhead } from '../scheduler/dry-run.ts';
import { ownShareOf } from '../scheduler/report.ts';
import { refuseWithoutClients } from '../scheduler/setup.ts';
import { type FirstReadingView, firstReadingView, viewOfFirstReading } from '../views/first-reading.ts';
import { SOURCE_ERRORS } from './errors.ts';
import { assertUnchanged, type Context, digestOf, operation } from './operation.ts';

export const FIRST_READING = [
  ...SOURCE_ERRORS,
  'ledger/no-clients',
  'ledger/currency',
] as const satisfies ErrorCode[];

/**
 * What the first run would make the operator's own share, and why: no client's cash was there, or a limit was reached.
 * Empty if Lamassu was read before. Errors: `ledger/no-clients`, and those of reading Lamassu.
 */
export const previewFirstReading = operation({
  name: 'poll.preview_first',
  needs: 'read',
  may: [],
  errors: FIRST_READING,
  input: z.strictObject({}),
  view: firstReadingView,
  run: async (context) => {
    const seen = await firstReading(context);
    return { ...seen, digest: digestOf(seen) };
  },
});

/** Throws `usage/changed` if the first run would now make another own share than the preview of `digest` showed. */
export async function assertSameFirstReading(context: Reads, digest: string | undefined): Promise<void> {
  if (digest !== undefined) assertUnchanged(await firstReading(context), digest);
}

type Reads = Pick<Context, 'config' | 'clock' | 'ledger' | 'who'>;

async function firstReading({
  config,
  clock,
  ledger,
  who,
}: Reads): Promise<Omit<FirstReadingView, 'digest'>> {
  await refuseWithoutClients(ledger.db);
  const { name, startAt } = config.lamassu;
  const own: OwnShares[] = [];
  if ((await markOf(ledger.db, name)) ?? (await lastReadAt(ledger.db, name)))
    return viewOfFirstReading(startAt, own, await readNames(ledger.db));
  const problems: BridgeError[] = [];
  const read = await readAhead({ ledger, config }, problems);
  if (!read) throw problems.at(-1) ?? new Error('Lamassu was not read, and nothing says why');
  const ahead = { config, clock, who, signal: AbortSignal.any([]) };
  return ledger.dryRun(async (trx) => {
    await distributeAhead(trx, ahead, read, {
      onCashOut: (cashOut, division) => addOwnShare(own, ownShareOf(cashOut, division)),
    });
    // With the machines that the cash-outs brought.
    return viewOfFirstReading(startAt, own, await readNames(trx));
  });
}
