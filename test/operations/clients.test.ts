import { expect, test } from 'vitest';
import type * as z from 'zod';
import type { Principal } from '../../src/ledger/log/log.ts';
import type { Ledger } from '../../src/ledger/store/open.ts';
import {
  addNewClient,
  closeOneClient,
  listClients,
  pauseOneClient,
  resumeOneClient,
  setClientSettings,
  showClient,
} from '../../src/operations/clients.ts';
import { addOneFunding } from '../../src/operations/enter-funding.ts';
import { listAllFundings, showFunding } from '../../src/operations/fundings.ts';
import type { Needs, Operation } from '../../src/operations/operation.ts';
import { listPayouts, showPayout } from '../../src/operations/payouts.ts';
import { plus } from '../../src/time.ts';
import { books } from '../support/books.ts';
import { now } from '../support/clock.ts';
import { forEachLedger } from '../support/ledgers.ts';
import { perform, sessionOn } from '../support/operations.ts';

/* What a client may do, at any door: see the client's own data, and change nothing about where money goes. */

function sessionOf(ledger: Ledger, principal: Principal) {
  return <N extends Needs, Input extends z.ZodType, View extends z.ZodType>(
    operation: Operation<N, Input, View>,
    input: z.input<Input>,
  ) => perform(operation, sessionOn(ledger, { principal }), input);
}

forEachLedger((_kind, open) => {
  async function twoClients() {
    const ledger = await open();
    const book = await books(ledger);
    const since = plus(now(), -86_400_000);
    await book.client('alice', { mode: 'flow', daily: 500, max: 800 }, since);
    await book.client('bob', { mode: 'flow' }, since);
    const ids = { alice: await book.cash('alice', 100, since), bob: await book.cash('bob', 200, since) };
    return { ledger, book, ids, alice: sessionOf(ledger, { kind: 'client', client: 'alice' }) };
  }
  const forbidden = { code: 'usage/forbidden' };
  const noClient = (field: string, name: string) => ({
    ...{ code: 'usage/invalid', kind: 'not-found', message: `${field}: there is no client "${name}".` },
  });

  test('a client sees the client’s own data, and not even that other clients exist', async () => {
    const { alice, ids } = await twoClients();
    expect(await alice(showClient, { name: 'alice' })).toMatchObject({
      ...{ name: 'alice', daily_limits: { USD: '500.00' }, max_daily_limits: { USD: '800.00' } },
      balances: [{ currency: 'USD', remaining: '100.00' }],
    });
    for (const name of ['bob', 'nobody'])
      await expect(alice(showClient, { name })).rejects.toMatchObject(noClient('name', name));
    await expect(alice(listClients, {})).rejects.toMatchObject(forbidden);

    const own = [{ id: `f${ids.alice}`, client: 'alice' }];
    expect(await alice(listAllFundings, {})).toMatchObject(own);
    expect(await alice(listAllFundings, { client: 'alice', status: 'deposited' })).toMatchObject(own);
    expect(await alice(listAllFundings, { status: 'exhausted' })).toEqual([]);
    for (const client of ['bob', 'nobody'])
      await expect(alice(listAllFundings, { client })).rejects.toMatchObject(noClient('client', client));
    expect(await alice(showFunding, { id: `f${ids.alice}` })).toMatchObject({
      history: [{ action: 'funding add' }],
    });
    for (const id of [`f${ids.bob}`, 'f99'])
      await expect(alice(showFunding, { id })).rejects.toMatchObject({
        kind: 'not-found',
        message: expect.stringContaining(`there is no funding ${id}`),
      });
  });

  test('a client sees the client’s own payouts; those of others do not exist', async () => {
    const { ledger, book, alice } = await twoClients();
    const since = plus(now(), -3_600_000);
    await book.cashOut(30, since, plus(since, 60_000));
    expect(Object.keys(await book.pay(plus(since, 120_000)))).toEqual(
      expect.arrayContaining(['alice', 'bob']),
    );
    const all = await sessionOf(ledger, { kind: 'operator' })(listPayouts, {});
    const idOf = (name: string) => all.rows.find(({ recipient }) => recipient === name)?.id ?? '';
    const own = { rows: [{ id: idOf('alice'), recipient: 'alice' }], total: 1 };
    expect(await alice(listPayouts, {})).toMatchObject(own);
    expect(await alice(listPayouts, { client: 'alice', open: true })).toMatchObject(own);
    for (const client of ['bob', 'nobody'])
      await expect(alice(listPayouts, { client })).rejects.toMatchObject(noClient('client', client));
    expect(await alice(showPayout, { id: idOf('alice') })).toMatchObject({ recipient: 'alice' });
    for (const id of [idOf('bob'), 'p99'])
      await expect(alice(showPayout, { id })).rejects.toMatchObject({
        kind: 'not-found',
        message: expect.stringContaining(`there is no payout ${id}`),
      });
  });

  test('a client changes mode, daily limit up to its maximum, and pauses; the log says who', async () => {
    const { ledger, alice } = await twoClients();
    expect(
      await alice(setClientSettings, { name: 'alice', mode: 'fixed', daily_limit: ['800 USD'] }),
    ).toMatchObject({ mode: 'fixed', daily_limits: { USD: '800.00' } });
    await expect(
      alice(setClientSettings, { name: 'alice', daily_limit: ['800.01 USD'] }),
    ).rejects.toMatchObject({
      field: 'daily_limit',
      message: expect.stringContaining('more than the maximum'),
    });
    expect(await alice(pauseOneClient, { name: 'alice' })).toMatchObject({ status: 'paused' });
    expect(await alice(resumeOneClient, { name: 'alice' })).toMatchObject({ status: 'active' });
    const log = await ledger.db.selectFrom('log').select(['action', 'actor']).orderBy('id', 'desc').execute();
    expect(log.slice(0, 3)).toEqual(
      ['client resume', 'client pause', 'client set'].map((action) => ({ action, actor: 'alice' })),
    );
  });

  test('a client changes nobody else, no maximum and no wallet, and adds and closes nothing', async () => {
    const { ledger, alice } = await twoClients();
    const before = await ledger.db.selectFrom('log').select('id').execute();
    const own = { name: 'alice' };
    for (const name of ['bob', 'nobody']) {
      for (const asked of [
        () => alice(setClientSettings, { name, mode: 'fixed' }),
        () => alice(pauseOneClient, { name }),
        () => alice(resumeOneClient, { name }),
      ])
        await expect(asked()).rejects.toMatchObject(noClient('name', name));
    }
    for (const asked of [
      () => alice(setClientSettings, { ...own, max_daily_limit: ['9000 USD'] }),
      () => alice(setClientSettings, { ...own, mode: 'flow', wallet_key: 'a-key-of-alice' }),
      () => alice(setClientSettings, { ...own, mode: 'flow', new_wallet: true }),
      // The maximum would be gone with it.
      () => alice(setClientSettings, { ...own, daily_limit: ['none USD'] }),
      () => alice(closeOneClient, own),
      () => alice(addNewClient, { name: 'carol', wallet_key: 'a-key' }),
      () => alice(addOneFunding, { client: 'alice', amount: '100 USD', deposited: true }),
    ])
      await expect(asked()).rejects.toMatchObject(forbidden);
    expect(await ledger.db.selectFrom('log').select('id').execute()).toEqual(before);
  });
});
