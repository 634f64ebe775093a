import type { Config } from '../config/config.ts';
import { type JudgingConfig, rulesOf, verdictOn } from '../judging/judging.ts';
import type { Verdict } from '../judging/review-reasons.ts';
import { type SourceRow, sourceRow } from '../judging/source-row.ts';
import { openDatabase } from '../lamassu/database.ts';
import type { Known } from '../lamassu/eligibility.ts';
import { lamassuId } from '../lamassu/id.ts';
import { type PartialFigures, partialFigures } from '../lamassu/partial-figures.ts';
import { openSource } from '../lamassu/source.ts';
import { type Elsewhere, findCashOutId } from '../ledger/cash-outs/find-id.ts';
import type { Db, Ledger } from '../ledger/store/open.ts';
import type { Instant } from '../time.ts';

/** A row of Lamassu, with its judgement and the figures that it tells. */
export interface FoundCashOut extends SourceRow {
  verdict: Verdict;
  partial: PartialFigures;
}

/** What Lamassu says of one cash-out at this moment. */
export interface SourceAnswer {
  /** Lamassu's clock. */
  now: Instant;
  systemIdentifier: string | null;
  /** Null if there is no such row. */
  found: FoundCashOut | null;
}

/**
 * The whole id of a cash-out: one that was typed whole, known or not, else by its beginning. Errors: those of
 * `findCashOutId` and of `elsewhere`.
 */
export async function findId(db: Db, text: string, elsewhere?: Elsewhere): Promise<string> {
  return lamassuId(text) ?? (await findCashOutId(db, text, { elsewhere }));
}

/**
 * The whole id of a cash-out by its beginning: one that the ledger knows, else one that only Lamassu has. Errors: those
 * of `findCashOutId`, and of asking Lamassu.
 */
export async function findRowId(
  config: Pick<Config, 'lamassu'>,
  { db, clock }: Pick<Ledger, 'db' | 'clock'>,
  text: string,
): Promise<string> {
  const elsewhere = async (beginning: string) => {
    const database = await openDatabase(config.lamassu, clock);
    try {
      return await database.idsBeginning(beginning);
    } finally {
      await database.close();
    }
  };
  return findId(db, text, elsewhere);
}

/**
 * Asks Lamassu for one row by its id. `known` is what its judgement takes into account. Errors: those of `openSource`
 * and its reading methods.
 */
export async function askLamassu(
  config: JudgingConfig,
  { db, clock }: Pick<Ledger, 'db' | 'clock'>,
  id: string,
  known: Known,
): Promise<SourceAnswer> {
  const rules = await rulesOf(config, db);
  const source = await openSource(config.lamassu, clock, {
    ...{ rules, nothingKnown: known, withNotesOfProcessed: true },
    known: async () => new Map(),
  });
  try {
    const { now, systemIdentifier } = source;
    const [judged] = await source.byIds([id]);
    if (!judged) return { now, systemIdentifier, found: null };
    const { row } = judged;
    const partial = partialFigures(row, now, rules.currencies);
    const verdict = await verdictOn(db, judged);
    return { now, systemIdentifier, found: { ...sourceRow(row), verdict, partial } };
  } finally {
    await source.close();
  }
}
