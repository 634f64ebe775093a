import * as z from 'zod';
import { bookEachFee, reconcile as compare } from '../reconcile/reconcile.ts';
import { parseRange } from '../typed/range.ts';
import { reconciliationView, viewOfReconciliation } from '../views/reconciliation.ts';
import { LAMASSU, LEASE, LEDGER, LNBITS } from './errors.ts';
import { operation } from './operation.ts';

/** Compares the ledger with LNbits and Lamassu. It changes nothing, unless `book_fees` is given. */
export const reconcile = operation({
  name: 'reconcile',
  needs: 'config',
  may: [],
  errors: [...LEDGER, ...LEASE, ...LNBITS, ...LAMASSU, 'reconcile/open'],
  input: z.strictObject({
    /** Local days, or times with their zone. */
    from: z.string().optional(),
    to: z.string().optional(),
    /** First books the service fee that LNbits shows for each payment. */
    book_fees: z.boolean().default(false),
  }),
  view: reconciliationView,
  run: async ({ config, who, withLedger }, { book_fees: bookFees, from, to }) => {
    const days = { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
    const range = parseRange(days, config.timezone);
    if (bookFees) await withLedger('write', (ledger) => bookEachFee(ledger, config, who));
    return viewOfReconciliation(await withLedger('read', (ledger) => compare(ledger, config, who, range)));
  },
});
