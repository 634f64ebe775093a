import { afterEach, describe, expect, test } from 'vitest';
import { removeCommission } from '../../src/ledger/commission/commission.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { bootless, now } from '../support/clock.ts';
import type { SeenRequest } from '../support/lnbits-simulator.ts';
import { nextMoment, type Payday, type PaydayOptions, payday } from '../support/payday.ts';

const NO = {
  at: 'before' as const,
  answer: { status: 520, body: { detail: 'The wallet is full.', status: 'failed' } },
};

/* The commission is paid out through the same outbox as clients' sats, with the same guarantees. */

describe('paying the commission', () => {
  let day: Payday;
  afterEach(async () => {
    expect((await verifyLedger(day.ledger)).differences).toEqual([]);
    await day.stop();
  });

  /** Alice is owed 1000 sats; of 100 sats commission the owner gets 70 and the shop 30. */
  const three = async (options: PaydayOptions = {}) => {
    day = await payday(options);
    const alice = await day.addClient('alice');
    const owner = await day.addCommission('owner', 7n);
    const shop = await day.addCommission('shop', 3n);
    await day.owe('alice', 1000n, 100n);
    const balances = () => [alice, owner, shop].map(({ id }) => day.lnbits.balance(id));
    return { owner, shop, balances };
  };
  const states = async () =>
    Object.fromEntries((await day.payouts()).map(({ name, state }) => [name, state] as const));

  test('each recipient receives its part, after the clients', async () => {
    const { balances } = await three();
    expect(await day.payNow()).toMatchObject({ settled: 3, satsSettled: 1100n, problems: [] });
    expect(balances()).toEqual([1000n, 70n, 30n]);
    expect((await day.payouts()).map(({ name }) => name)).toEqual(['alice', 'owner', 'shop']);
    expect(await day.payNow()).toMatchObject({ settled: 0 });
    expect(day.lnbits.balance(day.source.id)).toBe(998_900n);
  });

  test('both sides say what it is', async () => {
    const { owner } = await three();
    await day.payNow();
    const [received] = day.lnbits.payments(owner.id);
    expect(received).toMatchObject({ memo: '70 sat for commission (payout p2)', status: 'success' });
    expect(received?.extra).toMatchObject({ tag: 'aio-dca', payout: 'p2', client: 'owner', sats: 70 });
    expect(received?.extra).toMatchObject({ fiat: '0.00', cash_outs_count: 1 });
  });

  test('a machine with recipients of its own leaves the general ones out', async () => {
    const { balances } = await three();
    const local = await day.addCommission('local', 1n, 'alice');
    await day.owe('alice', 1000n, 10n);
    await day.payNow();
    expect(balances()).toEqual([2000n, 70n, 30n]);
    expect(day.lnbits.balance(local.id)).toBe(10n);
  });

  test('without recipients it stays in the source wallet', async () => {
    day = await payday();
    await day.addClient('alice');
    await day.owe('alice', 1000n, 100n);
    expect(await day.payNow()).toMatchObject({ settled: 1, satsSettled: 1000n });
    expect(day.lnbits.balance(day.source.id)).toBe(999_000n);
  });

  test('less than minimum_sats waits and gathers over cash-outs', async () => {
    const { balances } = await three({ payouts: 'minimum_sats = 50' });
    await day.payNow();
    expect(balances()).toEqual([1000n, 70n, 0n]);
    await day.owe('alice', 1000n, 100n);
    await day.payNow();
    expect(balances()).toEqual([2000n, 140n, 60n]);
  });

  test('a removed recipient receives what waits, however little, and nothing of later cash-outs', async () => {
    const { balances } = await three({ payouts: 'minimum_sats = 50' });
    await day.payNow();
    await day.ledger.write((trx) =>
      removeCommission(
        trx,
        { principal: OPERATOR, actor: 'dora', run: null, clock: bootless, at: now() },
        'shop',
        null,
      ),
    );
    await nextMoment();
    await day.owe('alice', 1000n, 100n);
    await day.payNow();
    expect(balances()).toEqual([2000n, 170n, 30n]);
  });

  test('more than maximum_sats goes in parts', async () => {
    const { owner, balances } = await three({ payouts: 'maximum_sats = 40' });
    await day.payNow();
    expect(day.lnbits.payments(owner.id).map(({ amount }) => amount)).toEqual([40_000, 30_000]);
    expect(balances()).toEqual([1000n, 70n, 30n]);
  });

  test.each(['before', 'after'] as const)('cut %s a payment takes effect, it is paid once', async (at) => {
    const { owner, balances } = await three();
    day.lnbits.rules = [
      { when: ({ kind, hash }) => kind === 'pay' && isOf(owner.id, hash), fault: { at, do: 'reset' } },
    ];
    await day.payNow();
    await day.payNow();
    expect(balances()).toEqual([1000n, 70n, 30n]);
    expect(await states()).toEqual({ alice: 'settled', owner: 'settled', shop: 'settled' });
  });

  test('a recipient without a wallet is held, clients and other recipients are paid', async () => {
    const { owner, balances } = await three();
    await day.lnbits.deleteWallet(owner.id);
    expect(await day.payNow()).toMatchObject({ settled: 2, held: 1 });
    expect(await states()).toEqual({ alice: 'settled', owner: 'held', shop: 'settled' });
    expect(balances()).toEqual([1000n, 0n, 30n]);
  });

  test('debited and not credited: held, never paid again automatically', async () => {
    const { owner, balances } = await three();
    day.lnbits.rules = [
      { when: ({ kind, hash }) => kind === 'pay' && isOf(owner.id, hash), fault: { pay: 'debit-only' } },
    ];
    await day.payNow();
    await day.payNow();
    expect(await states()).toEqual({ alice: 'settled', owner: 'held', shop: 'settled' });
    expect(balances()).toEqual([1000n, 0n, 30n]);
  });

  test('when the balance is too small, clients come first and the commission waits', async () => {
    const { balances } = await three({ funds: 1050n });
    expect(await day.payNow()).toMatchObject({ settled: 2, deferred: 1 });
    expect(balances()).toEqual([1000n, 0n, 30n]);
    await day.lnbits.topUp(day.source.id, 50n);
    await day.payNow();
    expect(balances()).toEqual([1000n, 70n, 30n]);
  });

  test('while a client waits for sats, commission waits, even if it was formed before, and across runs', async () => {
    const { balances } = await three({ funds: 90n });
    // Of an earlier day: formed, and not paid.
    expect(await day.payNow()).toMatchObject({ settled: 0, deferred: 3 });
    await day.owe('alice', 500n);
    const { problems, ...report } = await day.payNow();
    expect(report).toMatchObject({ settled: 0, deferred: 4 });
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      ['lnbits/balance', 'the source wallet holds 90 sat now; 1,600 sat are due: 1,510 sat are missing'],
    ]);
    const reasons = Object.fromEntries((await day.payouts()).map(({ id, reason }) => [id, reason]));
    expect(reasons[3]).toBe(
      'the source wallet held 90 sat when it was tried, and clients come first: 1,500 sat are due to them',
    );
    await day.lnbits.topUp(day.source.id, 1_000n);
    expect(await day.payNow()).toMatchObject({ settled: 1, deferred: 3 });
    expect(balances()).toEqual([1000n, 0n, 0n]);
    await day.lnbits.topUp(day.source.id, 450n);
    expect(await day.payNow()).toMatchObject({ settled: 2, deferred: 1 });
    expect(balances()).toEqual([1500n, 0n, 30n]);
  });

  test('an older payout of commission has its turn after a client’s newer one', async () => {
    const { owner, balances } = await three();
    day.lnbits.rules = [
      { when: ({ kind, hash }) => kind === 'pay' && isOf(owner.id, hash), times: 1, fault: NO },
    ];
    expect(await day.payNow()).toMatchObject({ settled: 2, deferred: 1 });
    // Somebody took the rest out: 1,000 sat are left for the 1,000 sat of Alice and the 70 of the owner.
    await day.lnbits.topUp(day.source.id, 1_000n - day.lnbits.balance(day.source.id));
    await day.owe('alice', 1000n);
    expect(await day.payNow()).toMatchObject({ settled: 1, deferred: 1 });
    expect(balances()).toEqual([2000n, 0n, 30n]);
  });

  test('a client whose wallet refuses does not keep the commission from what the source wallet holds for both', async () => {
    const { balances } = await three();
    // The first invoice is the run's own, in the source wallet.
    const toClient = ({ kind, walletId }: SeenRequest) => kind === 'invoice' && walletId !== day.source.id;
    day.lnbits.rules = [{ when: toClient, times: 1, fault: NO }];
    const { problems, ...report } = await day.payNow();
    expect(report).toMatchObject({ settled: 2, deferred: 1 });
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      ['lnbits/refused', expect.stringMatching(/^p1 to alice is deferred: /)],
    ]);
    expect(balances()).toEqual([0n, 70n, 30n]);
  });

  function isOf(wallet: string, hash: string | null): boolean {
    return day.lnbits.payments(wallet).some((row) => row.payment_hash === hash);
  }
});
