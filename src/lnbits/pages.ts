import { TooLarge, unreachable } from './answer.ts';
import type { WalletPayment } from './shapes.ts';

const PAGE = 100;
/** How many rows of a page the next one shows again, as long as no row goes. */
const OVERLAP = 5;
const PASSES = 3;
/** The fewest rows of a page: one that the page before showed, and another. */
const FEWEST = 2;

/** So many rows of a list from `offset` on, newest first. */
export type ReadPage = (window: { limit: number; offset: number }) => Promise<WalletPayment[]>;

/**
 * The rows of a list page by page, newest first, each row once. Whatever was there from the first page to the last is
 * among them: each page has to show a row that the page before showed as well, so that rows which come in or go
 * meanwhile leave no gap. Where it does not, the list is read again from its beginning. How many rows LNbits says that
 * there are decides nothing: with a page that has no rows it says 0. Who owns a wallet can write a lot into its rows:
 * where a page is too large an answer, fewer rows are asked for.
 *
 * Throws what `read` throws, a `TooLarge` where two rows are, and `lnbits/unreachable` where so many rows went during
 * each of three passes.
 */
export async function* pagesOf(read: ReadPage): AsyncGenerator<WalletPayment[], void> {
  const seen = new Set<string>();
  for (let passes = 0; passes < PASSES; passes += 1) {
    let before: string[] | undefined;
    for (let offset = 0, limit = PAGE; ; ) {
      const page = await read({ limit, offset }).catch((error: unknown) => {
        if (error instanceof TooLarge && limit > FEWEST) return null;
        throw error;
      });
      if (page === null) {
        limit = Math.max(FEWEST, limit >> 2);
        continue;
      }
      const rows = new Map(page.map((row) => [keyOf(row), row]));
      if (before && !before.some((key) => rows.has(key))) break;
      const fresh = [...rows].filter(([key]) => !seen.has(key));
      for (const [key] of fresh) seen.add(key);
      if (fresh.length > 0) yield fresh.map(([, row]) => row);
      if (page.length < limit) return;
      before = [...rows.keys()];
      offset += limit - Math.min(OVERLAP, limit >> 1);
      limit = Math.min(PAGE, limit * 2);
    }
  }
  throw unreachable('the payments of a wallet', 'rows went while they were read', 'Try again in a while.');
}

/** A wallet can have several rows of one hash: a failed try and a later one, both sides of it, or a fee. */
function keyOf({ hash, amountMsat, time }: WalletPayment): string {
  return `${hash} ${amountMsat} ${time}`;
}
