import { formatDecimal } from '../../dca/money.ts';
import type { Instant } from '../../time.ts';
import type { Db } from '../store/open.ts';
import type { Funding } from './view.ts';

/** A change by the operator, from the log. */
export interface Changed {
  at: Instant;
  action: string;
  actor: string;
  reason: string | null;
  before: unknown;
  after: unknown;
}

/** What a cash-out took; `at` is when it was processed, or when the late funding got its part. */
export interface Spent {
  at: Instant;
  action: 'spent';
  cash_out: string;
  confirmed_at: Instant;
  fiat: string;
  net_sats: bigint;
  payout: string | null;
  settled: boolean;
}

/** The changes by which cash comes to be in the machine. */
const DEPOSITS = ['funding add', 'funding confirm'];

/** Everything that happened to a funding, in the order in which it was recorded. */
export async function historyOf(db: Db, { id, digits }: Funding): Promise<(Changed | Spent)[]> {
  const changes = await db
    .selectFrom('log')
    .select(['at', 'action', 'actor', 'reason', 'before', 'after'])
    .where('subject', '=', `f${id}`)
    .orderBy('id')
    .execute();
  const spent = await db
    .selectFrom('allocations')
    .innerJoin('cash_outs', 'cash_outs.id', 'allocations.cash_out_id')
    .leftJoin('payouts', 'payouts.id', 'allocations.payout_id')
    .select([
      'cash_outs.processed_at',
      'cash_outs.confirmed_at',
      'allocations.cash_out_id',
      'allocations.fiat',
      'allocations.net',
      'allocations.payout_id',
      'payouts.state',
    ])
    .where('allocations.funding_id', '=', id)
    .orderBy('allocations.id')
    .execute();
  const deposited = changes.findLast(({ action }) => DEPOSITS.includes(action))?.at ?? '';
  const entries: (Changed | Spent)[] = [
    ...changes.map((row) => ({ ...row, before: read(row.before), after: read(row.after) })),
    ...spent.map((row) => ({
      at: row.processed_at > deposited ? row.processed_at : deposited,
      action: 'spent' as const,
      cash_out: row.cash_out_id,
      confirmed_at: row.confirmed_at,
      fiat: formatDecimal(row.fiat, digits),
      net_sats: row.net,
      payout: row.payout_id === null ? null : `p${row.payout_id}`,
      settled: row.net === 0n || row.state === 'settled',
    })),
  ];
  return entries.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

function read(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}
