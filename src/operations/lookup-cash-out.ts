import type { Config } from '../config/load.ts';
import type { LamassuRow } from '../lamassu/row.ts';
import { openSource } from '../lamassu/source.ts';
import { findCashOutId } from '../ledger/cash-outs/find-id.ts';
import type { Db } from '../ledger/store/open.ts';
import type { Instant } from '../time.ts';

/** What Lamassu says of one cash-out at this moment. */
export interface Answer {
  /** Lamassu's clock. */
  now: Instant;
  systemIdentifier: string | null;
  /** Undefined where Lamassu has no such row. */
  row: LamassuRow | undefined;
}

/**
 * The whole id of a cash-out by its beginning: one that the ledger knows, else one that only Lamassu has. Errors: those of
 * `findCashOutId`, and of asking Lamassu.
 */
export async function findRowId(config: Config, db: Db, text: string): Promise<string> {
  const elsewhere = async (beginning: string) => {
    const source = await openSource(config.lamassu);
    try {
      return await source.idsBeginning(beginning);
    } finally {
      await source.close();
    }
  };
  return findCashOutId(db, text, { elsewhere });
}

/** Asks Lamassu for one row by its id. Errors: those of `openSource` and its reading methods. */
export async function askLamassu(config: Config, id: string): Promise<Answer> {
  const source = await openSource(config.lamassu);
  try {
    const [row] = await source.withActions(await source.byIds([id]));
    return { now: source.now, systemIdentifier: source.systemIdentifier, row };
  } finally {
    await source.close();
  }
}
