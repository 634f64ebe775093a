import { expect, test } from 'vitest';
import { balance, day, owing, payments, run, states, walletOf } from '../support/one-run.ts';

/* LNbits accepts less at once than before: unsent sats go in smaller parts, once `maximum_sats` is lowered. */

const tooMuch = {
  when: { kind: 'invoice' as const },
  times: 99,
  fault: {
    at: 'before' as const,
    answer: { status: 520, body: { detail: 'Invoice amount 1000 is too high. Max allowed: 400 sats.' } },
  },
};
const amounts = () =>
  day.lnbits.payments(walletOf('alice')).map(({ amount, status }) => [amount / 1000, status]);
const lower = (sats: bigint) => {
  day.config.payouts.maximumSats = sats;
};

test('a payout above a lowered maximum waits, and is paid in parts once that is configured', async () => {
  await owing({ alice: 1_000n, bob: 20n });
  day.lnbits.rules = [{ ...tooMuch, times: 1 }];
  const { messages } = await run();
  expect(messages).toEqual([expect.stringMatching(/^p1 to alice is deferred: .*Max allowed: 400 sats\.$/)]);
  expect(await states()).toEqual({ alice: 'deferred', bob: 'settled' });
  lower(400n);
  expect(await run()).toMatchObject({ settled: 1, satsSettled: 1_000n, problems: [] });
  expect(amounts()).toEqual([
    [400, 'success'],
    [400, 'success'],
    [200, 'success'],
  ]);
  expect(balance('alice')).toBe(1_000n);
});

test('what was paid of it stays, and so does a payment that was ever sent', async () => {
  await owing({ alice: 1_000n }, { payouts: 'maximum_sats = 400' });
  day.lnbits.rules = [{ ...tooMuch, when: ({ kind }) => kind === 'invoice' && amounts().length === 1 }];
  expect(await run()).toMatchObject({ settled: 0, satsSettled: 400n });
  lower(150n);
  day.lnbits.rules = [];
  expect(await run()).toMatchObject({ settled: 1, satsSettled: 600n });
  // 200 sat of the third part, then the second's 400: each in parts of its own.
  expect(amounts().map(([sats]) => sats)).toEqual([400, 150, 150, 100, 150, 50]);
  expect(balance('alice')).toBe(1_000n);
});

test('a part is split only if all its payments are dead', async () => {
  await owing({ alice: 1_000n }, { version: '1.0.0' });
  const no = { at: 'before' as const, answer: { status: 520, body: { detail: 'No.', status: 'failed' } } };
  day.lnbits.rules = [{ when: { kind: 'pay' }, times: 9, fault: no }];
  await run((ctx) => {
    ctx.quietMs = 0;
  });
  expect((await payments()).map(([state]) => state)).toEqual(['dead', 'dead']);
  lower(600n);
  day.lnbits.rules = [];
  expect(await run()).toMatchObject({ settled: 1, satsSettled: 1_000n });
  expect((await payments()).map(([state]) => state)).toEqual(['dead', 'dead', 'settled', 'settled']);
});
