import * as z from 'zod';
import { withdrawFunding } from '../ledger/fundings/fundings.ts';
import { type Funding, findFunding } from '../ledger/fundings/view.ts';
import { knownCurrencies } from '../ledger/store/currencies.ts';
import type { Trx } from '../ledger/store/open.ts';
import { parseId } from '../typed/names.ts';
import { parseAmount } from '../typed/numbers.ts';
import { previewedWithdrawalView, viewOfWithdrawnFunding, withdrawnFundingView } from '../views/fundings.ts';
import type { LastReading } from '../views/last-reading.ts';
import { assertUnchanged, type Context, digestOf, operation } from './operation.ts';
import { readBefore } from './undistributed.ts';

/* Taking cash out of a machine. */

/** The amount is by default all that remains. */
const input = z.strictObject({ id: z.string(), amount: z.string().optional() });

/** What would be taken out, and how far Lamassu was read. */
export const previewWithdrawal = operation({
  name: 'fundings.preview_withdraw',
  needs: 'read',
  may: [],
  errors: ['ledger/currency'],
  reasoned: 'when-applied',
  input,
  view: previewedWithdrawalView,
  run: async (context, given) => {
    const { id, withdraw } = withdraws(context, given);
    const reading = await readBefore(context, id, async (trx) => (await withdraw(trx)).after);
    const taken = await context.ledger.dryRun(withdraw);
    const view = viewOfWithdrawnFunding(taken.before, taken.after, reading);
    return { ...view, digest: digestOf(agreedOf(taken, reading)) };
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
    const { id, withdraw } = withdraws(context, given);
    const reading = await readBefore(context, id, async (trx) => (await withdraw(trx)).after);
    return context.write(async (trx) => {
      const taken = await withdraw(trx);
      assertUnchanged(agreedOf(taken, reading), given.digest);
      return viewOfWithdrawnFunding(taken.before, taken.after, reading);
    });
  },
});

interface ChangedFunding {
  before: Funding;
  after: Funding;
}

/** Checks what needs no ledger, and answers what withdraws the cash. */
function withdraws(
  { config, who, clock }: Pick<Context, 'config' | 'who' | 'clock'>,
  given: z.output<typeof input>,
) {
  const id = parseId('f', given.id, 'id');
  return {
    id,
    withdraw: async (trx: Trx): Promise<ChangedFunding> => {
      const known = await knownCurrencies(trx, config.currencies);
      const amount = given.amount === undefined ? null : parseAmount(given.amount, 'amount', known);
      const before = await findFunding(trx, id);
      return { before, after: await withdrawFunding(trx, { ...who, at: clock.now() }, id, amount) };
    },
  };
}

/** What the operator saw and agrees to, without times. */
function agreedOf({ before, after }: ChangedFunding, { problem }: LastReading) {
  const { id, client, remaining } = before;
  return { id, client, remaining, left: after.remaining, isRead: problem === null };
}
