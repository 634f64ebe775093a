import { describe, expect, test } from 'vitest';
import { BridgeError } from '../../src/errors.ts';
import type { Phase, SeenRequest } from '../support/lnbits-simulator.ts';
import {
  asked,
  balance,
  clock,
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
  when,
} from '../support/one-run.ts';

/* The steps of one run, one request after the other: where it may stop, and where it goes on. */

describe('as a rule', () => {
  test('an invoice, its payment, and a look at the client; an invoice that was just made is not looked at', async () => {
    await owing({ alice: 10n, bob: 20n });
    const once = ['invoice', 'pay', 'find'];
    expect(await run()).toEqual({
      ...{ settled: 2, satsSettled: 30n, stopped: false, problems: [], messages: [] },
      asked: [...once, ...once],
    });
    expect(quietWaits()).toEqual([]);
  });

  test('settled payments reduce the balance, so no invoice is made for more than is there', async () => {
    await owing({ alice: 600n, bob: 500n }, { funds: 1_000n });
    const { asked, problems } = await run();
    expect(asked).toEqual(['invoice', 'pay', 'find']);
    expect(problems).toEqual(['lnbits/balance']);
    expect((await reasons()).bob).toBe(
      'the source wallet held 400 sat when it was tried, less than the 500 sat due',
    );
  });

  test('exactly the balance may be paid', async () => {
    await owing({ alice: 600n, bob: 400n }, { funds: 1_000n });
    expect(await run()).toMatchObject({ settled: 2, problems: [] });
  });
});

describe('where it is stopped', () => {
  const stopAt = async (kind: SeenRequest['kind'], phase: Phase, n = 1) => {
    const stop = new AbortController();
    when(kind, phase, () => stop.abort(), n);
    return await run((ctx) => {
      ctx.signal = stop.signal;
    });
  };

  test('after an invoice: it is kept, and paid by the next run after a look at both sides', async () => {
    await owing({ alice: 10n, bob: 20n });
    expect(await stopAt('invoice', 'after')).toMatchObject({ asked: ['invoice'], settled: 0 });
    expect(await payments()).toEqual([['invoiced', null]]);
    expect(await states()).toEqual({ alice: 'paying', bob: 'planned' });
    expect((await run()).asked).toEqual([
      ...['find', 'find', 'find', 'pay', 'find'],
      ...['invoice', 'pay', 'find'],
    ]);
    expect(await payments()).toHaveLength(2);
  });

  test('after an invoice that dies before it is paid: another one is made', async () => {
    await owing({ alice: 10n });
    await stopAt('invoice', 'after');
    await day.lnbits.restart();
    expect(await run()).toMatchObject({
      ...{ settled: 1, asked: ['find', 'find', 'find', 'invoice', 'pay', 'find'] },
    });
    expect((await payments()).map(([state]) => state)).toEqual(['dead', 'settled']);
  });

  test('between two POSTs of a payment: it is not sent again', async () => {
    await owing({ alice: 10n, bob: 20n });
    day.lnbits.rules = [fails({ kind: 'pay' }, LOST, 9)];
    expect((await stopAt('wallet', 'after')).asked).toEqual(['invoice', 'pay', 'find', 'wallet']);
    expect(await payments()).toEqual([['sending', null]]);
    expect(quietWaits()).toEqual([]);
  });

  test('between two parts of a payout: what arrived counts, the rest is left', async () => {
    await owing({ alice: 1_000n, bob: 20n }, { payouts: 'maximum_sats = 400' });
    expect(await stopAt('pay', 'after', 2)).toMatchObject({
      ...{ settled: 0, satsSettled: 800n, asked: ['invoice', 'pay', 'find', 'invoice', 'pay', 'find'] },
    });
    expect(await states()).toEqual({ alice: 'paying', bob: 'planned' });
    expect(await run()).toMatchObject({ settled: 2, satsSettled: 220n });
    expect(balance('alice')).toBe(1_000n);
  });

  test('if the outcome of a payment is unknown: it is not waited for', async () => {
    await owing({ alice: 10n });
    day.lnbits.rules = [fails({ kind: 'pay' }, LOST, 9)];
    expect(await stopAt('pay', 'before', 2)).toMatchObject({ problems: ['lnbits/unreachable'] });
    expect(quietWaits()).toEqual([]);
    expect(await states()).toEqual({ alice: 'unknown' });
  });
});

describe('where paying is paused', () => {
  test('between invoice and payment: nothing is sent, and the invoice is paid later', async () => {
    await owing({ alice: 10n, bob: 20n });
    when('invoice', 'after', () => pause(PAUSED));
    expect((await run()).asked).toEqual(['invoice']);
    expect(await payments()).toEqual([['invoiced', null]]);
    await pause(null);
    expect(await run()).toMatchObject({ settled: 2, satsSettled: 30n });
    expect(await payments()).toHaveLength(2);
  });

  test('during a payment: that one is finished, and no other is begun', async () => {
    await owing({ alice: 10n, bob: 20n });
    when('pay', 'before', () => pause(PAUSED));
    expect((await run()).asked).toEqual(['invoice', 'pay', 'find']);
    expect(await states()).toEqual({ alice: 'settled', bob: 'planned' });
  });
});

describe('a run that was suspended between `sending` and its POST', () => {
  const clocks = [
    [
      'by the monotonic clock',
      (ms: number) => {
        clock.pass(ms);
        clock.ahead -= ms;
      },
    ],
    [
      'by the time of day',
      (ms: number) => {
        clock.ahead += ms;
      },
    ],
  ] as const;

  test.each(clocks)('no longer makes the POST: %s', async (_name, passes) => {
    await owing({ alice: 10n });
    const { write } = day.ledger;
    let stood = false;
    day.ledger.write = async (work) => {
      const result = await write(work);
      if ((await payments())[0]?.[0] === 'sending' && !stood) {
        stood = true;
        passes(6_000);
      }
      return result;
    };
    // It was not sent, and nothing has to be found out: the same run sends it, after another check.
    expect(await run()).toMatchObject({ settled: 1, problems: [] });
    expect(quietWaits()).toEqual([]);
    expect(posts()).toBe(1);
  });

  test.each(clocks)('again and again: it waits for the next run, as it was: %s', async (_name, passes) => {
    await owing({ alice: 10n });
    const { write } = day.ledger;
    day.ledger.write = async (work) => {
      const result = await write(work);
      if ((await payments())[0]?.[0] === 'sending') passes(6_000);
      return result;
    };
    expect(await run()).toMatchObject({ settled: 0 });
    expect(posts()).toBe(0);
    expect(await states()).toEqual({ alice: 'deferred' });
    expect(await payments()).toEqual([['invoiced', 'this run was suspended before it could send']]);
    const [{ sent_at } = {}] = await day.ledger.db.selectFrom('payments').select('sent_at').execute();
    expect(sent_at).toBeNull();
  });

  test('also after a POST without an answer: its outcome is not known', async () => {
    await owing({ alice: 10n });
    const { write } = day.ledger;
    day.lnbits.rules = [fails({ kind: 'pay' }, LOST)];
    day.ledger.write = async (work) => {
      const result = await write(work);
      if (posts() > 0 && (await payments())[0]?.[0] === 'sending') clock.pass(6_000);
      return result;
    };
    waiting.meanwhile = async () => {
      expect(posts()).toBe(1);
      expect(await states()).toEqual({ alice: 'unknown' });
      day.ledger.write = write;
      return false;
    };
    await run();
    expect(quietWaits()).toHaveLength(1);
  });
});

test('contradictory evidence holds the payout, and the payment stays unknown', async () => {
  await owing({ alice: 10n, bob: 20n });
  day.lnbits.rules = [fails(to('alice'), { pay: 'debit-only' })];
  waiting.meanwhile = async () => {
    expect((await reasons()).alice).toBe("paid from the source wallet, the client's side is pending");
  };
  expect(await run()).toMatchObject({ settled: 1, satsSettled: 20n, problems: [] });
  expect(await states()).toEqual({ alice: 'held', bob: 'settled' });
  const reason = "debited, not credited: the client's side is pending";
  expect((await reasons()).alice).toBe(reason);
  expect((await payments())[0]).toEqual(['unknown', reason]);
});

describe('a failure that is not of LNbits ends the run', () => {
  test('a lost lease', async () => {
    await owing({ alice: 10n, bob: 20n });
    const lost = new BridgeError('run/lost-lease', 'run r1 was replaced');
    const replaced = run(({ run }) => {
      const { write } = run;
      run.write = () => {
        run.write = write;
        return Promise.reject(lost);
      };
    });
    await expect(replaced).rejects.toBe(lost);
    expect(asked()).toEqual(['invoice']);
    expect(await states()).toEqual({ alice: 'planned', bob: 'planned' });
  });

  test('a defect', async () => {
    await owing({ alice: 10n, bob: 20n });
    const defect = new TypeError('a defect');
    const broken = run((ctx) => {
      ctx.lnbits.pay = () => Promise.reject(defect);
    });
    await expect(broken).rejects.toBe(defect);
    expect((await payments())[0]?.[0]).toBe('sending');
  });
});
