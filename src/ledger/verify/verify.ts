import { sql } from 'kysely';
import { digitsByCurrency } from '../store/currencies.ts';
import type { Db, Ledger } from '../store/open.ts';
import { verifyCashOuts } from './cash-outs.ts';
import { verifyCredits } from './credits.ts';
import { type LedgerDifference, LedgerFindings } from './findings.ts';
import { verifyFundings } from './fundings.ts';
import { verifyPayouts } from './payouts.ts';
import { verifyRelations } from './relations.ts';
import { verifySettlements } from './settlements.ts';

export type { LedgerDifference } from './findings.ts';

export interface Verification {
  ok: boolean;
  /** How many rows of each kind were looked at. */
  checked: Record<string, number>;
  differences: LedgerDifference[];
}

/**
 * Adds the ledger's books up again from the rows, with arithmetic of its own: every cash-out, funding, payout and
 * payment, the mark, and what must hold between them. Changes nothing. Reads everything as it was at one moment, so it
 * neither sees nor delays a run that goes on meanwhile. Memory grows with the fundings and the days of fixed clients,
 * not with the cash-outs.
 */
export async function verifyLedger({ db, clock }: Pick<Ledger, 'db' | 'clock'>): Promise<Verification> {
  const findings = new LedgerFindings();
  await snapshot(db, async (at) => {
    const digits = await digitsByCurrency(at);
    const spent = await verifyCashOuts(at, digits, findings);
    await verifyFundings(at, digits, spent, findings);
    await verifyPayouts(at, digits, findings);
    await verifyCredits(at, findings);
    await verifySettlements(at, findings);
    await verifyRelations(at, clock.now(), findings);
  });
  const differences = findings.all();
  return { ok: differences.length === 0, checked: findings.checked, differences };
}

/** Runs `work` on one unchanging view of the ledger; nobody waits for it. */
async function snapshot(db: Db, work: (at: Db) => Promise<void>): Promise<void> {
  const begin = db.getExecutor().adapter.supportsMultipleConnections
    ? sql`begin isolation level repeatable read read only`
    : // Deferred: it reads beside a writer. A plain `begin` would take SQLite's lock for writing.
      sql`begin deferred`;
  await db.connection().execute(async (connection) => {
    await begin.execute(connection);
    try {
      await work(connection);
    } finally {
      await sql`rollback`.execute(connection);
    }
  });
}
