import { describe, expect, test } from 'vitest';
import { type Instant, toMs } from '../../src/time.ts';
import { HOUR } from '../support/fake-lnbits.ts';
import type { Rule, SeenRequest } from '../support/lnbits-simulator.ts';
import {
  asked,
  balance,
  DONE,
  day,
  fails,
  LOST,
  owing,
  PAUSED,
  pause,
  payments,
  posts,
  quietWaits,
  reasons,
  run,
  states,
  to,
  waiting,
  walletOf,
  when,
} from '../support/one-run.ts';

/* What a run does if LNbits does not answer a POST, or another request. */

describe('where LNbits does not answer a POST', () => {
  test('it is sent once more, and after the quiet time it is found out within the run', async () => {
    await owing({ alice: 10n, bob: 20n });
    day.lnbits.rules = [fails(to('alice'), LOST, 2)];
    let last: Instant | null = null;
    waiting.meanwhile = async () => {
      expect(await states()).toEqual({ alice: 'unknown', bob: 'settled' });
      const [alice] = await day.ledger.db.selectFrom('payments').selectAll().orderBy('id').execute();
      expect(alice).toMatchObject({ state: 'unknown', reason: expect.stringContaining('/api/v1/payments') });
      last = alice?.sent_at ?? null;
    };
    expect(await run()).toEqual({
      ...{ settled: 2, satsSettled: 30n, stopped: false, problems: [], messages: [] },
      asked: [
        ...['invoice', 'pay', 'find', 'wallet', 'pay', 'find', 'wallet'],
        ...['invoice', 'pay', 'find'],
        ...['find', 'find', 'find', 'pay', 'find'],
      ],
    });
    expect(quietWaits()).toHaveLength(1);
    expect(waiting.until[0] ?? 0).toBeGreaterThanOrEqual(toMs(last ?? '') + HOUR);
    expect(balance('alice')).toBe(10n);
  });

  test('nor any later one: it is unknown, and the run says so', async () => {
    await owing({ alice: 10n, bob: 20n });
    day.lnbits.rules = [fails(to('alice'), LOST, 4)];
    expect(await run()).toMatchObject({ settled: 1, stopped: false, problems: ['lnbits/unreachable'] });
    expect(posts()).toBe(5);
    expect(await states()).toEqual({ alice: 'unknown', bob: 'settled' });
    expect(await run()).toMatchObject({ settled: 1, problems: [] });
    expect(balance('alice')).toBe(10n);
  });

  test('nor any later one, and no time has to pass: the run says so, whatever else it waits for', async () => {
    await owing({ alice: 10n, bob: 20n, carol: 30n });
    day.lnbits.rules = [fails(to('alice'), LOST, 2), fails(to('carol'), LOST, 2)];
    let quiet = (): void => {};
    when('invoice', 'before', () => quiet(), 3);
    const { problems } = await run((ctx) => {
      ctx.quietMs = 0;
      quiet = () => {
        ctx.quietMs = HOUR;
      };
    });
    expect(problems).toEqual(['lnbits/unreachable']);
    expect(quietWaits()).toHaveLength(1);
    expect(await states()).toEqual({ alice: 'unknown', bob: 'settled', carol: 'settled' });
  });

  test('of two payouts in a row: no other has its turn, and those two are looked at once more', async () => {
    await owing({ alice: 10n, bob: 20n, carol: 30n });
    day.lnbits.rules = [fails({ kind: 'pay' }, LOST, 4)];
    expect(await run()).toMatchObject({ settled: 2, stopped: false, problems: ['lnbits/unreachable'] });
    expect(await states()).toEqual({ alice: 'settled', bob: 'settled', carol: 'planned' });
    expect(quietWaits()).toHaveLength(1);
  });

  test('of two payouts that are not in a row: each other one has its turn', async () => {
    await owing({ alice: 10n, bob: 20n, carol: 30n, dave: 40n });
    day.lnbits.rules = [fails(to('alice'), LOST, 2), fails(to('carol'), LOST, 2)];
    waiting.meanwhile = async () => {
      expect(await states()).toEqual({ alice: 'unknown', bob: 'settled', carol: 'unknown', dave: 'settled' });
    };
    expect(await run()).toMatchObject({ settled: 4, problems: [] });
  });

  test.each(['1.0.0', '1.6.2'] as const)(
    'and its invoice dies: within the quiet time it is not replaced (LNbits %s)',
    async (version) => {
      await owing({ alice: 10n, bob: 20n }, { version });
      day.lnbits.rules = [fails(to('alice'), LOST, 2)];
      waiting.meanwhile = async () => {
        await day.lnbits.restart();
        return false;
      };
      expect(await run()).toMatchObject({ settled: 1, satsSettled: 20n });
      expect(await states()).toEqual({ alice: 'unknown', bob: 'settled' });
      expect(await payments()).toHaveLength(2);
      expect(await run()).toMatchObject({ settled: 1, satsSettled: 10n });
      expect((await payments()).map(([state]) => state)).toEqual(['dead', 'settled', 'settled']);
      expect(balance('alice')).toBe(10n);
    },
  );

  test('that took effect: one look finds it, where a look changes nothing', async () => {
    await owing({ alice: 10n });
    day.lnbits.rules = [fails({ kind: 'pay' }, DONE)];
    expect(await run()).toMatchObject({
      settled: 1,
      problems: [],
      asked: ['invoice', 'pay', 'find', 'find'],
    });
    expect(quietWaits()).toEqual([]);
  });

  test('that took effect: up to LNbits 1.3 the client is looked at after the quiet time', async () => {
    await owing({ alice: 10n, bob: 20n, carol: 30n }, { version: '1.0.0' });
    day.lnbits.rules = [fails({ kind: 'pay' }, DONE, 2)];
    // Two in a row without an answer: the third has no turn.
    expect(await run()).toMatchObject({
      ...{ settled: 2, problems: ['lnbits/unreachable'] },
      asked: ['invoice', 'pay', 'find', 'invoice', 'pay', 'find', 'find', 'find', 'find', 'find'],
    });
    expect(await states()).toEqual({ alice: 'settled', bob: 'settled', carol: 'planned' });
    expect([balance('alice'), balance('bob')]).toEqual([10n, 20n]);
  });

  test('the parts after it are not begun', async () => {
    await owing({ alice: 1_000n }, { payouts: 'maximum_sats = 400' });
    day.lnbits.rules = [fails({ kind: 'pay' }, LOST, 2)];
    waiting.meanwhile = async () => {
      expect(asked().filter((kind) => kind === 'invoice')).toHaveLength(1);
      return false;
    };
    expect(await run()).toMatchObject({ settled: 1, satsSettled: 1_000n });
    expect(quietWaits()).toHaveLength(1);
    expect(day.lnbits.payments(walletOf('alice')).map(({ amount }) => amount)).toEqual([
      ...[400_000, 400_000, 200_000],
    ]);
  });
});

describe('where LNbits cannot be asked', () => {
  /** Those of its requests, counted from 1. */
  const nth = (kind: SeenRequest['kind'], which: number[], fault = LOST): Rule => {
    let seen = 0;
    const fits: Rule['when'] = (request) => {
      if (request.kind === kind) seen += 1;
      return request.kind === kind && which.includes(seen);
    };
    return fails(fits, fault, which.length);
  };

  test('for an invoice: the payout is deferred, another one has its turn', async () => {
    await owing({ alice: 10n, bob: 20n });
    day.lnbits.rules = [fails({ kind: 'invoice' }, LOST)];
    expect(await run()).toMatchObject({ settled: 1, stopped: false, problems: ['lnbits/unreachable'] });
    expect(await states()).toEqual({ alice: 'deferred', bob: 'settled' });
    expect((await reasons()).alice).toContain('/api/v1/payments');
  });

  test('for two invoices in a row: the run ends', async () => {
    await owing({ alice: 10n, bob: 20n, carol: 30n });
    day.lnbits.rules = [fails({ kind: 'invoice' }, LOST, 2)];
    expect(await run()).toMatchObject({ settled: 0, stopped: true, asked: ['invoice', 'invoice'] });
    expect(await states()).toEqual({ alice: 'deferred', bob: 'deferred', carol: 'planned' });
  });

  test('for two invoices, not in a row: the run goes on', async () => {
    await owing({ alice: 10n, bob: 20n, carol: 30n, dave: 40n });
    day.lnbits.rules = [nth('invoice', [1, 3])];
    expect(await run()).toMatchObject({ settled: 2, stopped: false });
    expect(await states()).toEqual({
      ...{ alice: 'deferred', bob: 'settled', carol: 'deferred', dave: 'settled' },
    });
  });

  test('after a POST: what was sent is not known, whatever its other parts are', async () => {
    await owing({ alice: 1_000n, bob: 20n }, { payouts: 'maximum_sats = 400' });
    day.lnbits.rules = [nth('find', [2, 3, 4])];
    expect(await run()).toMatchObject({ settled: 1, satsSettled: 420n, stopped: false });
    expect((await payments()).map(([state]) => state)).toEqual(['settled', 'unknown', 'settled']);
    expect(await states()).toEqual({ alice: 'unknown', bob: 'settled' });
    day.lnbits.rules = [nth('find', [1, 2, 3])];
    expect(await run()).toMatchObject({ settled: 0, problems: ['lnbits/unreachable'] });
    expect((await payments()).map(([state]) => state)).toEqual(['settled', 'unknown', 'settled']);
    expect(await states()).toEqual({ alice: 'unknown', bob: 'settled' });
    expect(await run()).toMatchObject({ settled: 1, satsSettled: 600n });
    expect(balance('alice')).toBe(1_000n);
  });

  test('about a payment that was never sent: its payout is deferred', async () => {
    await owing({ alice: 10n });
    when('invoice', 'after', () => pause(PAUSED));
    await run();
    await pause(null);
    day.lnbits.rules = [fails({ kind: 'find' }, LOST, 3)];
    expect(await run()).toMatchObject({ settled: 0, stopped: false, problems: ['lnbits/unreachable'] });
    expect(await states()).toEqual({ alice: 'deferred' });
    expect((await payments())[0]?.[0]).toBe('invoiced');
  });

  test('too often: the run ends at once, and waits for nothing', async () => {
    await owing({ alice: 10n, bob: 20n, carol: 30n, dave: 40n });
    const answer = { status: 429, headers: { 'retry-after': '70' }, body: { error: 'Rate limit exceeded' } };
    day.lnbits.rules = [fails(to('alice'), LOST, 2), nth('invoice', [3], { at: 'before', answer })];
    expect(await run()).toMatchObject({ settled: 1, stopped: true });
    expect(quietWaits()).toEqual([]);
    expect(await states()).toEqual({
      ...{ alice: 'unknown', bob: 'settled', carol: 'deferred', dave: 'planned' },
    });
  });
});
