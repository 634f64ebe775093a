import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { BridgeError } from '../../src/errors.ts';
import { LnbitsAdmin } from '../../src/lnbits/admin.ts';
import type { WalletPayment } from '../../src/lnbits/wallet-client.ts';
import { possiblePayments } from '../../src/payouts/credit-evidence.ts';
import type { PayContext } from '../../src/payouts/session.ts';
import { type Crediting, creditSource } from '../../src/payouts/top-up.ts';
import { type Instant, plus, toMs } from '../../src/time.ts';
import { HOUR } from '../support/fake-lnbits.ts';
import {
  asked,
  clock,
  DONE,
  day,
  fails,
  inRun,
  LOST,
  owing,
  PAUSED,
  pause,
  quietWaits,
  run,
  waiting,
  when,
} from '../support/one-run.ts';

/* The steps of crediting the source wallet, one request after the other. */

const how = (more: Partial<Crediting> = {}): Crediting => {
  const { name, password } = day.lnbits.superuser;
  const superuser = () => ({ name, password: new Secret(password) });
  return { lnbits: { url: day.lnbits.url }, superuser, maximumSats: 10_000_000n, ...more };
};
const on = (crediting: Crediting | null = how(), change: (ctx: PayContext) => void = () => {}) =>
  inRun(async (ctx) => {
    change(ctx);
    const arrived = await creditSource(ctx, crediting);
    return { arrived, balance: ctx.sourceWallet.balanceMsat, problems: [...ctx.problems.keys()] };
  });
const credits = () => day.ledger.db.selectFrom('credits').selectAll().orderBy('id').execute();
const rows = () =>
  day.lnbits
    .payments(day.source.id)
    .filter(({ memo, amount }) => memo === 'Admin credit' && amount !== 5_000);
const LOGIN = ['login', 'account', 'settings'];
const CREDIT = ['list', 'credit', 'list'];

/** What is owed, for which 5 sat are there. */
const owed = (sats: bigint, version: '1.0.0' | '1.6.2' = '1.6.2') =>
  owing({ alice: sats }, { version, funds: 5n });

test('what is owed is credited, found by what the wallet shows, and part of the balance', async () => {
  await owed(1_000n);
  expect(await on()).toEqual({ arrived: 1_000n, balance: 1_005_000n, problems: [] });
  expect(asked()).toEqual([...LOGIN, ...CREDIT, 'wallet']);
  const [row] = rows();
  expect(await credits()).toMatchObject([
    {
      ...{ state: 'credited', sats: 1_000n, wallet_id: day.source.id, reason: null, run_id: 1n, seen: '[]' },
      ...{ payment_hash: row?.payment_hash, credited_at: expect.any(String), sent_at: expect.any(String) },
    },
  ]);
  expect(await on()).toMatchObject({ arrived: 0n, problems: [] });
  expect(asked()).toEqual([]);
});

test.each([
  ['a limit of LNbits for one payment', 600n, [600n, 400n]],
  ['a limit that is higher than usual', 20_000_000n, [1_000n]],
])('it goes in as many as %s needs', async (_name, maximumSats, sats) => {
  await owed(1_000n);
  expect(await on(how({ maximumSats }))).toMatchObject({ arrived: 1_000n });
  expect((await credits()).map((one) => one.sats)).toEqual(sats);
  expect(asked()).toEqual([...LOGIN, ...sats.flatMap(() => CREDIT), 'wallet']);
});

test('no more than LNbits takes at once', async () => {
  await owed(10_000_001n);
  await on(how({ maximumSats: 20_000_000n }));
  expect((await credits()).map((one) => one.sats)).toEqual([10_000_000n, 1n]);
});

test('where one is refused, it waits, and the others with it', async () => {
  await owed(1_000n);
  const answer = { status: 520, body: { detail: 'Balance change failed.' } };
  day.lnbits.rules = [fails({ kind: 'credit' }, { at: 'before', answer })];
  expect(await on(how({ maximumSats: 600n }))).toEqual({
    arrived: 0n,
    balance: 5_000n,
    problems: ['lnbits/refused'],
  });
  expect((await credits()).map(({ state, reason }) => [state, reason])).toEqual([
    ['intended', expect.stringContaining('Balance change failed.')],
    ['intended', null],
  ]);
  expect(await on(how({ maximumSats: 600n }))).toMatchObject({ arrived: 1_000n, problems: [] });
});

describe('where LNbits gives no answer', () => {
  test('after it did it: one look finds it, where a look changes nothing', async () => {
    await owed(1_000n);
    day.lnbits.rules = [fails({ kind: 'credit' }, DONE)];
    expect(await on()).toEqual({ arrived: 1_000n, balance: 1_005_000n, problems: ['lnbits/unreachable'] });
    expect(quietWaits()).toEqual([]);
  });

  test('after it did it: up to LNbits 1.3 nothing is checked before the quiet time is over', async () => {
    await owed(1_000n, '1.0.0');
    day.lnbits.rules = [fails({ kind: 'credit' }, DONE)];
    waiting.meanwhile = async () => {
      expect(asked()).toEqual([...LOGIN, 'list', 'credit']);
    };
    expect(await on()).toMatchObject({ arrived: 1_000n });
    const [credit] = await credits();
    expect(quietWaits()).toHaveLength(1);
    expect(waiting.until[0] ?? 0).toBeGreaterThanOrEqual(toMs(credit?.sent_at ?? '') + HOUR);
    expect(asked()).toEqual([...LOGIN, ...CREDIT, 'wallet']);
  });

  test('before it did it: it is dropped after the quiet time, and the next run makes another', async () => {
    await owed(1_000n);
    day.lnbits.rules = [fails({ kind: 'credit' }, LOST)];
    expect(await on()).toMatchObject({ arrived: 0n, problems: ['lnbits/unreachable'] });
    expect(asked()).toEqual([...LOGIN, ...CREDIT, 'list', 'wallet']);
    expect(await credits()).toMatchObject([
      { state: 'dropped', reason: 'LNbits gave no answer, and shows no new credit of 1,000 sat' },
    ]);
    expect(await on()).toMatchObject({ arrived: 1_000n });
    expect(rows()).toHaveLength(1);
  });

  test.each([
    ['1.0.0', 'LNbits is asked after the quiet time'],
    ['1.6.2', 'LNbits shows no new credit of 1,000 sat yet'],
  ] as const)(
    'and the run is stopped before the quiet time is over (%s): the next one finds it out',
    async (version, reason) => {
      await owed(1_000n, version);
      const stop = new AbortController();
      day.lnbits.rules = [fails({ kind: 'credit' }, LOST)];
      when('credit', 'before', () => stop.abort());
      await on(how(), (ctx) => {
        ctx.signal = stop.signal;
      });
      expect(quietWaits()).toEqual([]);
      expect(await credits()).toMatchObject([{ state: 'unknown', reason }]);
      // Also with crediting switched off since.
      expect(await on(null)).toMatchObject({ arrived: 0n, problems: [] });
      expect(asked()).toEqual(['list', 'wallet']);
      expect((await credits()).map(({ state }) => state)).toEqual(['dropped']);
    },
  );

  test('and it is still not quiet after the wait: unknown, and no other is sent', async () => {
    await owed(1_000n);
    day.lnbits.rules = [fails({ kind: 'credit' }, LOST)];
    waiting.meanwhile = async () => false;
    await on(how({ maximumSats: 600n }));
    expect(quietWaits()).toHaveLength(1);
    expect((await credits()).map(({ state }) => state)).toEqual(['unknown', 'intended']);
  });

  test('when it is looked for: unknown, the reason of what is not sent, and clients are still paid', async () => {
    await owed(1_000n);
    day.lnbits.rules = [{ when: ({ kind, n }) => kind === 'list' && n > 4, times: 3, fault: LOST }];
    expect(await on(how({ maximumSats: 600n }))).toMatchObject({
      arrived: 0n,
      problems: ['lnbits/unreachable'],
    });
    const shown = (await credits()).map(({ state, reason }) => [state, reason]);
    const why = expect.stringContaining('/api/v1/payments/paginated');
    expect(shown).toEqual([
      ['unknown', why],
      ['intended', why],
    ]);
    // One that arrived in an earlier run counts, and is not asked for again.
    expect(await on(null)).toMatchObject({ arrived: 600n, balance: 605_000n });
    expect(rows()).toHaveLength(1);
  });
});

test('with crediting off, what waits has no reason of its own', async () => {
  await owed(1_000n);
  day.lnbits.rules = [fails({ kind: 'credit' }, LOST)];
  waiting.meanwhile = async () => false;
  await on(how({ maximumSats: 600n }));
  day.lnbits.rules = [fails({ kind: 'list' }, LOST, 3)];
  expect(await on(null)).toMatchObject({ problems: ['lnbits/unreachable'] });
  expect((await credits()).map(({ state, reason }) => [state, reason])).toEqual([
    ['unknown', expect.any(String)],
    ['intended', null],
  ]);
});

test('up to LNbits 1.3 one that LNbits answered is looked for at once; and the session is logged out', async () => {
  await owed(1_000n, '1.0.0');
  const close = vi.spyOn(LnbitsAdmin.prototype, 'close');
  onTestFinished(() => close.mockRestore());
  expect(await on()).toMatchObject({ arrived: 1_000n });
  expect(asked()).toEqual([...LOGIN, ...CREDIT, 'wallet']);
  expect(quietWaits()).toEqual([]);
  expect(close).toHaveBeenCalledOnce();
});

test('a run that was suspended before its request does not send it; the next one does', async () => {
  await owed(1_000n);
  const { write } = day.ledger;
  day.ledger.write = async (work) => {
    const result = await write(work);
    if ((await credits())[0]?.state === 'sending') clock.pass(6_000);
    return result;
  };
  expect(await on(how({ maximumSats: 600n }))).toMatchObject({ arrived: 0n, problems: [] });
  expect(asked()).toEqual([...LOGIN, 'list', 'wallet']);
  expect((await credits()).map(({ state, reason }) => [state, reason])).toEqual([
    ['intended', 'the run was suspended before it could send'],
    ['intended', null],
  ]);
  day.ledger.write = write;
  expect(await on()).toMatchObject({ arrived: 1_000n });
});

test('nothing is begun if the run is to stop, or paying is paused', async () => {
  await owed(1_000n);
  await on(how(), (ctx) => {
    ctx.signal = AbortSignal.abort();
  });
  expect(asked()).toEqual([]);
  expect(await credits()).toEqual([]);
  when('list', 'before', () => pause(PAUSED));
  expect(await on()).toMatchObject({ arrived: 0n });
  expect(asked()).toEqual([...LOGIN, 'list', 'wallet']);
  expect((await credits()).map(({ state }) => state)).toEqual(['intended']);
});

test('where it is stopped between two, the second is not sent', async () => {
  await owed(1_000n);
  const stop = new AbortController();
  when('credit', 'after', () => stop.abort());
  const stopping = (ctx: PayContext) => {
    ctx.signal = stop.signal;
  };
  expect(await on(how({ maximumSats: 600n }), stopping)).toMatchObject({ arrived: 600n, balance: 605_000n });
  expect((await credits()).map(({ state }) => state)).toEqual(['credited', 'intended']);
});

test('a superuser who is not let in is a problem, and the reason of what waits', async () => {
  await owed(1_000n);
  const superuser = () => ({ name: 'nobody', password: new Secret('wrong') });
  expect(await on(how({ superuser }))).toEqual({
    arrived: 0n,
    balance: 5_000n,
    problems: ['lnbits/superuser'],
  });
  expect((await credits())[0]).toMatchObject({
    ...{ state: 'intended', reason: expect.stringContaining('LNbits does not let nobody in') },
  });
  const missing = new BridgeError('config/secret', 'no password');
  const without = how({
    superuser: () => {
      throw missing;
    },
  });
  expect(await on(without)).toMatchObject({ problems: ['config/secret'] });
  expect((await credits())[0]?.reason).toBe('no password');
});

test('a failure that is neither of LNbits nor of the configuration ends the run', async () => {
  await owed(1_000n);
  const lost = new BridgeError('run/lost-lease', 'replaced');
  const defect = new TypeError('a defect');
  for (const failure of [lost, defect]) {
    const once = on(how(), ({ run: held }) => {
      const { write } = held;
      held.write = () => {
        held.write = write;
        return Promise.reject(failure);
      };
    });
    await expect(once).rejects.toBe(failure);
    // Nor is it the reason of what waits; and the same in the call itself, and when its credit is looked for.
    const call = vi.spyOn(LnbitsAdmin.prototype, 'credit').mockRejectedValueOnce(failure);
    await expect(on()).rejects.toBe(failure);
    call.mockRestore();
    expect(await credits()).toMatchObject([{ state: 'sending', reason: null }]);
    await day.ledger.db
      .updateTable('credits')
      .set({ state: 'intended', sent_at: null, seen: null })
      .execute();
  }
  const looked = on(how(), ({ lnbits }) => {
    const look = lnbits.credits.bind(lnbits);
    const looks = vi.fn(look).mockImplementationOnce(look).mockRejectedValueOnce(defect);
    lnbits.credits = looks;
  });
  await expect(looked).rejects.toBe(defect);
  expect(await credits()).toMatchObject([{ state: 'sending', reason: null }]);
  // The next run finds it out.
  expect(await on()).toMatchObject({ arrived: 1_000n, problems: [] });
  expect(asked()).toEqual(['list', 'wallet']);
});

describe('a credit that the wallet shows already', () => {
  test('since the cash-outs: held, with what was seen', async () => {
    await owed(1_000n);
    await day.lnbits.topUp(day.source.id, 1_000n);
    const [row] = rows();
    expect(await on()).toMatchObject({ arrived: 0n, balance: 1_005_000n, problems: [] });
    expect(asked()).toEqual([...LOGIN, 'list', 'wallet']);
    expect(await credits()).toMatchObject([
      {
        ...{ state: 'held', seen: JSON.stringify([row?.payment_hash]) },
        reason: `the source wallet shows a credit of 1,000 sat since these cash-outs, which may be theirs: ${row?.payment_hash}`,
      },
    ]);
  });

  test.each([
    ['at a time that cannot be read', () => 'a while ago'],
    ['at the moment of the cash-outs', (at: Instant) => at.replace('Z', '+00:00')],
  ])('%s: held', async (_name, time) => {
    await owed(1_000n);
    await day.lnbits.topUp(day.source.id, 1_000n);
    const { confirmed_at: at } = await day.ledger.db
      .selectFrom('cash_outs')
      .select('confirmed_at')
      .executeTakeFirstOrThrow();
    day.lnbits.change(day.source.id, rows()[0]?.payment_hash ?? '', { time: time(at) });
    expect(await on()).toMatchObject({ arrived: 0n });
    expect((await credits()).map(({ state }) => state)).toEqual(['held']);
  });

  test('for the operator: those that it can be', async () => {
    await owed(1_000n);
    await on();
    const { confirmed_at: at } = await day.ledger.db
      .selectFrom('cash_outs')
      .select('confirmed_at')
      .executeTakeFirstOrThrow();
    const [sent] = await credits();
    if (!sent) throw new Error('no credit');
    const credit = { ...sent, sent_at: null };
    const shown: WalletPayment[] = (
      [
        ['when', 'success', at],
        ['before', 'success', plus(at, -1)],
        ['any time', 'success', null],
        ['failed', 'failed', at],
        ['pending', 'pending', at],
        [credit.payment_hash ?? '', 'success', at],
      ] as const
    ).map(([hash, status, time]) => ({
      ...{ hash, status, time, bolt11: null, walletId: day.source.id, amountMsat: 1_000_000n, feeMsat: 0n },
      ...{ tag: null, extra: {}, memo: null, isServiceFee: false },
    }));
    const possible = await possiblePayments(day.ledger.db, credit, shown);
    expect(possible.map(({ hash }) => hash)).toEqual(['when', 'any time']);
    // Of one that was sent those that LNbits did not show before, whatever the clocks say.
    const seen = JSON.stringify(['any time']);
    const since = await possiblePayments(day.ledger.db, { ...sent, seen }, shown);
    expect(since.map(({ hash }) => hash)).toEqual(['when', 'before']);
  });

  test.each([
    ['from before the cash-outs', { time: '2026-01-01T00:00:00.000000+00:00' }],
    ['that failed', { status: 'failed' }],
  ] as const)('%s: is not it', async (_name, fields) => {
    await owed(1_000n);
    await day.lnbits.topUp(day.source.id, 1_000n);
    const [row] = rows();
    day.lnbits.change(day.source.id, row?.payment_hash ?? '', fields);
    expect(await on()).toMatchObject({ arrived: 1_000n });
    expect((await credits())[0]?.payment_hash).toBe(rows()[1]?.payment_hash);
    expect((await credits())[0]?.seen).toBe(JSON.stringify([row?.payment_hash]));
  });

  test('of an earlier one of the same amount: is not it either', async () => {
    await owed(1_000n);
    await on();
    await run();
    await day.owe('alice', 1_000n);
    expect(await on()).toMatchObject({ arrived: 1_000n });
    const [first, second] = await credits();
    expect(second?.payment_hash).not.toBe(first?.payment_hash);
    expect(second?.seen).toBe(JSON.stringify([first?.payment_hash]));
  });

  test('two new ones: held', async () => {
    await owed(1_000n);
    when('credit', 'after', () => day.lnbits.topUp(day.source.id, 1_000n));
    expect(await on()).toMatchObject({ arrived: 0n, balance: 2_005_000n });
    expect((await credits())[0]).toMatchObject({
      ...{ state: 'held', reason: expect.stringContaining('shows 2 new credits of 1,000 sat') },
    });
  });
});
