import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { BridgeError } from '../../src/errors.ts';
import { LnbitsClient } from '../../src/lnbits/wallet-client.ts';
import { isGone } from '../../src/payouts/destination.ts';
import { clientSide, sourceWalletSide } from '../../src/payouts/evidence.ts';
import {
  isQuiet,
  openSourceWallet,
  type Quiet,
  timeOfPost,
  untilQuiet,
  wasSuspended,
} from '../../src/payouts/session.ts';
import { type Clock, plus, systemClock } from '../../src/time.ts';
import { testClock } from '../support/clock.ts';
import { fakeLnbits, HOUR, openFake, payment } from '../support/fake-lnbits.ts';
import { startLnbitsSimulator } from '../support/lnbits-simulator.ts';

const key = () => new BridgeError('lnbits/key', 'LNbits does not know the key');
const silence = () => new BridgeError('lnbits/unreachable', 'no answer');

describe('by two clocks', () => {
  const QUIET = 60_000;

  /** Both clocks stand still. */
  function clocks() {
    const clock = testClock('2026-11-21T12:00:00.000000Z');
    const both = clock.pass;
    const date = (ms: number) => {
      clock.ahead += ms;
    };
    const counted = (ms: number) => {
      both(ms);
      date(-ms);
    };
    return Object.assign(clock, { both, date, counted });
  }
  const quietOf = (clock: Clock): Quiet => ({
    ...{ clock, quietMs: QUIET, began: clock.monotonic(), posted: new Map() },
  });

  test('a POST of this run is quiet after the quiet time, and not a moment earlier', () => {
    const clock = clocks();
    const ctx = quietOf(clock);
    clock.both(1_000_000);
    const sentAt = timeOfPost(ctx);
    expect(sentAt).toBe(clock.now());
    expect(isQuiet(ctx, sentAt)).toBe(false);
    clock.both(QUIET - 1);
    expect(isQuiet(ctx, sentAt)).toBe(false);
    clock.both(1);
    expect(isQuiet(ctx, sentAt)).toBe(true);
  });

  test('a POST that never was is quiet', () => {
    const clock = clocks();
    expect(isQuiet(quietOf(clock), null)).toBe(true);
  });

  test("a clock that jumps ahead ends no quiet time: neither of this run's POSTs, nor of an earlier run's", () => {
    const clock = clocks();
    const earlier = clock.now();
    const ctx = quietOf(clock);
    const sentAt = timeOfPost(ctx);
    clock.date(HOUR);
    expect([isQuiet(ctx, sentAt), isQuiet(ctx, earlier)]).toEqual([false, false]);
    clock.counted(QUIET);
    expect([isQuiet(ctx, sentAt), isQuiet(ctx, earlier)]).toEqual([true, true]);
  });

  test('of an earlier run, so much must have passed since this one began', () => {
    const clock = clocks();
    const earlier = plus(clock.now(), -HOUR);
    const ctx = quietOf(clock);
    clock.both(QUIET - 1);
    expect(isQuiet(ctx, earlier)).toBe(false);
    clock.both(1);
    expect(isQuiet(ctx, earlier)).toBe(true);
  });

  test('a clock that was set back by a day does not make a run wait longer', () => {
    const clock = clocks();
    const earlier = clock.now();
    const sentAt = timeOfPost(quietOf(clock));
    clock.date(-24 * HOUR);
    const ctx = quietOf(clock);
    clock.counted(QUIET - 1);
    expect([isQuiet(ctx, sentAt), isQuiet(ctx, earlier)]).toEqual([false, false]);
    clock.counted(1);
    expect([isQuiet(ctx, sentAt), isQuiet(ctx, earlier)]).toEqual([true, true]);
  });

  test.each([
    ['neither', 0, 0, false],
    ['both, but not too long', 5_000, 5_000, false],
    ['by the monotonic clock', 0, 5_001, true],
    ['by the time of day, as where a machine slept', 5_001, 0, true],
  ])('a process was suspended: %s', (_name, date, monotonic, still) => {
    const clock = clocks();
    const ctx = quietOf(clock);
    clock.both(HOUR);
    const sentAt = timeOfPost(ctx);
    clock.date(date);
    clock.counted(monotonic);
    expect(wasSuspended(ctx, sentAt)).toBe(still);
  });

  test('a POST that this run did not record was not just decided', () => {
    const clock = clocks();
    expect(wasSuspended(quietOf(clock), clock.now())).toBe(true);
  });
});

describe('waiting for the quiet time', () => {
  const waiting = (quietMs: number, signal = new AbortController().signal) => ({
    ...{ clock: systemClock, quietMs, signal, began: systemClock.monotonic(), posted: new Map() },
  });

  test('lasts until the youngest POST is quiet, and no longer than that', async () => {
    const ctx = waiting(80);
    const young = timeOfPost(ctx);
    const begun = performance.now();
    await untilQuiet(ctx, [null, plus(young, -10), young]);
    expect(isQuiet(ctx, young)).toBe(true);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  test('of none is over at once', async () => {
    const begun = performance.now();
    await untilQuiet(waiting(HOUR), []);
    await untilQuiet(waiting(HOUR), [null]);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  test('ends where the run is asked to stop', async () => {
    const ctx = waiting(HOUR, AbortSignal.timeout(20));
    await untilQuiet(ctx, [timeOfPost(ctx)]);
    expect(ctx.signal.aborted).toBe(true);
  });
});

describe('what a wallet shows', () => {
  let base: Awaited<ReturnType<typeof openFake>>;
  beforeAll(async () => {
    base = await openFake();
  });
  afterAll(() => base.close());

  test.each([
    ['the exact amount', {}, 'arrived'],
    ['a msat less', { amountMsat: 9_999n }, 'wrong-amount'],
    ['a msat more', { amountMsat: 10_001n }, 'wrong-amount'],
    ['with a fee', { feeMsat: 1n }, 'wrong-amount'],
    ['another amount, pending', { amountMsat: 1n, status: 'pending' }, 'pending'],
    ['failed', { status: 'failed' }, 'failed'],
    ["another wallet's row", { walletId: 'other' }, 'gone'],
    ['no row', 'none', 'none'],
    ['the key is unknown', key(), 'gone'],
  ] as const)('the client: %s', async (_name, client, side) => {
    expect(await clientSide(base.context(fakeLnbits({ source: [], client })), payment)).toBe(side);
  });

  test('the client: no answer is none of them', async () => {
    const lnbits = fakeLnbits({ source: [], client: silence() });
    await expect(clientSide(base.context(lnbits), payment)).rejects.toThrow('no answer');
  });

  test('the source', async () => {
    const lnbits = fakeLnbits({ source: ['success', 'pending', 'failed', 'none', key()], client: 'gone' });
    const ctx = base.context(lnbits);
    for (const side of ['success', 'pending', 'failed', 'none'])
      expect(await sourceWalletSide(ctx, payment.payment_hash)).toBe(side);
    await expect(sourceWalletSide(ctx, payment.payment_hash)).rejects.toThrow('does not know the key');
  });

  test('only an unknown key means that a wallet is gone', () => {
    expect([isGone(key()), isGone(silence()), isGone({ code: 'lnbits/key' })]).toEqual([true, false, false]);
  });
});

describe('reaching the source wallet', () => {
  async function lnbitsOf(version: string) {
    const lnbits = await startLnbitsSimulator();
    onTestFinished(() => lnbits.stop());
    const body = { info: { version } };
    lnbits.rules = [{ when: { kind: 'version' }, fault: { at: 'before', answer: { status: 200, body } } }];
    const wallet = await lnbits.createUserWallet('source');
    await lnbits.topUp(wallet.id, 5n);
    return { url: lnbits.url, wallet };
  }

  test.each([
    ['1.0.0', false],
    ['1.3.1', false],
    ['1.4.0', true],
    ['1.10.0', true],
    ['2.0.0', true],
    ['2', true],
    ['1', false],
    ['unknown', false],
  ])('of LNbits %s: a look changes nothing: %s', async (version, pure) => {
    const { url, wallet } = await lnbitsOf(version);
    const opened = await openSourceWallet({ url }, new Secret(wallet.adminkey), systemClock);
    await opened.lnbits.close();
    expect(opened.looksArePure).toBe(pure);
    expect(opened.sourceWallet).toMatchObject({ walletId: wallet.id, balanceMsat: 5_000n });
  });

  test('by an invoice key is refused, and what was opened is closed', async () => {
    const { url, wallet } = await lnbitsOf('1.6.2');
    const close = vi.spyOn(LnbitsClient.prototype, 'close');
    onTestFinished(() => close.mockRestore());
    await expect(openSourceWallet({ url }, new Secret(wallet.inkey), systemClock)).rejects.toMatchObject({
      code: 'lnbits/key',
      message: '[lnbits] source_wallet_key is an invoice key, which cannot pay',
      hint: 'Use the admin key of the source wallet.',
    });
    expect(close).toHaveBeenCalledOnce();
  });
});
