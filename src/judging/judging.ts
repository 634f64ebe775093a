import type { Config } from '../config/config.ts';
import type { Judged, Rules } from '../lamassu/eligibility.ts';
import type { Judging } from '../lamassu/source.ts';
import { type KnownRow, knownRows, NOTHING_KNOWN } from '../ledger/cash-outs/known.ts';
import { currencyChange } from '../ledger/machines/currency-change.ts';
import { knownCurrencies } from '../ledger/store/currencies.ts';
import type { Db } from '../ledger/store/open.ts';
import type { Verdict } from './review-reasons.ts';

/** What the configuration says of how a row is judged. */
export type JudgingConfig = Pick<Config, 'lamassu' | 'commission' | 'review' | 'currencies'>;

/** The rules by which rows are judged. */
export async function rulesOf(
  { lamassu, commission, review, currencies }: JudgingConfig,
  db: Db,
): Promise<Rules> {
  const { method, fallback } = commission;
  return {
    source: lamassu.name,
    startAt: lamassu.startAt,
    method,
    fallback,
    cashOutAbove: review.cashOutAbove,
    currencies: await knownCurrencies(db, currencies),
  };
}

/** What the source needs in order to judge: the rules, and what the ledger knows of each row. */
export async function judgingOf(config: JudgingConfig, db: Db): Promise<Judging<KnownRow>> {
  return {
    rules: await rulesOf(config, db),
    known: (ids) => knownRows(db, ids),
    nothingKnown: NOTHING_KNOWN,
  };
}

/**
 * What a row comes to at this moment of the ledger: a new one that is eligible may wait because of its currency. `paidOut`
 * has the currency of each machine whose newest cash-out is known, where many rows are judged.
 */
export async function verdictOn(
  db: Db,
  { judgement, released, known }: Judged,
  paidOut?: ReadonlyMap<string, string>,
): Promise<Verdict> {
  if (!judgement.eligible || released || known.processed) return judgement;
  const { cashOut } = judgement;
  if (paidOut?.get(cashOut.machine) === cashOut.currency) return judgement;
  const detail = await currencyChange(db, cashOut);
  if (detail === null) return judgement;
  return { eligible: false, reason: 'currency-changed', detail, review: true, watch: true };
}
