import type { Config } from '../config/config.ts';
import { type Judged, judge, type Rules } from '../lamassu/eligibility.ts';
import type { LamassuRow } from '../lamassu/row.ts';
import type { Judging } from '../lamassu/source.ts';
import { type KnownRow, knownRows, NOTHING_KNOWN } from '../ledger/cash-outs/known.ts';
import { currencyChange } from '../ledger/machines/currency-change.ts';
import { knownCurrencies } from '../ledger/store/currencies.ts';
import type { Db } from '../ledger/store/open.ts';
import type { Instant } from '../time.ts';
import type { Verdict } from './review-reasons.ts';

/** The settings by which rows are judged. */
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
 * The judgement of a row by the present ledger: a new row that is eligible may wait because of its currency. `paidOut`
 * caches the currency of each machine's newest cash-out, for many rows.
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

/** The verdict on a row as the ledger kept it, as if it were new. `at`: the time that counts as Lamassu's. */
export async function judgeStored(
  config: JudgingConfig,
  db: Db,
  kept: Readonly<Record<string, string | null | undefined>>,
  at: Instant,
): Promise<Verdict> {
  return verdictOn(db, judge(kept as LamassuRow, await rulesOf(config, db), at, {}));
}
