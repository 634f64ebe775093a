import * as z from 'zod';
import { findCredit, readCreditList as readCredits } from '../ledger/credits/operator-actions.ts';
import { parseLimit } from '../typed/limit.ts';
import { creditsView, creditView, viewOfCredit, viewOfListedCredit } from '../views/credits.ts';
import { CREDIT_STATES } from '../views/states.ts';
import { creditId } from './ids.ts';
import { operation } from './operation.ts';

/* Credits: what LNbits' superuser put into the source wallet. */

export const listCredits = operation({
  name: 'credits.list',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({
    state: z.enum(CREDIT_STATES).optional(),
    limit: z.string().optional(),
    /** The last row that was shown: those behind it. */
    after: creditId.optional(),
  }),
  view: creditsView,
  run: async ({ ledger }, { state, limit, after }) => {
    const options = { state, limit: parseLimit(limit), after };
    const { rows, total } = await readCredits(ledger.db, options);
    return { rows: rows.map(viewOfListedCredit), total };
  },
});

export const showCredit = operation({
  name: 'credits.show',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({ id: creditId }),
  view: creditView,
  run: async ({ ledger }, { id }) => viewOfCredit(await findCredit(ledger.db, id)),
});
