import { z } from 'zod';
import { formatDecimal } from '../dca/money.ts';
import { conflict } from '../errors.ts';
import { bookOverpaid, type Overpaid, overpaidBy } from '../ledger/fundings/overpaid.ts';
import type { Db } from '../ledger/store/open.ts';
import { field, message } from '../lib/message.ts';
import { parseId } from '../typed/names.ts';
import { parseSats } from '../typed/numbers.ts';
import { bookedOverpaidView, overpaidPreview, viewOfOverpaid } from '../views/payouts.ts';
import { payoutId } from './ids.ts';
import { assertUnchanged, digestOf, operation, withReason } from './operation.ts';

/*
 * Sats that a recipient got beyond a payout. With a funding, the cash that they are worth at the payout's price is
 * subtracted from it. Without one, they are only recorded: they were returned, or are a gift.
 */

const input = z.object({
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
  errors: [],
  reasoned: true,
  input,
  view: overpaidPreview,
  run: async ({ ledger }, given) => {
    const overpaid = await find(ledger.db, given);
    return { ...viewOfOverpaid(overpaid), digest: digestOf(overpaid) };
  },
});

export const recordOverpaid = operation({
  name: 'payouts.overpaid',
  needs: 'write',
  may: [],
  errors: ['usage/changed'],
  reasoned: true,
  input: input.extend({ digest: z.string().optional() }),
  view: bookedOverpaidView,
  run: async ({ clock, write, who }, { digest, funding = null, ...given }) => {
    const act = { ...withReason(who), at: clock.now() };
    return write(async (trx) => {
      const overpaid = await find(trx, given);
      assertUnchanged(overpaid, digest);
      const after = await bookOverpaid(trx, act, overpaid, funding);
      const less = after && { id: `f${after.id}`, remaining: formatDecimal(after.remaining, after.digits) };
      return { ...viewOfOverpaid(overpaid), funding: less };
    });
  },
});

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
