import type { CurrencyStatement } from '../ledger/clients/statement.ts';
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
  /** Empty: the client had neither cash nor sats until then. */
  currencies: CurrencyStatement[];
}
