import type { Db } from '../store/open.ts';
import { cashInWords, type LedgerFindings, type TableRow } from './findings.ts';

interface LimitedDay {
  client: bigint;
  currency: string;
  date: string;
  fiat: bigint;
  limit: bigint;
}

/** Checks what fixed clients received on each local day against the limits in force at its cash-outs. */
export class DailyLimits {
  readonly #limits: Map<string, TableRow<'client_limits'>[]>;
  readonly #days = new Map<string, LimitedDay>();

  private constructor(limits: TableRow<'client_limits'>[]) {
    this.#limits = Map.groupBy(limits, (row) => `${row.client_id} ${row.currency}`);
  }

  static async read(db: Db): Promise<DailyLimits> {
    const limits = await db
      .selectFrom('client_limits')
      .selectAll()
      .orderBy('from_at', 'desc')
      .orderBy('id', 'desc')
      .execute();
    return new DailyLimits(limits);
  }

  add(
    cashOut: TableRow<'cash_outs'>,
    { client_id, currency, mode, local_date, fiat }: TableRow<'allocations'>,
  ): void {
    if (mode !== 'fixed') return;
    const key = `${client_id} ${currency} ${local_date}`;
    const day = this.#days.get(key) ?? { client: client_id, currency, date: local_date, fiat: 0n, limit: 0n };
    const limit = this.#inForce(cashOut, client_id, currency);
    day.fiat += fiat;
    // A limit that was lowered during the day does not affect what was given before.
    if (limit > day.limit) day.limit = limit;
    this.#days.set(key, day);
  }

  /** A setting counts only if it existed when the cash-out was processed, whatever Lamassu's clock says. */
  #inForce({ confirmed_at, processed_at }: TableRow<'cash_outs'>, client: bigint, currency: string): bigint {
    const at = confirmed_at < processed_at ? confirmed_at : processed_at;
    const rows = this.#limits.get(`${client} ${currency}`) ?? [];
    return rows.find((row) => row.from_at <= at)?.daily_limit ?? 0n;
  }

  verify(digits: Map<string, number>, findings: LedgerFindings): void {
    for (const { client, currency, date, fiat, limit } of this.#days.values()) {
      if (fiat > limit) {
        const money = (minor: bigint) => cashInWords(minor, currency, digits);
        const what = `recipient ${client} on ${date}`;
        findings.add('client/daily-limit', what, money(fiat), `a limit of ${money(limit)}`);
      }
    }
    findings.count('fixed_days', this.#days.size);
  }
}
