import { expect, test } from 'vitest';
import type { PayContext } from '../../src/payouts/session.ts';
import { momentOf } from '../../src/time.ts';
import {
  balance,
  clock,
  day,
  fails,
  owing,
  payments,
  posts,
  quietWaits,
  reasons,
  run,
  states,
} from '../support/one-run.ts';

/* A rate limit needs no action: while a run waits for it, time passes here and at LNbits, and nothing is in doubt. */

/** LNbits says so 12 s before what it answers next. */
const limited = (times: number) =>
  fails(
    { kind: 'pay' },
    {
      at: 'before',
      answer: {
        status: 429,
        headers: { 'retry-after': '0', date: new Date(Date.now() - 12_000).toUTCString() },
        body: { error: 'Rate limit exceeded: 1000 per 1 second' },
      },
    },
    times,
  );

/** A run that has just checked that it is alone, and waits 12 s each time that LNbits takes nothing. */
function waits(ctx: PayContext): void {
  const checked = { ...momentOf(clock), lnbits: Number.POSITIVE_INFINITY };
  Object.assign(ctx, { began: clock.monotonic(), claim: { ...ctx.claim, checked } });
  ctx.onWait = () => clock.pass(12_000);
}

test('after a wait a payment is sent', async () => {
  await owing({ alice: 10n });
  day.lnbits.rules = [limited(3)];
  expect(await run(waits)).toMatchObject({ settled: 1, problems: [] });
  expect([posts(), balance('alice')]).toEqual([4, 10n]);
  expect(quietWaits()).toEqual([]);
});

test('without end: the payment waits as an invoice for the next run', async () => {
  await owing({ alice: 10n });
  day.lnbits.rules = [limited(99)];
  expect(await run(waits)).toMatchObject({ settled: 0, problems: ['lnbits/rate-limited'] });
  expect(posts()).toBe(6);
  expect(await states()).toEqual({ alice: 'deferred' });
  expect((await payments())[0]?.[0]).toBe('invoiced');
});

test('at the check for other copies, which takes too long by then: nothing is sent or doubtful', async () => {
  await owing({ alice: 10n });
  const ran = await run((ctx) => {
    waits(ctx);
    clock.pass(6_000);
    const tagged = ctx.lnbits.tagged.bind(ctx.lnbits);
    ctx.lnbits.tagged = (...of) => {
      clock.pass(11_000);
      return tagged(...of);
    };
  });
  expect(ran).toMatchObject({ settled: 0, problems: [] });
  expect(posts()).toBe(0);
  expect(await states()).toEqual({ alice: 'deferred' });
  expect((await reasons()).alice).toBe('LNbits took too long to show that no other copy of the ledger pays');
  expect((await payments())[0]?.[0]).toBe('invoiced');
});
