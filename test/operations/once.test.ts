import { expect, test } from 'vitest';
import * as z from 'zod';
import { secretInput } from '../../src/config/secret-input.ts';
import type { Principal } from '../../src/ledger/log/log.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { startRun } from '../../src/ledger/runs/lease.ts';
import type { Ledger } from '../../src/ledger/store/open.ts';
import { call, Message, message } from '../../src/lib/message.ts';
import { pauseOneClient, setClientSettings } from '../../src/operations/clients.ts';
import { addOneFunding } from '../../src/operations/enter-funding.ts';
import { adjustOneFunding } from '../../src/operations/fundings.ts';
import { copy, recoverLedger } from '../../src/operations/ledger.ts';
import { type Needs, type Operation, operation } from '../../src/operations/operation.ts';
import { pausePayouts } from '../../src/operations/payouts.ts';
import { pollOnce, runFixed } from '../../src/operations/poll.ts';
import { reconcile } from '../../src/operations/reconcile.ts';
import { plus } from '../../src/time.ts';
import { text } from '../../src/views/fields.ts';
import { books } from '../support/books.ts';
import { now } from '../support/clock.ts';
import { forEachLedger, openAgain } from '../support/ledgers.ts';
import { perform, sessionOn } from '../support/operations.ts';

/* A request under a key is done once, however often and by whatever process it is sent. */

interface Asking {
  ledger: Ledger;
  key: string;
  actor?: string;
  principal?: Principal;
  reason?: string;
}

function ask<N extends Needs, Input extends z.ZodType, View extends z.ZodType>(
  { ledger, ...how }: Asking,
  asked: Operation<N, Input, View>,
  input: z.input<Input>,
): Promise<z.output<View>> {
  return perform(asked, sessionOn(ledger, how), input);
}

/** With every kind of value that views have but JSON does not. */
const stir = operation({
  name: 'pot.stir',
  needs: 'write',
  may: [],
  errors: [],
  input: z.object({ wallet_key: secretInput, times: z.bigint() }),
  view: z.object({ sats: z.bigint(), text, none: z.string().nullable(), list: z.array(z.bigint()) }),
  run: ({ write }, { times }) =>
    write(async () => ({
      ...{ sats: times, none: null, list: [1n, times] },
      text: message`See ${call('payouts.show', { id: 'p1' })}.`,
    })),
});

forEachLedger((kind, open) => {
  const reused = { code: 'usage/key-reused', kind: 'conflict' };
  const cash = { client: 'alice', amount: '100 USD', machine: 'm', deposited: true };

  async function withAlice(): Promise<Ledger> {
    const ledger = await open();
    await (await books(ledger)).client('alice', { mode: 'flow' }, plus(now(), -86_400_000));
    return ledger;
  }
  const count = async ({ db }: Ledger, table: 'fundings' | 'requests' | 'log') =>
    (await db.selectFrom(table).selectAll().execute()).length;

  test('a repeated request gets the same answer, from another process too, and changes nothing', async () => {
    const ledger = await withAlice();
    const first = await ask({ ledger, key: 'k1' }, addOneFunding, cash);
    const logged = await count(ledger, 'log');
    const again = await openAgain(ledger);
    // A field that is left out has its default.
    const same = { ...cash, new_currency: false };
    expect(await ask({ ledger: again, key: 'k1' }, addOneFunding, same)).toEqual(first);
    await ask({ ledger, key: 'k2' }, addOneFunding, cash);
    expect(await count(ledger, 'fundings')).toBe(2);
    expect(await count(ledger, 'log')).toBe(logged + 1);

    const paused = await ask({ ledger, key: 'k3' }, pauseOneClient, { name: 'alice' });
    expect(await ask({ ledger, key: 'k3' }, pauseOneClient, { name: 'alice' })).toEqual(paused);
  });

  test('two requests at the same time are done once', async () => {
    const ledger = await withAlice();
    // Two connections of one process to a file would wait for each other: SQLite blocks the process.
    const others = kind === 'sqlite' ? [ledger, ledger] : [await openAgain(ledger), await openAgain(ledger)];
    const answers = await Promise.all(
      [ledger, ...others].map((one) => ask({ ledger: one, key: 'k' }, addOneFunding, cash)),
    );
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(answers[1]).toEqual(answers[0]);
    expect(await count(ledger, 'fundings')).toBe(1);
  });

  test('something else under the same key is refused, and nothing is written', async () => {
    const ledger = await withAlice();
    const { id } = await ask({ ledger, key: 'k' }, addOneFunding, cash);
    const logged = await count(ledger, 'log');
    for (const asked of [
      () => ask({ ledger, key: 'k' }, addOneFunding, { ...cash, amount: '101 USD' }),
      () => ask({ ledger, key: 'k', reason: 'more' }, addOneFunding, cash),
      () => ask({ ledger, key: 'k' }, pauseOneClient, { name: 'alice' }),
      () => ask({ ledger, key: 'k', reason: 'x' }, adjustOneFunding, { id, amount: '1 USD' }),
    ])
      await expect(asked()).rejects.toMatchObject(reused);
    expect(await count(ledger, 'log')).toBe(logged);
    await expect(ask({ ledger, key: '' }, addOneFunding, cash)).rejects.toMatchObject({ field: 'key' });
  });

  test('an operation that makes many changes takes no key, and does nothing with one', async () => {
    const ledger = await open();
    const each: ((key: string) => Promise<unknown>)[] = [
      (key) => ask({ ledger, key }, pollOnce, {}),
      (key) => ask({ ledger, key }, runFixed, {}),
      (key) => ask({ ledger, key }, reconcile, { book_fees: true }),
      (key) => ask({ ledger, key }, recoverLedger, {}),
      (key) => ask({ ledger, key }, copy, { to: 'sqlite:/nowhere/ledger.sqlite' }),
    ];
    for (const asked of each)
      for (const key of ['k', '']) {
        await expect(asked(key)).rejects.toMatchObject({
          ...{
            code: 'usage/invalid',
            field: 'key',
            message: expect.stringContaining('takes no idempotency key'),
          },
        });
      }
    expect(await ledger.db.selectFrom('runs').selectAll().execute()).toEqual([]);
  });

  test('a refused or failed request keeps nothing: its key is free', async () => {
    const ledger = await withAlice();
    const asking = { ledger, key: 'k' };
    await expect(ask(asking, addOneFunding, { ...cash, digest: 'other' })).rejects.toMatchObject({
      code: 'usage/changed',
    });
    await expect(ask(asking, addOneFunding, { ...cash, client: 'nobody' })).rejects.toThrow('nobody');
    expect(await count(ledger, 'requests')).toBe(0);
    await ask(asking, addOneFunding, cash);
    expect(await count(ledger, 'fundings')).toBe(1);
  });

  test('a process that dies leaves the change with its answer, or neither', async () => {
    const ledger = await withAlice();
    const gone = new Error('the process is gone');
    const dying: Ledger = {
      ...ledger,
      write: (work) =>
        ledger.write(async (trx) => {
          await work(trx);
          throw gone;
        }),
    };
    await expect(ask({ ledger: dying, key: 'k' }, addOneFunding, cash)).rejects.toBe(gone);
    expect([await count(ledger, 'fundings'), await count(ledger, 'requests')]).toEqual([0, 0]);
    const mute: Ledger = { ...ledger, write: (work) => ledger.write(work).then(() => Promise.reject(gone)) };
    await expect(ask({ ledger: mute, key: 'k' }, addOneFunding, cash)).rejects.toBe(gone);
    expect(await ask({ ledger, key: 'k' }, addOneFunding, cash)).toMatchObject({ client: 'alice' });
    expect([await count(ledger, 'fundings'), await count(ledger, 'requests')]).toEqual([1, 1]);
  });

  test('each principal has keys of its own, and the log says on whose right a change was made', async () => {
    const ledger = await withAlice();
    const alice = {
      ledger,
      key: 'k',
      actor: 'alice',
      principal: { kind: 'client', client: 'alice' },
    } as const;
    await ask({ ledger, key: 'k', reason: 'a look' }, pausePayouts, {});
    await ask({ ledger, key: 'k', actor: 'emil' }, addOneFunding, cash);
    await ask({ ledger, key: 'k', actor: 'alice' }, pauseOneClient, { name: 'alice' });
    await ask(alice, setClientSettings, { name: 'alice', daily_limit: ['500 USD'] });
    const log = await ledger.db
      .selectFrom('log')
      .select(['actor', 'action', 'principal'])
      .orderBy('id', 'desc')
      .limit(4)
      .execute();
    expect(log.toReversed()).toEqual([
      { actor: 'dora', action: 'payouts pause', principal: 'operator' },
      { actor: 'emil', action: 'funding add', principal: 'operator' },
      { actor: 'alice', action: 'client pause', principal: 'operator' },
      { actor: 'alice', action: 'client set', principal: 'client alice' },
    ]);
  });

  test('an answer comes back as it was, and no secret is kept', async () => {
    const ledger = await open();
    const input = { wallet_key: 'the-key-of-the-wallet', times: 9_007_199_254_740_993n };
    const first = await ask({ ledger, key: 'k' }, stir, input);
    const second = await ask({ ledger, key: 'k' }, stir, input);
    expect(second).toEqual(first);
    expect(second.text).toBeInstanceOf(Message);
    expect(JSON.stringify(await ledger.db.selectFrom('requests').selectAll().execute())).not.toContain(
      'the-key',
    );
    await expect(ask({ ledger, key: 'k' }, stir, { ...input, wallet_key: 'another' })).rejects.toMatchObject(
      reused,
    );
  });

  test('a request that was done under the lease is answered again without it', async () => {
    const ledger = await open();
    const underLease = operation({
      ...stir,
      name: 'pot.stir_alone',
      needs: 'lease',
      kind: 'payouts hold',
      run: stir.run,
    });
    const input = { wallet_key: 'a', times: 1n };
    const first = await ask({ ledger, key: 'k' }, underLease, input);
    const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'timer' });
    expect(await ask({ ledger, key: 'k' }, underLease, input)).toEqual(first);
    await expect(ask({ ledger, key: 'other' }, underLease, input)).rejects.toMatchObject({
      code: 'run/busy',
    });
    await run.finish('ok', null);
  });
});
