import { z } from 'zod';
import { type BridgeError, wrongState } from '../errors.ts';
import { withdrawFunding } from '../ledger/fundings/fundings.ts';
import { cashOfFunding, type Funding, findFunding } from '../ledger/fundings/view.ts';
import { lastReadAt } from '../ledger/runs/runs.ts';
import { knownCurrencies } from '../ledger/store/currencies.ts';
import type { Ledger, Trx } from '../ledger/store/open.ts';
import { call, message } from '../lib/message.ts';
import { distributeAhead, type ReadAhead, readAhead } from '../scheduler/dry-run.ts';
import { parseId } from '../typed/names.ts';
import { parseAmount } from '../typed/numbers.ts';
import { previewedWithdrawalView, viewOfWithdrawnFunding, withdrawnFundingView } from '../views/fundings.ts';
import { assertUnchanged, type Context, digestOf, operation } from './operation.ts';

/*
 * Taking cash out of a machine. Cash that cash-outs took, and that is not distributed yet, is in the ledger as the
 * client's, but not in the machine any more. So Lamassu is read first; if it cannot be read, the view says so.
 */

/** The amount is by default all that remains. */
const input = z.object({ id: z.string(), amount: z.string().optional() });

/** What would be taken out, and how far Lamassu was read. */
export const previewWithdrawal = operation({
  name: 'fundings.preview_withdraw',
  needs: 'read',
  may: [],
  errors: ['ledger/currency'],
  reasoned: true,
  input,
  view: previewedWithdrawalView,
  run: async (context, given) => {
    const lamassu = await askLamassu(context, given);
    const taken = await context.ledger.dryRun((trx) => withdraw(trx, context, given));
    const view = viewOfWithdrawnFunding(taken.before, taken.after, lamassu);
    return { ...view, digest: digestOf(agreedOf(taken, lamassu)) };
  },
});

/**
 * Takes it out. Errors: `usage/invalid` if Lamassu has cash-outs that took cash of the funding and are not distributed
 * yet, and `usage/changed` if it differs from the preview of `digest`.
 */
export const withdrawFromFunding = operation({
  name: 'fundings.withdraw',
  needs: 'write',
  may: [],
  errors: ['ledger/currency', 'usage/changed'],
  reasoned: true,
  input: input.extend({ digest: z.string().optional() }),
  view: withdrawnFundingView,
  run: async (context, given) => {
    const lamassu = await askLamassu(context, given);
    return context.write(async (trx) => {
      const taken = await withdraw(trx, context, given);
      assertUnchanged(agreedOf(taken, lamassu), given.digest);
      return viewOfWithdrawnFunding(taken.before, taken.after, lamassu);
    });
  },
});

type WithdrawalContext = Pick<Context, 'config' | 'who' | 'clock'> & {
  ledger: Pick<Ledger, 'db' | 'clock' | 'dryRun'>;
};

interface ChangedFunding {
  before: Funding;
  after: Funding;
}

async function withdraw(
  trx: Trx,
  { config, who, clock }: Pick<Context, 'config' | 'who' | 'clock'>,
  given: z.output<typeof input>,
): Promise<ChangedFunding> {
  const id = parseId('f', given.id, 'id');
  const known = await knownCurrencies(trx, config.currencies);
  const amount = given.amount === undefined ? null : parseAmount(given.amount, 'amount', known);
  const before = await findFunding(trx, id);
  return { before, after: await withdrawFunding(trx, { ...who, at: clock.now() }, id, amount) };
}

/** What the operator saw and agrees to, without times. */
function agreedOf({ before, after }: ChangedFunding, { problem }: Awaited<ReturnType<typeof askLamassu>>) {
  const { id, client, remaining } = before;
  return { id, client, remaining, left: after.remaining, isRead: problem === null };
}

/**
 * Reads Lamassu, and throws `usage/invalid` if cash-outs that are not distributed yet took of the cash that is to be
 * withdrawn. If Lamassu cannot be read, `problem` says why, and `readAt` is the last time that it was read.
 */
async function askLamassu(context: WithdrawalContext, given: z.output<typeof input>) {
  const { config, ledger } = context;
  const funding = await findFunding(ledger.db, parseId('f', given.id, 'id'));
  const known = await knownCurrencies(ledger.db, config.currencies);
  const amount = given.amount === undefined ? null : parseAmount(given.amount, 'amount', known).minor;
  const problems: BridgeError[] = [];
  const read = funding.status === 'deposited' ? await readAhead({ ledger, config }, problems) : null;
  const lastRead = await lastReadAt(ledger.db, config.lamassu.name);
  if (!read) return { readAt: lastRead, problem: problems.at(-1) ?? null };
  await refuseUndistributed(context, funding, amount ?? funding.remaining, read);
  return { readAt: read.now, problem: null };
}

async function refuseUndistributed(
  { config, clock, who, ledger }: WithdrawalContext,
  funding: Funding,
  amount: bigint,
  read: ReadAhead,
): Promise<void> {
  let cashOuts = 0;
  const left = await ledger.dryRun(async (trx) => {
    await distributeAhead(trx, { config, clock, who, signal: AbortSignal.any([]) }, read, {
      onCashOut: (_cashOut, { allocations }) => {
        if (allocations.some((one) => one.funding === funding.id)) cashOuts += 1;
      },
    });
    return (await findFunding(trx, funding.id)).remaining;
  });
  // An amount above what remains is refused with its own error.
  if (cashOuts === 0 || amount <= left || amount > funding.remaining) return;
  const some = cashOuts === 1 ? '1 cash-out that is' : `${cashOuts} cash-outs that are`;
  throw wrongState(
    'id',
    `${some} not distributed yet took ${cashOfFunding(funding, funding.remaining - left)} of f${funding.id} out of the machine`,
    message`${call('poll')} distributes them. Then ${cashOfFunding(funding, left)} of ${funding.client} remain to withdraw.`,
  );
}
