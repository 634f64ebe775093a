import * as z from 'zod';
import { readRunList } from '../ledger/runs/runs.ts';
import { parseLimit } from '../typed/limit.ts';
import { runsView, viewOfListedRun } from '../views/runs.ts';
import { runId } from './ids.ts';
import { operation } from './operation.ts';

export const listRuns = operation({
  name: 'runs.list',
  needs: 'read',
  may: ['bookkeeper'],
  errors: [],
  input: z.strictObject({
    limit: z.string().optional(),
    /** The last row that was shown: those behind it. */
    after: runId.optional(),
  }),
  view: runsView,
  run: async ({ ledger }, { limit, after }) => {
    const { rows, total } = await readRunList(ledger.db, { limit: parseLimit(limit), after });
    return { rows: rows.map(viewOfListedRun), total };
  },
});
