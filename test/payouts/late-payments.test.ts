import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bookOverpaid, overpaidBy } from '../../src/ledger/fundings/overpaid.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { findCase, openPayment, resolvePayment } from '../../src/ledger/payouts/operator-actions.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { bootless, now } from '../support/clock.ts';
import type { LnbitsVersion, WalletKeys } from '../support/lnbits.ts';
import { type Payday, payday } from '../support/payday.ts';

/* A payment that was given up but appears. */

describe.each(['1.0.0', '1.6.2'] as LnbitsVersion[])('at LNbits %s', (version) => {
  let day: Payday;
  let alice: WalletKeys;
  const who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };
  beforeEach(async () => {
    day = await payday({ version });
    alice = await day.addClient('alice');
    await day.addClient('bob');
    await day.owe('alice', 1_000n);
  });
  afterEach(async () => {
    expect((await verifyLedger(day.ledger)).differences).toEqual([]);
    await day.stop();
  });

  const first = async () => (await day.payments())[0]?.payment_hash ?? '';
  const open = () =>
    day.ledger.db.selectFrom('contradictions').selectAll().where('closed_at', 'is', null).execute();
  const states = async () => (await day.payments()).map(({ state }) => state);
  /** A payment that was debited, and that the operator declared unpaid after LNbits gave it up. */
  const calledUnpaid = async () => {
    day.lnbits.rules.push({ when: { kind: 'pay' }, fault: { pay: 'debit-only' } });
    await day.payNow();
    day.lnbits.change(alice.id, await first(), { status: 'failed' });
    const payment = openPayment(await findCase(day.ledger.db, 1n), undefined);
    const shown = 'success in the source wallet, failed in the client’s';
    const word = { payout: 1n, payment, paid: false, seen: true, shown };
    await day.ledger.write((trx) =>
      resolvePayment(trx, { ...who, at: now(), reason: 'LNbits lost it' }, word),
    );
  };

  test('what was known when it was given up is not reported again', async () => {
    await calledUnpaid();
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
    expect(await states()).toEqual(['dead', 'settled']);
    await day.owe('bob', 10n);
    await day.payNow();
    expect(await open()).toEqual([]);
  });

  test('before anything else was sent of its part: the part is settled by it, and not paid again', async () => {
    await calledUnpaid();
    day.lnbits.change(alice.id, await first(), { status: 'success' });
    await day.payNow();
    expect(await states()).toEqual(['settled']);
    expect((await day.payouts()).map(({ state }) => state)).toEqual(['settled']);
    expect(day.lnbits.balance(alice.id)).toBe(1_000n);
    expect(await open()).toEqual([]);
  });

  test('after it was paid again: it is reported once, until the operator has booked it', async () => {
    await calledUnpaid();
    await day.payNow();
    day.lnbits.change(alice.id, await first(), { status: 'success' });
    for (const _ of [1, 2]) {
      await day.owe('bob', 10n);
      await day.payNow();
      expect(await open()).toMatchObject([{ payment_id: 1n, shown: expect.stringContaining('arrived') }]);
    }
    expect((await verifyLedger(day.ledger)).differences).toMatchObject([{ code: 'payment/contradicted' }]);
    const of = { hash: await first() };
    const before = await day.ledger.db
      .selectFrom('fundings')
      .select(['id', 'remaining'])
      .where('id', '=', 1n)
      .executeTakeFirstOrThrow();
    const overpaid = await overpaidBy(day.ledger.db, 1n, of);
    const { fiat } = await day.ledger.db
      .selectFrom('payouts')
      .select('fiat')
      .where('id', '=', 1n)
      .executeTakeFirstOrThrow();
    expect(overpaid).toMatchObject({ sats: 1_000n, fiat, recipient: 'alice' });
    const act = { ...who, at: now(), reason: 'alice agrees' };
    const after = await day.ledger.write((trx) => bookOverpaid(trx, act, overpaid, before.id));
    expect(after?.remaining).toBe(before.remaining - fiat);
    expect(await open()).toEqual([]);
    await day.owe('bob', 10n);
    await day.payNow();
    expect(await open()).toEqual([]);
  });
});
