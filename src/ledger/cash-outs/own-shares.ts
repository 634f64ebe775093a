import type { Instant } from '../../time.ts';
import { digitsByCurrency } from '../store/currencies.ts';
import type { Db } from '../store/open.ts';
import { causesOf, type OwnShareCause } from './why-own-share.ts';

/** The own shares of one machine and currency with the same causes, in minor units and satoshi. */
export interface OwnShares {
  machine: string;
  currency: string;
  digits: number;
  cashOuts: number;
  fiat: bigint;
  sats: bigint;
  /** Empty: an older version divided it. */
  causes: OwnShareCause[];
}

type OwnShare = Omit<OwnShares, 'cashOuts'>;

/** Adds the own share of a cash-out to others, so a long backlog takes few lines. */
export function addOwnShare(all: OwnShares[], share: OwnShare): void {
  if (share.fiat === 0n) return;
  const before = all.find((one) => keyOf(one) === keyOf(share));
  if (!before) {
    all.push({ ...share, cashOuts: 1 });
    return;
  }
  before.cashOuts += 1;
  before.fiat += share.fiat;
  before.sats += share.sats;
}

function keyOf({ machine, currency, causes }: OwnShare): string {
  return [machine, currency, ...causes.map(({ reason, clients }) => `${reason} ${clients.join(' ')}`)].join();
}

/** Those of the cash-outs that were confirmed since that moment, the newest first. */
export async function ownSharesSince(db: Db, since: Instant): Promise<OwnShares[]> {
  const digits = await digitsByCurrency(db);
  const rows = await db
    .selectFrom('cash_outs')
    .select(['machine', 'currency', 'own_fiat as fiat', 'own as sats', 'own_reasons'])
    .where('confirmed_at', '>=', since)
    .where('own_fiat', '>', 0n)
    .orderBy('confirmed_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  const all: OwnShares[] = [];
  for (const { own_reasons: reasons, ...row } of rows)
    addOwnShare(all, { ...row, digits: digits.get(row.currency) ?? 0, causes: causesOf(reasons) ?? [] });
  return all;
}
