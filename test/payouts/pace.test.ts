import { afterEach, expect, test } from 'vitest';
import { testClock } from '../support/clock.ts';
import type { Rule } from '../support/lnbits-simulator.ts';
import { type Payday, payday } from '../support/payday.ts';

/* A run at the pace that LNbits allows: it waits and goes on, pays nothing twice, and has an end. */

let day: Payday;
afterEach(() => day.stop());

async function owing(payouts: number, options: Parameters<typeof payday>[0] = {}) {
  day = await payday({ payouts: 'batch = "cash-out"', ...options });
  const alice = await day.addClient('alice');
  for (let n = 0; n < payouts; n += 1) await day.owe('alice', 10n);
  return alice;
}

const refused = (times: number, retryAfter: string): Rule => ({
  when: { kind: 'pay' },
  times,
  fault: {
    at: 'before',
    answer: {
      status: 429,
      headers: { 'retry-after': retryAfter },
      body: { error: 'Rate limit exceeded: 1000 per 1 second' },
    },
  },
});
const count = (kind: string) => day.lnbits.requests.filter((one) => one.kind === kind).length;
const states = async () => (await day.payments()).map(({ state }) => state);

test.each(['1.0.0', '1.6.2'] as const)(
  'twice as many payouts as LNbits %s takes at once are all settled by one run',
  async (version) => {
    const alice = await owing(20, { version, requestsPerSecond: 20 });
    expect(await day.payNow()).toMatchObject({ settled: 20, deferred: 0, problems: [] });
    expect(day.lnbits.balance(alice.id)).toBe(200n);
    // No invoice was given up for it.
    expect(new Set(await states())).toEqual(new Set(['settled']));
    expect(day.lnbits.payments(alice.id)).toHaveLength(20);
  },
);

test('a refused POST is repeated with the same bolt11, without reading the wallets', async () => {
  const alice = await owing(1);
  day.lnbits.rules = [refused(2, '0')];
  expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
  // One in the client's wallet, and two in the source wallet: the test of its key, and the run's claim.
  expect([count('invoice'), count('pay'), count('find')]).toEqual([3, 3, 2]);
  expect(day.lnbits.balance(alice.id)).toBe(10n);
});

test('if LNbits accepts nothing at all, the run ends, and the next one goes on with the same invoice', async () => {
  const alice = await owing(3);
  day.lnbits.rules = [refused(1_000, '0')];
  expect(await day.payNow()).toMatchObject({ settled: 0, problems: [{ code: 'lnbits/rate-limited' }] });
  expect(count('pay')).toBe(6);
  expect(await states()).toEqual(['invoiced']);
  day.lnbits.rules = [];
  expect(await day.payNow()).toMatchObject({ settled: 3, problems: [] });
  expect(day.lnbits.balance(alice.id)).toBe(30n);
});

test('a run that went on for a quarter of an hour leaves the rest to the next one', async () => {
  const clock = testClock();
  await owing(2, { clock });
  day.lnbits.rules = [refused(1, '1')];
  day.lnbits.onRequest = ({ kind }, phase) => {
    if (kind === 'pay' && phase === 'half') clock.pass(15 * 60_000);
  };
  const late = await day.payNow();
  expect(late).toMatchObject({ settled: 0, deferred: 1, planned: 1 });
});

test('a run that waits stops at once when it is asked to', async () => {
  await owing(2);
  day.lnbits.rules = [refused(1, '60')];
  const stop = new AbortController();
  day.lnbits.onRequest = ({ kind }, phase) => {
    if (kind === 'pay' && phase === 'half') setTimeout(() => stop.abort(), 100);
  };
  const asked = performance.now();
  expect(await day.payNow({ signal: stop.signal })).toMatchObject({ settled: 0 });
  expect(performance.now() - asked).toBeLessThan(5_000);
  expect(await states()).toEqual(['invoiced']);
});
