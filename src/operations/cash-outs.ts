import * as z from 'zod';
import { readCashOut, readCashOutList as readCashOuts } from '../ledger/cash-outs/view.ts';
import { findClient } from '../ledger/clients/clients.ts';
import { findMachine, findReplaced } from '../ledger/machines/machines.ts';
import type { Db } from '../ledger/store/open.ts';
import type { Instant } from '../time.ts';
import { parseLimit } from '../typed/limit.ts';
import { parseName } from '../typed/names.ts';
import { parseRange } from '../typed/range.ts';
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
    /** Only those of this machine, by its device id or its name, also of one that was replaced. */
    machine: z.string().optional(),
    /** Only those that cash of this client had a part in. */
    client: z.string().optional(),
    /** Local days, or times with their zone, of the confirmation. */
    from: z.string().optional(),
    to: z.string().optional(),
  }),
  view: cashOutsView,
  run: async ({ clock, config, ledger: { db } }, { limit, after, machine, client, from, to }) => {
    const { rows, total } = await readCashOuts(
      db,
      { limit: parseLimit(limit), after },
      {
        ...parseRange({ from, to }, config.timezone),
        machine: machine === undefined ? undefined : await deviceId(db, machine),
        client: client === undefined ? undefined : await clientId(db, client, clock.now()),
      },
    );
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

async function deviceId(db: Db, named: string): Promise<string> {
  const { machine } = (await findReplaced(db, named)) ?? { machine: await findMachine(db, named, 'machine') };
  return machine.device_id;
}

async function clientId(db: Db, named: string, at: Instant): Promise<bigint> {
  return (await findClient(db, parseName(named, 'client'), at)).id;
}
