import fc from 'fast-check';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { verifyLedger } from '../../../src/ledger/verify/verify.ts';
import { freshLedger, type LedgerKind } from '../../support/ledgers.ts';
import { long, seed } from '../seed.ts';
import { history } from './histories.ts';
import { live } from './history.ts';

/*
 * The same cash-outs, read in other batches at other times, are divided in the same way. Each row becomes payable in
 * its own moment, in the order of the confirmations; between the runs lies nothing but time, and changes of mode,
 * limit, pause, rate and weight, which count by the cash-out's time, however late it is read.
 */

const RUNS: Record<LedgerKind, number> = { sqlite: long ? 1_000 : 80, postgresql: long ? 50 : 4 };

test.each(Object.entries(RUNS) as [LedgerKind, number][])(
  'two ledgers in %s that read at other times end alike: %i histories',
  async (kind, numRuns) => {
    await fc.assert(
      fc.asyncProperty(history, async (lived) => {
        const books = [];
        for (const polls of lived.polls) {
          const ledger = await freshLedger(kind);
          // Nothing is killed here, so nothing has to wait for the disk.
          if (kind === 'sqlite') await sql`pragma synchronous = off`.execute(ledger.db);
          books.push(await live(ledger, lived, polls));
          expect((await verifyLedger(ledger)).differences).toEqual([]);
          await ledger.close();
        }
        const [one, other] = books;
        expect(other).toEqual(one);
        expect(one?.cashOuts.length).toBe(lived.rows.length);
      }),
      { seed, numRuns, endOnFailure: true },
    );
  },
  long ? 3_600_000 : 240_000,
);
