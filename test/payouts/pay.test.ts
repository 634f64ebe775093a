import { afterEach, describe, expect, test } from 'vitest';
import { movePayout } from '../../src/ledger/payouts/payouts.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import type { LnbitsVersion } from '../support/lnbits.ts';
import { oweTwo, type Payday, type PaydayOptions, payday } from '../support/payday.ts';

describe.each(['1.0.0', '1.6.2'] as LnbitsVersion[])('paying at LNbits %s', (version) => {
  let day: Payday;
  const begin = async (options: PaydayOptions = {}) => {
    day = await payday({ version, ...options });
    return day;
  };
  afterEach(async () => {
    // Whatever went wrong: the books must balance.
    expect((await verifyLedger(day.ledger)).differences).toEqual([]);
    await day.stop();
  });

  // With 1.0 every look marks an unpaid invoice as failed. After the quiet time, which is short here, it is replaced.
  const modern = version !== '1.0.0';
  const onModern = modern ? test : () => undefined;

  /** Two clients, of whom the first meets the fault. */
  const two = async (options: PaydayOptions = {}) => oweTwo(await begin(options));

  test('each client receives the net sats once, and the source wallet spends exactly these', async () => {
    const { balances, states } = await two();
    const report = await day.payNow();
    expect(report).toMatchObject({
      settled: 2,
      satsSettled: 3000n,
      deferred: 0,
      unknown: 0,
      held: 0,
      problems: [],
    });
    expect(balances()).toEqual([1000n, 2000n]);
    expect(await states()).toEqual(['settled', 'settled']);
    expect(await day.payNow()).toMatchObject({ settled: 0 });
    expect(day.lnbits.balance(day.source.id)).toBe(997_000n);
  });

  test('both sides say whose payment it was and for which cash-outs', async () => {
    const { alice } = await two();
    await day.payNow();
    const [cashOut] = await day.ledger.db
      .selectFrom('cash_outs')
      .select('id')
      .where('machine', '=', 'alice')
      .execute();
    const expected = {
      tag: 'aio-dca',
      ledger: day.ledger.id,
      seq: 1,
      payout: 'p1',
      client: 'alice',
      sats: 1000,
      fiat: '100.00',
      currency: 'USD',
      cash_outs: [cashOut?.id],
      cash_outs_count: 1,
    };
    const [received] = day.lnbits.payments(alice.id);
    const spent = day.lnbits
      .payments(day.source.id)
      .find((row) => row.payment_hash === received?.payment_hash);
    expect(received?.extra).toMatchObject(expected);
    expect(spent?.extra).toMatchObject(expected);
    expect(received?.memo).toBe('1,000 sat for 100.00 USD of your cash (payout p1), 9,900.00 USD left');
  });

  test('several cash-outs of one client are paid in one payout; with batch = "cash-out" one by one', async () => {
    await begin();
    await day.addClient('alice');
    await day.owe('alice', 1000n);
    await day.owe('alice', 500n);
    await day.payNow();
    expect((await day.payouts()).map((one) => one.sats)).toEqual([1500n]);
    await day.stop();

    await begin({ payouts: 'batch = "cash-out"' });
    await day.addClient('alice');
    await day.owe('alice', 1000n);
    await day.owe('alice', 500n);
    await day.payNow();
    expect((await day.payouts()).map((one) => one.sats)).toEqual(expect.arrayContaining([1000n, 500n]));
  });

  test('a payout above maximum_sats goes in parts', async () => {
    await begin({ payouts: 'maximum_sats = 400' });
    const alice = await day.addClient('alice');
    await day.owe('alice', 1000n);
    expect(await day.payNow()).toMatchObject({ settled: 1, satsSettled: 1000n });
    expect(day.lnbits.payments(alice.id).map((row) => row.amount)).toEqual([400_000, 400_000, 200_000]);
    expect(day.lnbits.balance(alice.id)).toBe(1000n);
  });

  test('less than minimum_sats waits and gathers', async () => {
    await begin({ payouts: 'minimum_sats = 1200' });
    const alice = await day.addClient('alice');
    await day.owe('alice', 1000n);
    expect(await day.payNow()).toMatchObject({ settled: 0, planned: 0 });
    expect(day.lnbits.requests).toEqual([]);
    await day.owe('alice', 500n);
    await day.payNow();
    expect(day.lnbits.balance(alice.id)).toBe(1500n);
  });

  test('less than minimum_sats is paid to a client who is closing', async () => {
    await begin({ payouts: 'minimum_sats = 1200' });
    const alice = await day.addClient('alice');
    await day.owe('alice', 1000n);
    await day.ledger.db.updateTable('recipients').set({ status: 'closing' }).execute();
    await day.payNow();
    expect(day.lnbits.balance(alice.id)).toBe(1000n);
  });

  test('while paying is paused nothing is asked of LNbits', async () => {
    const { balances } = await two();
    const pause = { paused_at: '2026-01-01T00:00:00.000000Z', paused_reason: 'test' };
    await day.ledger.db.updateTable('ledger').set(pause).execute();
    expect(await day.payNow()).toMatchObject({ settled: 0 });
    expect(day.lnbits.requests).toEqual([]);
    await day.ledger.db.updateTable('ledger').set({ paused_at: null, paused_reason: null }).execute();
    await day.payNow();
    expect(balances()).toEqual([1000n, 2000n]);
  });

  test('after a request to stop, the current step ends and no other begins', async () => {
    const { balances, states } = await two();
    const stop = new AbortController();
    day.lnbits.onRequest = ({ kind }) => (kind === 'pay' ? stop.abort() : undefined);
    expect(await day.payNow({ signal: stop.signal })).toMatchObject({ settled: 1, satsSettled: 1000n });
    expect(balances()).toEqual([1000n, 0n]);
    expect(await states()).toEqual(['settled', 'planned']);
    day.lnbits.onRequest = undefined;
    await day.payNow();
    expect(balances()).toEqual([1000n, 2000n]);
  });

  describe('when the way to LNbits breaks', () => {
    test('not there: nothing is formed, the next run pays', async () => {
      const { balances } = await two();
      await day.lnbits.stop();
      const report = await day.payNow();
      expect(report.problems.map((one) => one.code)).toEqual(['lnbits/unreachable']);
      expect(await day.payouts()).toEqual([]);
      await day.lnbits.start();
      await day.payNow();
      expect(balances()).toEqual([1000n, 2000n]);
    });

    test.each([
      ['before the payment takes effect', 'before'],
      ['after it took effect', 'after'],
    ] as const)('cut %s: the same bolt11 is looked up or sent again, within the run', async (_name, at) => {
      const { balances, states } = await two();
      day.lnbits.rules = [{ when: { kind: 'pay' }, fault: { at, do: 'reset' } }];
      const report = await day.payNow();
      // An outcome that was found out within the run is no longer a problem of the run.
      expect(report).toMatchObject({ settled: 2, problems: [] });
      expect(await states()).toEqual(['settled', 'settled']);
      expect(balances()).toEqual([1000n, 2000n]);
      if (modern) expect(await day.payments()).toHaveLength(2);
    });

    onModern('no answer to any POST: unknown; the next run settles, nobody is paid twice', async () => {
      const { balances, states } = await two();
      day.loseEachPost('alice');
      const first = await day.payNow();
      expect(first).toMatchObject({ settled: 1, unknown: 1 });
      expect(first.problems.map((one) => one.code)).toEqual(['lnbits/unreachable']);
      expect(await states()).toEqual(['unknown', 'settled']);
      day.lnbits.rules = [];
      await day.payNow();
      expect(await states()).toEqual(['settled', 'settled']);
      expect(balances()).toEqual([1000n, 2000n]);
    });

    test('LNbits goes away in the middle: payments under way are unknown, and found out later', async () => {
      const { balances, states } = await two();
      day.lnbits.onRequest = async ({ kind }, phase) => {
        if (kind === 'pay' && phase === 'after') await day.lnbits.stop();
      };
      await day.payNow();
      expect((await states())[0]).toBe('unknown');
      day.lnbits.onRequest = undefined;
      await day.lnbits.start();
      await day.payNow();
      expect(await states()).toEqual(['settled', 'settled']);
      expect(balances()).toEqual([1000n, 2000n]);
    });

    test.each([
      ['500', { status: 500, body: { detail: 'Internal error' } }],
      ['HTML', { status: 502, headers: { 'content-type': 'text/html' }, body: '<html>Bad Gateway</html>' }],
      ['garbage', { status: 201, body: '{"payment_hash": "' }],
    ])('%s instead of an answer to the POST', async (_name, answer) => {
      const { balances, states } = await two();
      day.lnbits.rules = [{ when: { kind: 'pay' }, fault: { at: 'after', answer } }];
      await day.payNow();
      expect(await states()).toEqual(['settled', 'settled']);
      expect(balances()).toEqual([1000n, 2000n]);
    });

    test('429 at the POST', async () => {
      const { balances } = await two();
      const answer = { status: 429, headers: { 'retry-after': '1' }, body: { error: 'Rate limit exceeded' } };
      day.lnbits.rules = [{ when: { kind: 'pay' }, fault: { at: 'before', answer } }];
      await day.payNow();
      await day.payNow();
      expect(balances()).toEqual([1000n, 2000n]);
    });
  });

  describe('when LNbits says no', () => {
    test('the key of the source wallet is unknown: exit 78, nothing is formed', async () => {
      const { states } = await two();
      await day.lnbits.resetKeys(day.source.id);
      const { problems } = await day.payNow();
      expect(problems.map((one) => [one.code, one.kind])).toEqual([['lnbits/key', 'misconfigured']]);
      expect(await states()).toEqual([]);
    });

    test('the balance is too small: deferred, smaller ones are paid, the rest after a top-up', async () => {
      const { balances, states } = await two({ funds: 1500n });
      const { problems, ...report } = await day.payNow();
      expect(report).toMatchObject({ settled: 1, deferred: 1 });
      expect(problems.map((one) => [one.code, one.kind])).toEqual([['lnbits/balance', 'unavailable']]);
      expect(await states()).toEqual(['settled', 'deferred']);
      expect((await day.payouts())[1]?.reason).toBe(
        'the source wallet held 500 sat when it was tried, less than the 2,000 sat due',
      );
      await day.lnbits.topUp(day.source.id, 1500n);
      await day.payNow();
      expect(balances()).toEqual([1000n, 2000n]);
    });

    test('`Insufficient balance.` at the POST: deferred, then the same bolt11 is paid', async () => {
      const { balances, states } = await two({ quiet: '300 ms' });
      const answer = { status: 520, body: { detail: 'Insufficient balance.', status: 'failed' } };
      day.lnbits.rules = [{ when: { kind: 'pay' }, fault: { at: 'before', answer } }];
      await day.payNow();
      // With 1.0 the look has ended the invoice, and a new one was paid.
      expect(await states()).toEqual([modern ? 'deferred' : 'settled', 'settled']);
      await day.payNow();
      expect(await states()).toEqual(['settled', 'settled']);
      expect(balances()).toEqual([1000n, 2000n]);
    });

    test('the client deleted the wallet: held, the others are paid', async () => {
      const { alice, balances, states } = await two();
      await day.lnbits.deleteWallet(alice.id);
      expect(await day.payNow()).toMatchObject({ settled: 1, held: 1 });
      expect(await states()).toEqual(['held', 'settled']);
      expect(balances()).toEqual([0n, 2000n]);
    });

    test('the keys of the client were reset: held; with the new key, and released, it is paid', async () => {
      const { alice, balances, states } = await two();
      const { inkey } = await day.lnbits.resetKeys(alice.id);
      await day.payNow();
      expect(await states()).toEqual(['held', 'settled']);
      await day.ledger.db
        .updateTable('wallets')
        .set({ invoice_key: inkey })
        .where('id', '=', alice.id)
        .execute();
      await day.ledger.write((trx) => movePayout(trx, 1n, ['held'], { state: 'planned' }));
      await day.payNow();
      expect(balances()).toEqual([1000n, 2000n]);
    });

    onModern('the wallet is deleted between invoice and payment: held, and never paid', async () => {
      const { alice, states } = await two();
      day.loseEachPost('alice');
      await day.payNow();
      expect((await states())[0]).toBe('unknown');
      day.lnbits.rules = [];
      await day.lnbits.deleteWallet(alice.id);
      await day.payNow();
      expect(await states()).toEqual(['held', 'settled']);
      expect(day.lnbits.balance(day.source.id)).toBe(998_000n);
    });

    test('an invoice that died with a restart is replaced; the client is paid once', async () => {
      const { balances, states } = await two();
      day.loseEachPost('alice');
      await day.payNow();
      day.lnbits.rules = [];
      await day.lnbits.restart();
      await day.payNow();
      expect(await states()).toEqual(['settled', 'settled']);
      expect(balances()).toEqual([1000n, 2000n]);
    });
  });

  describe('when money does not arrive', () => {
    test('the amount arrives as 0: held as not credited, never paid again automatically', async () => {
      const { balances, states } = await two();
      day.lnbits.rules = [{ when: { kind: 'pay' }, fault: { pay: 'credit-zero' } }];
      await day.payNow();
      expect(await states()).toEqual(['held', 'settled']);
      expect((await day.payouts())[0]?.reason).toContain('debited, not credited');
      await day.payNow();
      expect(balances()).toEqual([0n, 2000n]);
      expect(day.lnbits.balance(day.source.id)).toBe(997_000n);
    });

    test('debited and not credited: held', async () => {
      const { states } = await two();
      day.lnbits.rules = [{ when: { kind: 'pay' }, fault: { pay: 'debit-only' } }];
      await day.payNow();
      expect(await states()).toEqual(['held', 'settled']);
      expect((await day.payouts())[0]?.reason).toContain('debited, not credited');
    });

    test('201 with pending, then success: unknown, settled by the next run', async () => {
      const { states } = await two();
      day.lnbits.rules = [{ when: { kind: 'pay' }, fault: { pay: 'pending' } }];
      await day.payNow();
      expect(await states()).toEqual(['unknown', 'settled']);
      const [payment] = await day.payments();
      if (!payment) throw new Error('no payment');
      const [alice] = await day.ledger.db.selectFrom('recipients').select('wallet_id').execute();
      day.lnbits.change(day.source.id, payment.payment_hash, { status: 'success' });
      day.lnbits.change(alice?.wallet_id ?? '', payment.payment_hash, { status: 'success' });
      await day.payNow();
      expect(await states()).toEqual(['settled', 'settled']);
    });

    test('201 with failed: nobody is paid twice, everybody in the end', async () => {
      const { balances, states } = await two();
      day.lnbits.rules = [{ when: { kind: 'pay' }, fault: { pay: 'failed' } }];
      await day.payNow();
      await day.payNow();
      expect(await states()).toEqual(['settled', 'settled']);
      expect(balances()).toEqual([1000n, 2000n]);
    });
  });
});
