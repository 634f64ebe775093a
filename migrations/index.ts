import type { Migration } from 'kysely/migration';
import * as ledger from './0001-ledger.ts';
import * as operations from './0002-operations.ts';
import * as undoneCredits from './0003-undone-credits.ts';
import * as runSources from './0004-run-sources.ts';
import * as copiesAndSeals from './0005-copies-and-seals.ts';
import * as evidence from './0006-evidence.ts';
import * as successesAndParts from './0007-successes-and-parts.ts';
import * as clocks from './0008-clocks.ts';
import * as begunAtMachine from './0009-begun-at-machine.ts';
import * as seenWallets from './0010-seen-wallets.ts';
import * as requests from './0011-requests.ts';
import * as ownShareReasons from './0012-own-share-reasons.ts';
import * as payoutLack from './0013-payout-lack.ts';
import * as people from './0014-people.ts';
import * as pageIndexes from './0015-page-indexes.ts';

/** The steps of the ledger's schema, oldest first. A step that was published never changes. */
export const migrations: Record<string, Migration> = {
  '0001-ledger': ledger,
  '0002-operations': operations,
  '0003-undone-credits': undoneCredits,
  '0004-run-sources': runSources,
  '0005-copies-and-seals': copiesAndSeals,
  '0006-evidence': evidence,
  '0007-successes-and-parts': successesAndParts,
  '0008-clocks': clocks,
  '0009-begun-at-machine': begunAtMachine,
  '0010-seen-wallets': seenWallets,
  '0011-requests': requests,
  '0012-own-share-reasons': ownShareReasons,
  '0013-payout-lack': payoutLack,
  '0014-people': people,
  '0015-page-indexes': pageIndexes,
};
