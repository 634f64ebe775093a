import { call } from '../../lib/message.ts';
import type { Instant } from '../../time.ts';
import type { Db } from '../store/open.ts';
import type { Page, PageOptions } from '../store/page.ts';
import type { PayoutState } from '../store/schema.ts';
import { idsBeginning, idsOfClient, onlyId } from './find-id.ts';
import { isOlder, placeOf } from './view.ts';

/** What a client's cash bought in one cash-out. It has nothing of the rest of that cash-out. */
export interface Purchase {
  /** The id of the cash-out. */
  id: string;
  machine: string;
  machineName: string | null;
  confirmedAt: Instant;
  currency: string;
  digits: number;
  /** In the order of the fundings; at least one. */
  allocations: PurchasePart[];
}

/** An allocation of the client, with the payout that it is in. `fiat` in minor units. */
export interface PurchasePart {
  funding: bigint;
  fiat: bigint;
  gross: bigint;
  commission: bigint;
  net: bigint;
  payout: { id: bigint; state: PayoutState; settledAt: Instant | null } | null;
}

export interface Buyer {
  id: bigint;
  name: string;
}

/** Which purchases are wanted; undefined: without that condition. */
export interface PurchaseChoice {
  id?: string | undefined;
  from?: Instant | undefined;
  /** Confirmed earlier. */
  before?: Instant | undefined;
  state?: 'paid' | 'waiting' | undefined;
}

/** Cash-outs of which the client has sats that have not arrived. */
function waitingIds(db: Db, client: bigint) {
  return db
    .selectFrom('allocations')
    .leftJoin('payouts', 'payouts.id', 'allocations.payout_id')
    .select('allocations.cash_out_id')
    .where('allocations.client_id', '=', client)
    .where(
      'allocations.funding_id',
      'in',
      db.selectFrom('fundings').select('id').where('client_id', '=', client),
    )
    .where('allocations.net', '>', 0n)
    .where((eb) => eb.or([eb('payouts.state', 'is', null), eb('payouts.state', '!=', 'settled')]));
}

/** The newest purchases of a client, and how many there are in all. */
export async function readPurchaseList(
  db: Db,
  { id: client }: Pick<Buyer, 'id'>,
  { limit, after }: PageOptions,
  { id, from: since, before, state }: PurchaseChoice = {},
): Promise<Page<Purchase>> {
  const query = db
    .selectFrom('cash_outs')
    .where('cash_outs.id', 'in', idsOfClient(db, client))
    .$if(id !== undefined, (some) => some.where('cash_outs.id', '=', id ?? ''))
    .$if(since !== undefined, (some) => some.where('confirmed_at', '>=', since ?? ''))
    .$if(before !== undefined, (some) => some.where('confirmed_at', '<', before ?? ''))
    .$if(state === 'waiting', (some) => some.where('cash_outs.id', 'in', waitingIds(db, client)))
    .$if(state === 'paid', (some) => some.where('cash_outs.id', 'not in', waitingIds(db, client)));
  const from = after === undefined ? null : await placeOf(db, after, client);
  const page = query
    .$if(from !== null, (some) => some.where(isOlder(from ?? { confirmed_at: '', id: '' })))
    .select(['cash_outs.id', 'cash_outs.machine', 'cash_outs.confirmed_at'])
    .orderBy('confirmed_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit);
  const rows = await db
    .selectFrom(page.as('page'))
    .innerJoin('allocations', 'allocations.cash_out_id', 'page.id')
    .innerJoin('currencies', 'currencies.code', 'allocations.currency')
    .leftJoin('machines', 'machines.device_id', 'page.machine')
    .leftJoin('payouts', 'payouts.id', 'allocations.payout_id')
    .select(['page.id', 'page.machine', 'page.confirmed_at', 'machines.name as machine_name'])
    .select(['allocations.currency', 'currencies.digits', 'allocations.funding_id', 'allocations.fiat'])
    .select(['allocations.gross', 'allocations.commission', 'allocations.net', 'allocations.payout_id'])
    .select(['payouts.state', 'payouts.settled_at'])
    .where('allocations.client_id', '=', client)
    .orderBy('page.confirmed_at', 'desc')
    .orderBy('page.id', 'desc')
    .orderBy('allocations.funding_id')
    .execute();
  const purchases = new Map<string, Purchase>();
  for (const { state, payout_id: payout, ...row } of rows) {
    const purchase = purchases.get(row.id) ?? {
      ...{ id: row.id, machine: row.machine, machineName: row.machine_name, confirmedAt: row.confirmed_at },
      ...{ currency: row.currency, digits: Number(row.digits), allocations: [] },
    };
    purchases.set(row.id, purchase);
    const settledAt = state === 'settled' ? row.settled_at : null;
    purchase.allocations.push({
      ...{ funding: row.funding_id, fiat: row.fiat, gross: row.gross },
      ...{ commission: row.commission, net: row.net },
      payout: payout === null || state === null ? null : { id: payout, state, settledAt },
    });
  }
  const { total } = await query
    .select((eb) => eb.fn.countAll<bigint>().as('total'))
    .executeTakeFirstOrThrow();
  return { rows: [...purchases.values()], total: Number(total) };
}

/**
 * A client's purchase by the id of the cash-out, or by a beginning that is unambiguous among the client's. Errors:
 * those of `onlyId`; a cash-out without this client does not exist for it.
 */
export async function readPurchase(db: Db, client: Buyer, text: string): Promise<Purchase> {
  const own = await idsBeginning(db, 'cash_outs', text, client.id);
  const list = call('purchases.list', { client: client.name });
  const id = onlyId(text, own, 'id', list, `purchase of ${client.name} in cash-out`);
  const [purchase] = (await readPurchaseList(db, client, { limit: 1 }, { id })).rows;
  if (!purchase) throw new Error(`purchase ${id} was found and is not there`);
  return purchase;
}
