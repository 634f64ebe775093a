import * as z from 'zod';
import { readCashOut, readCashOutList as readCashOuts } from '../ledger/cash-outs/view.ts';
import { parseLimit } from '../typed/limit.ts';
import { cashOutDetailView, cashOutsView, viewOfCashOut, viewOfCashOutDetail } from '../views/cash-outs.ts';
import { operation } from './operation.ts';

/* Cash-outs that were distributed, and how each was divided. */

export const listCashOuts = operation({
  name: 'cash_outs.list',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({
    limit: z.string().optional(),
    /** The last row that was shown: those behind it. */
    after: z.string().optional(),
  }),
  view: cashOutsView,
  run: async ({ ledger }, { limit, after }) => {
    const { rows, total } = await readCashOuts(ledger.db, { limit: parseLimit(limit), after });
    return { rows: rows.map(viewOfCashOut), total };
  },
});

export const showCashOut = operation({
  name: 'cash_outs.show',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({ id: z.string() }),
  view: cashOutDetailView,
  run: async ({ ledger }, { id }) => viewOfCashOutDetail(await readCashOut(ledger.db, id)),
});
