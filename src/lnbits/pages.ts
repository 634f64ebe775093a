import { TooLarge, unreachable } from './answer.ts';
import type { WalletPayment } from './shapes.ts';

const PAGE = 100;
/** How many rows of a page the next one repeats, if no row disappears. */
const OVERLAP = 5;
const PASSES = 3;
/** The fewest rows of a page: a repeated one and a new one. */
const FEWEST = 2;

/** Reads `limit` rows of a list from `offset` on, newest first. */
export type ReadPage = (window: { limit: number; offset: number }) => Promise<WalletPayment[]>;

/**
 * The rows of a list page by page, newest first, each row once. Every row that exists during the whole reading is among
 * them: each page has to repeat a row of the page before, so rows that come or go meanwhile leave no gap. Otherwise the
 * reading starts again. LNbits' total decides nothing: it is 0 on a page without rows. The owner of a wallet can write
 * a lot into its rows: if a page is too large, fewer rows are read at once.
 *
 * Throws what `read` throws, `TooLarge` if two rows are too large, and `lnbits/unreachable` if too many rows disappear
 * in each of three passes.
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
  throw unreachable('the payments of a wallet', 'rows disappeared while they were read', 'Try again later.');
}

/** A wallet can have several rows of one hash: a failed try and a later one, both sides of it, or a fee. */
function keyOf({ hash, amountMsat, time }: WalletPayment): string {
  return `${hash} ${amountMsat} ${time}`;
}
