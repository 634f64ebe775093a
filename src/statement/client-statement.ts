import type { CurrencyStatement, StatementPurchase } from '../ledger/clients/statement.ts';
import type { Instant } from '../time.ts';

/** A client's account of one local month, before it is written in a language. */
export interface ClientStatement {
  client: string;
  /** `2026-11` */
  month: string;
  /** The end of the month, or the moment of the statement while the month goes on. */
  until: Instant;
  isRunning: boolean;
  timezone: string;
  /** The next time of fixed mode, and the sats that wait for it; null: none do, or the month is over. */
  payday: { at: Instant; sats: bigint } | null;
  /** Empty: the client had neither cash nor sats until then. */
  currencies: CurrencyStatement[];
}

/** A line of an account: cash or sats, with what it is. */
export type AccountLine = readonly [label: string, amount: string];

/** Whether the sats of a purchase had arrived by the end of the statement: `later` if they arrived after it. */
export function paidBy(
  { paidAt }: Pick<StatementPurchase, 'paidAt'>,
  { until }: Pick<ClientStatement, 'until'>,
): 'paid' | 'later' | 'waits' {
  if (paidAt === null) return 'waits';
  return paidAt < until ? 'paid' : 'later';
}

/** Whether any of its purchases was paid after its end. */
export function hasLater(statement: ClientStatement): boolean {
  return statement.currencies.some(({ purchases }) =>
    purchases.some((one) => paidBy(one, statement) === 'later'),
  );
}
