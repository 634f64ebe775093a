import * as z from 'zod';
import { conflict } from '../errors.ts';
import { bookOverpaid, type Overpaid, overpaidBy } from '../ledger/fundings/overpaid.ts';
import { findFunding } from '../ledger/fundings/view.ts';
import type { Db } from '../ledger/store/open.ts';
import { field, message } from '../lib/message.ts';
import { parseId } from '../typed/names.ts';
import { parseSats } from '../typed/numbers.ts';
import {
  bookedOverpaidView,
  overpaidPreview,
  viewOfBookedOverpaid,
  viewOfOverpaid,
} from '../views/payouts.ts';
import { payoutId } from './ids.ts';
import { assertUnchanged, digestOf, forPreview, operation, withReason } from './operation.ts';
import { type ReadingContext, readBefore } from './undistributed.ts';

/*
 * Sats that a recipient got beyond a payout. With a funding, the cash that they are worth at the payout's price is
 * subtracted from it. Without one, they are only recorded: they were returned, or are a gift.
 */

const input = z.strictObject({
  id: payoutId,
  /** The hash of the payment that was given up but arrived. */
  payment: z.string().optional(),
  /** How much it was; by default what the payout owed. */
  sats: z.string().optional(),
  funding: z
    .string()
    .transform((text) => parseId('f', text, 'funding'))
    .optional(),
});

export const previewOverpaid = operation({
  name: 'payouts.preview_overpaid',
  needs: 'read',
  may: [],
  errors: ['ledger/currency'],
  reasoned: 'when-applied',
  input,
  view: overpaidPreview,
  run: async (context, { funding = null, ...given }) => {
    const overpaid = await find(context.ledger.db, given);
    await readIfTaken(context, overpaid, funding);
    return { ...viewOfOverpaid(overpaid), digest: digestOf(overpaid) };
  },
});

export const recordOverpaid = operation({
  name: 'payouts.overpaid',
  needs: 'write',
  may: [],
  errors: ['ledger/currency', 'usage/changed'],
  reasoned: true,
  input: input.extend({ digest: z.string().optional() }),
  view: bookedOverpaidView,
  run: async (context, { digest, funding = null, ...given }) => {
    const { clock, ledger, write, who } = context;
    const act = { ...withReason(who), at: clock.now() };
    const reading = await readIfTaken(context, await find(ledger.db, given), funding);
    return write(async (trx) => {
      const overpaid = await find(trx, given);
      assertUnchanged(overpaid, digest);
      const after = await bookOverpaid(trx, act, overpaid, funding);
      return viewOfBookedOverpaid(overpaid, after, reading);
    });
  },
});

/** Cash is taken off the funding, so Lamassu is read first; null without a funding. */
async function readIfTaken(context: ReadingContext, overpaid: Overpaid, funding: bigint | null) {
  if (funding === null) return null;
  const act = { ...forPreview(context.who), at: context.clock.now() };
  return readBefore(context, funding, async (trx) => {
    const after = await bookOverpaid(trx, act, overpaid, funding);
    return after ?? findFunding(trx, funding);
  });
}

function find(db: Db, given: Omit<z.output<typeof input>, 'funding'>): Promise<Overpaid> {
  const { id, payment, sats } = given;
  if (payment !== undefined && sats !== undefined) {
    throw conflict(
      'sats',
      message`${field('payment')} is given too, and tells the amount`,
      'Use one of them.',
    );
  }
  return overpaidBy(
    db,
    id,
    payment === undefined
      ? { sats: sats === undefined ? undefined : parseSats(sats, 'sats') }
      : { hash: payment.trim().toLowerCase() },
  );
}
