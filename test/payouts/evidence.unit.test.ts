import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BridgeError } from '../../src/errors.ts';
import { type Decision, decide } from '../../src/payouts/decide.ts';
import type { ClientSide, SourceWalletSide } from '../../src/payouts/destination.ts';
import { afterSuccess, examineFormer, examinePayment } from '../../src/payouts/evidence.ts';
import { type PayContext, timeOfPost } from '../../src/payouts/session.ts';
import { plus } from '../../src/time.ts';
import { type Asked, type FakeLnbits, fakeLnbits, HOUR, openFake, payment } from '../support/fake-lnbits.ts';

/*
 * Which wallets are read, in which order, and how their answers are interpreted. decide.unit.test.ts tests what two
 * sides mean together.
 */

/** Of the last POST: there was none; it is older than the quiet time; it was answered; it may still be running. */
const lastPosts = ['none', 'quiet', 'answered', 'running'] as const;
type LastPost = (typeof lastPosts)[number];

const sources: SourceWalletSide[] = ['success', 'pending', 'failed', 'none'];
const clients: ClientSide[] = ['arrived', 'pending', 'failed', 'wrong-amount', 'none', 'unseen', 'gone'];

let base: Awaited<ReturnType<typeof openFake>>;
beforeAll(async () => {
  base = await openFake();
});
afterAll(() => base.close());

interface Scene {
  lnbits: FakeLnbits;
  lastPost: LastPost;
  pure?: boolean;
}

async function seen({ lnbits, lastPost, pure = true }: Scene): Promise<{ asked: Asked[]; end: Decision }> {
  const ctx: PayContext = { ...base.context(lnbits), looksArePure: pure };
  const at = timeOfPost(ctx);
  const sentAt = { none: null, quiet: plus(at, -2 * HOUR), answered: at, running: at }[lastPost];
  if (lastPost === 'answered') ctx.answered.add(payment.id);
  const end = await examinePayment(ctx, { ...payment, sent_at: sentAt });
  return { asked: lnbits.asked, end };
}

const TWICE: Asked[] = ['source', 'client', 'source'];

function expected(
  lastPost: LastPost,
  pure: boolean,
  [before, client, after]: [SourceWalletSide, ClientSide, SourceWalletSide],
): { asked: Asked[]; do: Decision['do'] } {
  if (before === 'pending') return { asked: ['source'], do: 'wait' };
  if (lastPost === 'running') {
    if (before !== 'success') return { asked: ['source', 'wallet'], do: client === 'gone' ? 'hold' : 'send' };
    if (!pure) return { asked: ['source'], do: 'wait' };
  }
  const quiet = lastPost === 'none' || lastPost === 'quiet';
  return before === 'success'
    ? { asked: ['source', 'client'], do: decide(client, 'success', quiet).do }
    : { asked: TWICE, do: decide(client, after, quiet).do };
}

describe.each([
  ['up to 1.3, where a look changes what it looks at', false],
  ['from 1.4', true],
])('LNbits %s', (_name, pure) => {
  test.each(lastPosts)('last POST: %s', async (lastPost) => {
    for (const before of sources)
      for (const client of clients)
        for (const after of sources) {
          const { asked, end } = await seen({
            lnbits: fakeLnbits({ source: [before, after], client }),
            lastPost,
            pure,
          });
          expect({ asked, do: end.do }, `${before}, ${client}, ${after}`).toEqual(
            expected(lastPost, pure, [before, client, after]),
          );
        }
  });
});

test.each(['none', 'failed'] as const)(
  'within the quiet time an invoice that failed is not replaced (source: %s)',
  async (source) => {
    const { end } = await seen({
      lnbits: fakeLnbits({ source: [source, source], client: 'failed' }),
      lastPost: 'answered',
    });
    expect(end).toEqual({
      do: 'wait',
      reason: 'the invoice failed, but its payment may still be under way',
    });
  },
);

test('a payment that is debited between the two looks is not taken for one that never was', async () => {
  for (const [client, end] of [
    ['arrived', 'settle'],
    ['failed', 'hold'],
    ['pending', 'hold'],
  ] as const) {
    const lnbits = fakeLnbits({ source: ['none', 'success'], client });
    expect((await seen({ lnbits, lastPost: 'quiet' })).end.do, client).toBe(end);
  }
});

test("while a POST may be running, the client's side is left alone", async () => {
  for (const source of sources) {
    const { asked } = await seen({
      lnbits: fakeLnbits({ source: [source], client: 'failed' }),
      lastPost: 'running',
      pure: false,
    });
    expect(asked, source).not.toContain('client');
  }
  const { end } = await seen({
    lnbits: fakeLnbits({ source: ['success'], client: 'pending' }),
    lastPost: 'running',
    pure: false,
  });
  expect(end).toEqual({
    do: 'wait',
    reason: 'paid from the source wallet; the client is looked at after the quiet time',
  });
});

test('a payment that LNbits is still working on is left alone, even after the quiet time', async () => {
  const lnbits = fakeLnbits({ source: ['pending'], client: 'gone' });
  const { asked, end } = await seen({ lnbits, lastPost: 'quiet' });
  expect(asked).toEqual(['source']);
  expect(end).toEqual({ do: 'wait', reason: 'LNbits shows the payment as pending' });
});

test("before a second POST the client's wallet has to answer", async () => {
  const lnbits = fakeLnbits({ source: ['none'], client: 'gone' });
  expect((await seen({ lnbits, lastPost: 'running' })).end).toEqual({
    do: 'hold',
    reason: "the client's wallet does not answer to its key any more",
  });
  const silent = fakeLnbits({ source: ['none'], client: new BridgeError('lnbits/unreachable', 'no answer') });
  await expect(seen({ lnbits: silent, lastPost: 'running' })).rejects.toThrow('no answer');
});

test('a wallet that cannot be read is no answer', async () => {
  const error = new BridgeError('lnbits/unreachable', 'no answer');
  for (const lnbits of [
    fakeLnbits({ source: [error], client: 'arrived' }),
    fakeLnbits({ source: ['none', error], client: 'arrived' }),
    fakeLnbits({ source: ['success'], client: error }),
  ])
    await expect(seen({ lnbits, lastPost: 'quiet' })).rejects.toThrow('no answer');
});

describe('after LNbits answered a POST with a success', () => {
  test.each([
    ['arrived', 'settle', 'settle'],
    ['pending', 'wait', 'hold'],
    ['failed', 'wait', 'hold'],
    ['wrong-amount', 'wait', 'hold'],
    ['none', 'hold', 'hold'],
    ['gone', 'hold', 'hold'],
  ] as const)('only the client is looked at: %s', async (client, young, quiet) => {
    const lnbits = fakeLnbits({ source: [], client });
    const ctx = base.context(lnbits);
    const at = timeOfPost(ctx);
    expect((await afterSuccess(ctx, { ...payment, sent_at: at })).do).toBe(young);
    expect((await afterSuccess(ctx, { ...payment, sent_at: plus(at, -2 * HOUR) })).do).toBe(quiet);
    expect(lnbits.asked).toEqual(['client', 'client']);
  });
});

describe('an invoice in a former wallet, whose every POST LNbits refused,', () => {
  test.each(lastPosts.filter((one) => one !== 'none'))(
    'is given up only if both wallets show that nothing was paid (last POST: %s)',
    async (lastPost) => {
      const quiet = lastPost === 'quiet';
      for (const source of sources)
        for (const client of clients) {
          const ctx = base.context(fakeLnbits({ source: [source, source], client }));
          const at = timeOfPost(ctx);
          if (lastPost === 'answered') ctx.answered.add(payment.id);
          const end = await examineFormer(ctx, { ...payment, sent_at: quiet ? plus(at, -2 * HOUR) : at });
          const shown = `${source}, ${client}`;
          const gone = source === 'none' || source === 'failed';
          const nothing = gone && (client === 'pending' || client === 'failed');
          expect(end.do === 'abandon', shown).toBe(quiet && nothing);
          expect(end.do, shown).not.toBe('send');
          if (source === 'success' || source === 'pending') expect(end.refused, shown).toBeUndefined();
        }
    },
  );
});
