import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { listCashOuts } from '../../src/operations/cash-outs.ts';
import type { Session } from '../../src/operations/operation.ts';
import { plus } from '../../src/time.ts';
import { books } from '../support/books.ts';
import { now } from '../support/clock.ts';
import { forEachLedger } from '../support/ledgers.ts';
import { perform } from '../support/operations.ts';
import { operator } from '../support/principals.ts';

const config = loadConfig('config.example.toml', {});

forEachLedger((_kind, open) => {
  test('cash-outs are found by machine, client and time, together and page by page', async () => {
    const ledger = await open();
    const book = await books(ledger);
    const start = plus(now(), -100 * 3_600_000);
    const hour = (n: number) => plus(start, n * 3_600_000);
    for (const name of ['alice', 'bob']) await book.client(name, { mode: 'flow' }, start);
    await book.cash('alice', 1_000, hour(1));
    for (const n of [2, 3]) await book.cashOut(20, hour(n));
    await book.cash('bob', 1_000, hour(4));
    for (const n of [5, 6]) await book.cashOut(20, hour(n));
    const session: Session = {
      ...{ principal: operator, clock: ledger.clock, actor: 'dora', reason: undefined },
      config: async () => config,
      ...{ withLedger: (_use, work) => work(ledger), stopSignal: () => AbortSignal.any([]) },
    };
    const ids = async (
      input: Parameters<
        typeof perform<'read', (typeof listCashOuts)['input'], (typeof listCashOuts)['view']>
      >[2],
    ) => {
      const { rows, total } = await perform(listCashOuts, session, input);
      return [total, ...rows.map(({ id }) => id.replace('cash-out ', ''))];
    };
    expect(await ids({})).toEqual([4, '4', '3', '2', '1']);
    expect(await ids({ client: 'bob' })).toEqual([2, '4', '3']);
    expect(await ids({ machine: 'm', client: 'alice', from: hour(3) })).toEqual([3, '4', '3', '2']);
    expect(await ids({ to: hour(3) })).toEqual([2, '2', '1']);
    expect(await ids({ client: 'alice', after: 'cash-out 3', limit: '1' })).toEqual([4, '2']);
    await expect(ids({ client: 'nobody' })).rejects.toThrow('nobody');
    await expect(ids({ machine: 'nowhere' })).rejects.toThrow('nowhere');
  });
});
