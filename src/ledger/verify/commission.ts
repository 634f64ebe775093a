import { sum } from '../../dca/money.ts';
import type { Db } from '../store/open.ts';
import { type LedgerFindings, sat, type TableRow } from './findings.ts';

type Share = TableRow<'commission_shares'>;

/** The recipients of each machine's commission over time. */
export class CommissionWeights {
  readonly #rows: TableRow<'commission_weights'>[];
  readonly #recipients: Set<bigint>;

  private constructor(rows: TableRow<'commission_weights'>[], recipients: Set<bigint>) {
    this.#rows = rows;
    this.#recipients = recipients;
  }

  static async read(db: Db): Promise<CommissionWeights> {
    const rows = await db.selectFrom('commission_weights').selectAll().execute();
    const recipients = await db
      .selectFrom('recipients')
      .select('id')
      .where('kind', '=', 'commission')
      .execute();
    return new CommissionWeights(rows, new Set(recipients.map(({ id }) => id)));
  }

  /** Checks that the whole commission goes to its recipients by their weights, or stays in the source wallet. */
  verify(cashOut: TableRow<'cash_outs'>, shares: Share[], findings: LedgerFindings): void {
    if (shares.length === 0) return;
    const what = `cash-out ${cashOut.id}`;
    const shared = sum(shares.map(({ sats }) => sats));
    findings.same('commission/shares', what, sat(cashOut.commission), sat(shared));
    const weights = this.#of(cashOut);
    const all = sum(weights.values());
    for (const { recipient_id, currency, sats } of shares) {
      const its = `${what}, commission of recipient ${recipient_id}`;
      findings.same('commission/currency', its, currency, cashOut.currency);
      if (sats <= 0n) findings.add('commission/negative', its, sat(sats), 'more than 0 sat');
      if (!this.#recipients.has(recipient_id))
        findings.add('commission/recipient', its, sat(sats), 'nobody who receives commission');
      const weight = weights.get(recipient_id) ?? 0n;
      const off = sats * all - shared * weight;
      if (off >= all || -off >= all)
        findings.add('commission/share', its, sat(sats), `${weight} parts in ${all} of ${sat(shared)}`);
    }
  }

  /** The weights in force at the confirmation; weights that were entered after the processing do not count. */
  #of({ machine, confirmed_at, processed_at }: TableRow<'cash_outs'>): Map<bigint, bigint> {
    const known = this.#rows.filter((row) => row.from_at <= confirmed_at && row.from_at <= processed_at);
    for (const place of [machine, null]) {
      const there = known.filter((row) => row.machine === place).sort(byTime);
      const weights = new Map(there.map(({ recipient_id, weight }) => [recipient_id, weight] as const));
      for (const [id, weight] of weights) if (weight === 0n) weights.delete(id);
      if (weights.size > 0) return weights;
    }
    return new Map();
  }
}

function byTime(a: TableRow<'commission_weights'>, b: TableRow<'commission_weights'>): number {
  if (a.from_at !== b.from_at) return a.from_at < b.from_at ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
