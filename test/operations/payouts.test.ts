import { expect, test } from 'vitest';
import {
  holdPayout,
  listPayouts,
  previewReleaseAll,
  releaseAllPayouts,
  releasePayoutById,
} from '../../src/operations/payouts.ts';
import { plus } from '../../src/time.ts';
import { books } from '../support/books.ts';
import { now } from '../support/clock.ts';
import { forEachLedger } from '../support/ledgers.ts';
import { perform, sessionOn } from '../support/operations.ts';

forEachLedger((_kind, open) => {
  test('everything that was held in the preview is released, and nothing that was held since', async () => {
    const ledger = await open();
    const book = await books(ledger);
    const since = plus(now(), -86_400_000);
    for (const name of ['alice', 'bob', 'carol']) {
      await book.client(name, { mode: 'flow' }, since);
      await book.cash(name, 100, since);
    }
    await book.cashOut(30, plus(now(), -3_600_000), plus(now(), -3_500_000));
    await book.pay(plus(now(), -3_400_000));
    const session = (reason?: string) => sessionOn(ledger, { reason });
    const held = async () =>
      (await perform(listPayouts, session(), { state: 'held' })).rows.map(({ id }) => id).toSorted();
    const hold = (id: string, reason: string) => perform(holdPayout, session(reason), { id });

    for (const id of ['p1', 'p2']) await hold(id, 'odd');
    const seen = await perform(previewReleaseAll, session(), {});
    expect(seen.held).toMatchObject([
      { id: 'p1', reason: 'odd' },
      { id: 'p2', reason: 'odd' },
    ]);
    await hold('p3', 'odd, too');
    await perform(releasePayoutById, session(), { id: 'p2' });
    await hold('p2', 'for another reason');
    const { digest } = seen;
    expect(await perform(releaseAllPayouts, session(), { digest })).toEqual({ released: ['p1'] });
    expect(await held()).toEqual(['p2', 'p3']);

    expect(await perform(releaseAllPayouts, session(), {})).toEqual({ released: ['p2', 'p3'] });
    const none = await perform(previewReleaseAll, session(), {});
    expect(none.held).toEqual([]);
    await hold('p1', 'odd');
    expect(await perform(releaseAllPayouts, session(), { digest: none.digest })).toEqual({ released: [] });
    const runs = await ledger.db
      .selectFrom('runs')
      .select('kind')
      .where('actor', '=', 'dora')
      .distinct()
      .orderBy('kind')
      .execute();
    expect(runs).toEqual([{ kind: 'payouts hold' }, { kind: 'payouts release' }]);
  });
});
