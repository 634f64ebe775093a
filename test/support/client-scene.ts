import { createHash } from 'node:crypto';
import type { Ledger } from '../../src/ledger/store/open.ts';
import { type Instant, plus } from '../../src/time.ts';
import { type Books, books } from './books.ts';

/* A ledger as a client sees it on the client site: weeks of purchases, most of them paid. */

const DAY_MS = 86_400_000;

export interface ClientScene {
  book: Books;
  ledger: Ledger;
  /** A moment so many days, and hours, before the end of the scene. */
  ago(days: number, hours?: number): Instant;
}

/** All payouts that are not settled arrive at that moment, each by one payment. */
export async function arriveAll(ledger: Ledger, at: Instant): Promise<void> {
  await ledger.write(async (trx) => {
    const run = await trx.selectFrom('runs').select('id').orderBy('id', 'desc').executeTakeFirstOrThrow();
    const open = await trx
      .selectFrom('payouts')
      .innerJoin('recipients', 'recipients.id', 'payouts.recipient_id')
      .select(['payouts.id', 'payouts.sats', 'recipients.wallet_id'])
      .where('payouts.state', '<>', 'settled')
      .execute();
    for (const { id, sats, wallet_id: wallet } of open) {
      const made = { id, payout_id: id, part: 1n, sats, attempt: 1n, run_id: run.id, created_at: at };
      const names = {
        payment_hash: createHash('sha256').update(`${id}`).digest('hex'),
        bolt11: `b${id}`,
        client_wallet_id: wallet,
      };
      await trx
        .insertInto('payments')
        .values({ ...made, ...names, source_wallet_id: 's', state: 'settled', sent_at: at, settled_at: at })
        .execute();
      await trx
        .updateTable('payouts')
        .set({ state: 'settled', settled_at: at })
        .where('id', '=', id)
        .execute();
    }
  });
}

/**
 * alice (flow) with one exhausted funding, one in use and one on its way; bob with much more cash. A cash-out
 * on every `every`-th of the last `days` days; all but the last two are paid.
 */
export async function clientScene(
  ledger: Ledger,
  now: Instant,
  { days = 40, every = 2, currency = 'GTQ' }: { days?: number; every?: number; currency?: string } = {},
): Promise<ClientScene> {
  const book = await books(ledger);
  const ago = (back: number, hours = 0) => plus(now, -back * DAY_MS - hours * 3_600_000);
  const amount = (whole: number) => ({ amount: { minor: BigInt(whole) * 100n, currency, digits: 2 } });
  await ledger.db.updateTable('machines').set({ name: 'Antigua' }).execute();
  await book.client('alice', { mode: 'flow' }, ago(days + 2));
  await book.client('bob', { mode: 'flow' }, ago(days + 2));
  await book.cash('alice', 0, ago(days + 1), amount(1_200));
  await book.cash('bob', 0, ago(days + 1), amount(60_000));
  for (let day = days; day > 0; day -= every) {
    if (day <= days / 2 && day > days / 2 - every) await book.cash('alice', 0, ago(day, 3), amount(9_000));
    const usd = 300 + ((day * 137) % 1_100);
    const gross = BigInt(usd) * BigInt(150 + ((day * 7) % 23));
    const price = { currency, distributed: gross, commission: gross / 18n };
    await book.cashOut(usd, ago(day, 1), ago(day), price);
    if (day <= 2 * every) continue;
    await book.pay(ago(day));
    await arriveAll(ledger, plus(ago(day), 60_000));
  }
  await book.cash('alice', 0, ago(0, 2), { ...amount(3_000), depositedAt: null });
  return { book, ledger, ago };
}
