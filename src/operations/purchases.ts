import * as z from 'zod';
import { invalid } from '../errors.ts';
import { purchaseSums } from '../ledger/cash-outs/purchase-sums.ts';
import { readPurchase, readPurchaseList } from '../ledger/cash-outs/purchase-view.ts';
import { type Client, findClient } from '../ledger/clients/clients.ts';
import type { Who } from '../ledger/log/log.ts';
import type { Db } from '../ledger/store/open.ts';
import type { Clock } from '../time.ts';
import { parseLimit } from '../typed/limit.ts';
import { parseName } from '../typed/names.ts';
import { parseMonth } from '../typed/range.ts';
import { parseDay } from '../typed/times.ts';
import {
  purchaseDetailView,
  purchaseSumView,
  purchasesView,
  purchaseView,
  viewOfPurchase,
  viewOfPurchaseDetail,
  viewOfPurchaseSum,
} from '../views/purchases.ts';
import { clientOf, operation } from './operation.ts';

/* A client's parts of cash-outs. A client sees only its own; whoever else asks names the client. */

const client = z.string().optional();

export const listPurchases = operation({
  name: 'purchases.list',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: [],
  input: z.strictObject({
    client,
    /** `2026-11`: of this local month only. */
    month: z.string().optional(),
    /** Only those of which every sat arrived, or not. */
    state: purchaseView.shape.state.optional(),
    limit: z.string().optional(),
    /** The last purchase that was shown: those behind it. */
    after: z.string().optional(),
  }),
  view: purchasesView,
  run: async ({ clock, config, ledger: { db }, who }, given) => {
    const limit = parseLimit(given.limit);
    const buyer = await buyerOf(db, clock, who, given.client);
    const { month, state, after } = given;
    const range = month === undefined ? {} : parseMonth(month, config.timezone);
    const { rows, total } = await readPurchaseList(db, buyer, { limit, after }, { ...range, state });
    return { rows: rows.map((one) => viewOfPurchase(one, buyer.name)), total };
  },
});

export const showPurchase = operation({
  name: 'purchases.show',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: [],
  input: z.strictObject({ id: z.string(), client }),
  view: purchaseDetailView,
  run: async ({ clock, ledger: { db }, who }, given) => {
    const buyer = await buyerOf(db, clock, who, given.client);
    return viewOfPurchaseDetail(await readPurchase(db, buyer, given.id), buyer.name);
  },
});

/** Sums by local days or months, oldest first. */
export const sumPurchases = operation({
  name: 'purchases.sums',
  needs: 'read',
  may: ['bookkeeper', 'client'],
  errors: [],
  input: z.strictObject({
    client,
    by: z.enum(['day', 'month']).default('month'),
    /** Local days: `2026-11-21`. */
    from: z.string().optional(),
    to: z.string().optional(),
  }),
  view: z.array(purchaseSumView),
  run: async ({ clock, ledger: { db }, who }, given) => {
    const [from, to] = [dayOf(given.from, 'from'), dayOf(given.to, 'to')];
    const buyer = await buyerOf(db, clock, who, given.client);
    return (await purchaseSums(db, buyer, given.by, { from, to })).map(viewOfPurchaseSum);
  },
});

function dayOf(text: string | undefined, field: string): string | null {
  return text === undefined ? null : parseDay(text, field);
}

/**
 * The client whose purchases are asked for. Throws `usage/invalid` if nobody is named, or nobody of that name is known.
 */
async function buyerOf(db: Db, clock: Clock, who: Who, named: string | undefined): Promise<Client> {
  const name = clientOf(who, named === undefined ? undefined : parseName(named, 'client'));
  if (name === undefined)
    throw invalid('client', 'it is missing', 'Name the client whose purchases you want.');
  return findClient(db, name, clock.now());
}
