import { describe, expect, test } from 'vitest';
import {
  asked,
  day,
  fails,
  LOST,
  NO,
  owing,
  payments,
  quietWaits,
  reasons,
  run,
  states,
  to,
  waiting,
  walletOf,
  when,
} from '../support/one-run.ts';

/* What a run does if LNbits refuses. */

test('wallets at which LNbits fails stop no other payout, however many there are', async () => {
  await owing({ alice: 10n, bob: 20n, carol: 30n });
  const error = { at: 'before', answer: { status: 500, body: { detail: 'Internal Server Error' } } } as const;
  day.lnbits.rules = ['alice', 'bob'].map((name) => fails({ walletId: walletOf(name) }, error, 99));
  const ran = await run();
  expect(await states()).toEqual({ alice: 'deferred', bob: 'deferred', carol: 'settled' });
  expect(ran.messages.map((one) => one.slice(0, 12))).toEqual(['p1 to alice ', 'p2 to bob is']);
});

test.each([
  ['falls over', { status: 500, body: { detail: 'Internal Server Error' } }],
  ['shows more than can be read', { status: 200, body: 'x'.repeat(5_100_000) }],
])('several payouts in a row to one wallet at which LNbits %s stop no other payout', async (_, answer) => {
  await owing({ alice: 10n, bob: 20n }, { payouts: 'batch = "cash-out"' });
  await day.owe('alice', 11n);
  await day.owe('bob', 21n);
  day.lnbits.rules = [fails({ walletId: walletOf('alice') }, { at: 'before', answer }, 99)];
  await day.ledger.db.updateTable('wallets').set({ seen_at: null }).execute();
  const ran = await run();
  expect(ran).toMatchObject({ settled: 2, stopped: false });
  expect(await states()).toEqual({ alice: 'deferred', bob: 'settled' });
  expect(ran.messages.map((one) => one.slice(0, 12))).toEqual(['p1 to alice ', 'p2 to alice ']);
});

test('if LNbits crashes at every request, a run ends', async () => {
  await owing({ alice: 10n, bob: 20n, carol: 30n });
  const answer = { status: 500, body: { detail: 'Internal Server Error' } };
  const ran = await run(() => {
    day.lnbits.rules = [fails({}, { at: 'before', answer }, 99)];
  });
  expect(ran).toMatchObject({ stopped: true, problems: ['lnbits/unreachable'] });
});

describe('where LNbits says no', () => {
  test('nothing is under way: the payment waits as it was, and is sent again by the next run', async () => {
    await owing({ alice: 10n, bob: 20n });
    day.lnbits.rules = [fails(to('alice'), NO)];
    expect(await run()).toMatchObject({
      ...{ settled: 1, satsSettled: 20n, stopped: false, problems: ['lnbits/balance'] },
      asked: ['invoice', 'pay', 'find', 'find', 'find', 'wallet', 'invoice', 'pay', 'find'],
      messages: [
        expect.stringMatching(/^p1 to alice: LNbits calls .* too little .* takes a service fee on top$/),
      ],
    });
    expect(quietWaits()).toEqual([]);
    expect(await states()).toEqual({ alice: 'deferred', bob: 'settled' });
    expect((await reasons()).alice).toContain('Insufficient balance.');
    expect((await payments())[0]).toEqual(['invoiced', expect.stringContaining('Insufficient balance.')]);
    expect(await run()).toMatchObject({ settled: 1, problems: [] });
    expect(await payments()).toHaveLength(2);
  });

  test('after a POST without an answer, which may still be running: the client is not checked before the quiet time is over', async () => {
    await owing({ alice: 10n });
    day.lnbits.rules = [fails({ kind: 'pay' }, LOST), fails({ kind: 'pay' }, NO)];
    waiting.meanwhile = async () => {
      expect(asked()).toEqual(['invoice', 'pay', 'find', 'wallet', 'pay', 'find', 'wallet']);
      expect(await states()).toEqual({ alice: 'unknown' });
      expect((await reasons()).alice).toContain('Insufficient balance.');
    };
    expect(await run()).toMatchObject({ settled: 1, problems: [] });
    expect(quietWaits()).toHaveLength(1);
  });

  test('that is no silence: every other payout has its turn', async () => {
    await owing({ alice: 10n, bob: 20n, carol: 30n });
    day.lnbits.rules = ['alice', 'bob'].flatMap((name) => [fails(to(name), LOST), fails(to(name), NO)]);
    waiting.meanwhile = async () => {
      expect(await states()).toEqual({ alice: 'unknown', bob: 'unknown', carol: 'settled' });
      return false;
    };
    await run();
    expect(quietWaits()).toHaveLength(1);
  });

  test('still so after the quiet time: the run says why', async () => {
    await owing({ alice: 10n });
    day.lnbits.rules = [fails({ kind: 'pay' }, LOST), fails({ kind: 'pay' }, NO, 9)];
    waiting.meanwhile = async () => false;
    expect((await run()).problems).toEqual(['lnbits/refused']);
  });

  test('a POST that was answered, and one after it that was not: that one may be running', async () => {
    await owing({ alice: 10n });
    day.lnbits.rules = [fails({ kind: 'pay' }, { pay: 'pending' })];
    waiting.meanwhile = async () => {
      const [{ payment_hash = '' } = {}] = await day.payments();
      day.lnbits.change(day.source.id, payment_hash, { status: 'failed' });
      day.lnbits.rules = [fails({ kind: 'pay' }, LOST, 9)];
      return false;
    };
    const { asked } = await run();
    expect(asked).toEqual([
      ...['invoice', 'pay', 'find'],
      ...['find', 'find', 'find', 'pay', 'find', 'wallet', 'pay', 'find', 'wallet'],
    ]);
  });

  test('that it is pending: it is looked at after the quiet time, and then by the next run', async () => {
    await owing({ alice: 10n });
    day.lnbits.rules = [fails({ kind: 'pay' }, { pay: 'pending' })];
    expect(await run()).toMatchObject({ asked: ['invoice', 'pay', 'find', 'find'], problems: [] });
    expect(quietWaits()).toHaveLength(1);
    expect(await payments()).toEqual([['unknown', 'LNbits shows the payment as pending']]);
    expect(await run()).toMatchObject({ asked: ['find'] });
    // If it is quiet already, no time has to pass.
    expect(quietWaits()).toHaveLength(1);
  });

  test('that it failed: the payment waits as it was', async () => {
    await owing({ alice: 10n });
    day.lnbits.rules = [fails({ kind: 'pay' }, { pay: 'failed' })];
    expect(await run()).toMatchObject({ settled: 0, problems: ['lnbits/refused'] });
    expect(await payments()).toEqual([['invoiced', 'LNbits answered that the payment is failed']]);
  });

  test('to the invoices of one part, again and again: two a run', async () => {
    await owing({ alice: 10n, bob: 20n }, { version: '1.0.0' });
    day.lnbits.rules = [fails(to('alice'), NO, 9)];
    const { asked, problems } = await run((ctx) => {
      ctx.quietMs = 0;
    });
    const tried = ['invoice', 'pay', 'find', 'find', 'find'];
    expect(asked).toEqual([...tried, ...tried, 'wallet', 'invoice', 'pay', 'find']);
    expect(problems).toEqual(['lnbits/balance']);
    expect(await states()).toEqual({ alice: 'deferred', bob: 'settled' });
    expect((await reasons()).alice).toMatch(/^its invoices failed at LNbits: .*Insufficient balance\.$/);
    const dead = ['dead', 'LNbits will not pay this invoice any more'];
    expect(await payments()).toEqual([dead, dead, ['settled', null]]);
  });

  test('to the key of the source wallet: the run ends, and what was sent is not known', async () => {
    await owing({ alice: 10n, bob: 20n });
    when('invoice', 'after', () => day.lnbits.resetKeys(day.source.id));
    expect(await run()).toMatchObject({
      stopped: true,
      problems: ['lnbits/key'],
      asked: ['invoice', 'pay', 'find'],
    });
    expect(await states()).toEqual({ alice: 'unknown', bob: 'planned' });
    expect((await payments())[0]?.[0]).toBe('unknown');
  });
});
