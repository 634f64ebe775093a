import { describe, expect, test } from 'vitest';
import type { Who } from '../../../src/ledger/log/log.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import {
  deferPayment,
  deferPayout,
  holdPayout,
  markDead,
  markUnknown,
  movePayout,
  type Payment,
  sendPayment,
  settlePayment,
} from '../../../src/ledger/payouts/payouts.ts';
import { startRun } from '../../../src/ledger/runs/lease.ts';
import type { Trx } from '../../../src/ledger/store/open.ts';
import type { PaymentState, PayoutState } from '../../../src/ledger/store/schema.ts';
import { plus } from '../../../src/time.ts';
import { bootless } from '../../support/clock.ts';
import { freshLedger } from '../../support/ledgers.ts';

/*
 * The steps of payments and payouts, from every state: which step leads where, and that every other one throws and
 * changes nothing. What the tables themselves forbid is in ../store/schema.test.ts, on both ledgers.
 */

const AT = '2026-11-01T12:00:00.000000Z';
const LATER = '2026-11-01T12:00:05.000000Z';
const who: Who = { principal: OPERATOR, actor: 'dora', run: null, clock: bootless };

/** A payout of one part with one payment, in these states. */
async function owed(payout: PayoutState, payment: PaymentState) {
  const ledger = await freshLedger('sqlite');
  const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'test' });
  const row: Payment = await ledger.write(async (trx) => {
    await trx.insertInto('currencies').values({ code: 'USD', digits: 2n }).execute();
    await trx.insertInto('wallets').values({ id: 'w', invoice_key: 'k', created_at: AT }).execute();
    await trx
      .insertInto('recipients')
      .values({ id: 1n, kind: 'client', name: 'alice', wallet_id: 'w', status: 'active', created_at: AT })
      .execute();
    await trx
      .insertInto('payouts')
      .values({
        ...{ id: 1n, recipient_id: 1n, kind: 'client', sats: 10n, fiat: 1n, currency: 'USD', created_at: AT },
        ...{ state: payout, settled_at: payout === 'settled' ? AT : null },
      })
      .execute();
    await trx.insertInto('payout_parts').values({ payout_id: 1n, part: 1n, sats: 10n }).execute();
    return await trx
      .insertInto('payments')
      .values({
        ...{ id: 7n, payout_id: 1n, part: 1n, sats: 10n, attempt: 1n, payment_hash: 'h', bolt11: 'b' },
        ...{ client_wallet_id: 'w', source_wallet_id: 's', run_id: run.id, created_at: AT, state: payment },
        ...{ sent_at: payment === 'invoiced' ? null : AT, settled_at: payment === 'settled' ? AT : null },
      })
      .returningAll()
      .executeTakeFirstOrThrow();
  });
  await run.finish('ok', null);
  const states = async () => {
    const one = await ledger.db.selectFrom('payments').selectAll().executeTakeFirstOrThrow();
    const other = await ledger.db.selectFrom('payouts').selectAll().executeTakeFirstOrThrow();
    return { payment: one, payout: other };
  };
  const log = () =>
    ledger.db
      .selectFrom('log')
      .select(['at', 'actor', 'action', 'subject', 'before', 'after', 'reason'])
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
  return { row, states, log, write: <T>(work: (trx: Trx) => Promise<T>) => ledger.write(work) };
}

const OPEN: PaymentState[] = ['invoiced', 'sending', 'unknown'];
const CLOSED: PaymentState[] = ['settled', 'dead'];

interface Step {
  name: string;
  step: (trx: Trx, payment: Payment) => Promise<void>;
  /** Of the payment, and of its payout. */
  to: [PaymentState, PayoutState];
  reason: string | null;
}

const steps: Step[] = [
  {
    name: 'sendPayment',
    step: (trx, one) => sendPayment(trx, { ...who, at: LATER }, one),
    to: ['sending', 'paying'],
    reason: null,
  },
  {
    name: 'deferPayment',
    step: (trx, one) => deferPayment(trx, one, 'no'),
    to: ['invoiced', 'deferred'],
    reason: 'no',
  },
  {
    name: 'settlePayment',
    step: (trx, one) => settlePayment(trx, { ...who, at: LATER }, one),
    to: ['settled', 'settled'],
    reason: null,
  },
];

describe.each(steps)('$name', ({ name, step, to: [payment, payout], reason }) => {
  test.each(OPEN)('of a payment that is %s', async (from) => {
    const { row, states, write } = await owed('unknown', from);
    await write((trx) => step(trx, row));
    expect(await states()).toMatchObject({
      payment: { state: payment, reason },
      payout: { state: payout, reason },
    });
    if (name === 'sendPayment') expect((await states()).payment.sent_at).toBe(LATER);
    if (name === 'settlePayment')
      expect(await states()).toMatchObject({ payment: { settled_at: LATER }, payout: { settled_at: LATER } });
  });

  test.each(CLOSED)('of a payment that is %s is refused', async (from) => {
    const { row, states, write } = await owed('paying', from);
    await expect(write((trx) => step(trx, row))).rejects.toThrow(
      `payment 7 is in none of the states invoiced, sending, unknown, so it cannot become ${payment}`,
    );
    expect(await states()).toMatchObject({ payment: { state: from }, payout: { state: 'paying' } });
  });

  test.each<PayoutState>(['held', 'settled'])('of a payout that is %s is refused', async (from) => {
    const { row, states, write } = await owed(from, 'sending');
    await expect(write((trx) => step(trx, row))).rejects.toThrow(
      /^payout p1 is in none of the states (planned, )?paying, deferred, unknown, so it cannot become /,
    );
    expect(await states()).toMatchObject({ payment: { state: 'sending' }, payout: { state: from } });
  });
});

describe('markUnknown', () => {
  test.each<[PaymentState, PaymentState]>([
    ['sending', 'unknown'],
    ['unknown', 'unknown'],
    ['invoiced', 'invoiced'],
    ['settled', 'settled'],
    ['dead', 'dead'],
  ])('of a payment that is %s leaves it %s, and its payout unknown', async (from, to) => {
    const { row, states, write } = await owed('paying', from);
    await write((trx) => markUnknown(trx, row, 'no answer'));
    expect(await states()).toMatchObject({
      payment: { state: to },
      payout: { state: 'unknown', reason: 'no answer' },
    });
    expect((await states()).payment.reason).toBe(to === 'unknown' ? 'no answer' : null);
  });

  test.each<PayoutState>(['planned', 'held', 'settled'])(
    'of a payout that is %s is refused',
    async (from) => {
      const { row, write } = await owed(from, 'sending');
      await expect(write((trx) => markUnknown(trx, row, 'no answer'))).rejects.toThrow(
        'payout p1 is in none of the states paying, deferred, unknown, so it cannot become unknown',
      );
    },
  );
});

describe('markDead', () => {
  test.each(OPEN)('of a payment that is %s, with its hash in the log', async (from) => {
    const { row, states, log, write } = await owed('paying', from);
    await write((trx) => markDead(trx, { ...who, at: LATER }, row, 'failed'));
    expect((await states()).payment).toMatchObject({ state: 'dead', reason: 'failed' });
    expect(await log()).toEqual({
      ...{ at: LATER, actor: 'dora', action: 'payment dead', subject: 'p1', reason: 'failed' },
      before: JSON.stringify({ payment_hash: 'h', state: from }),
      after: JSON.stringify({ payment_hash: 'h', state: 'dead' }),
    });
  });

  test.each(CLOSED)('of a payment that is %s is refused', async (from) => {
    const { row, write } = await owed('paying', from);
    await expect(write((trx) => markDead(trx, { ...who, at: LATER }, row, 'failed'))).rejects.toThrow(
      'cannot become dead',
    );
  });
});

describe('deferPayout', () => {
  test.each<PayoutState>(['planned', 'paying', 'deferred', 'unknown'])('of one that is %s', async (from) => {
    const { states, write } = await owed(from, 'invoiced');
    await write((trx) => deferPayout(trx, 1n, 'too little'));
    expect((await states()).payout).toMatchObject({ state: 'deferred', reason: 'too little' });
  });

  test.each<PayoutState>(['held', 'settled'])('of one that is %s is refused', async (from) => {
    const { write } = await owed(from, 'invoiced');
    await expect(write((trx) => deferPayout(trx, 1n, 'too little'))).rejects.toThrow(
      'cannot become deferred',
    );
  });
});

describe('holdPayout', () => {
  test.each<PayoutState>(['planned', 'paying', 'deferred', 'unknown', 'settled'])(
    'of one that is %s, with what it was in the log',
    async (from) => {
      const { states, log, write } = await owed(from, 'invoiced');
      await write((trx) => holdPayout(trx, { ...who, at: LATER }, 1n, 'look at it'));
      expect((await states()).payout).toMatchObject({ state: 'held', reason: 'look at it' });
      expect(await log()).toEqual({
        ...{ at: LATER, actor: 'dora', action: 'payout held', subject: 'p1', reason: 'look at it' },
        before: JSON.stringify({ state: from }),
        after: JSON.stringify({ state: 'held' }),
      });
    },
  );

  test('of one that is held is refused', async () => {
    const { write } = await owed('held', 'invoiced');
    await expect(write((trx) => holdPayout(trx, { ...who, at: LATER }, 1n, 'again'))).rejects.toThrow(
      'cannot become held',
    );
  });
});

test.each([
  ['sent', sendPayment],
  ['settled', settlePayment],
])('where the clock was set back before a payment is %s, the log says so', async (_name, step) => {
  const noted = async (before: Partial<Payment>) => {
    const { row, log, write } = await owed('paying', 'sending');
    await write((trx) => step(trx, { ...who, at: LATER }, { ...row, ...before }));
    return log();
  };
  const [little, more] = [plus(LATER, 300_000), plus(LATER, 300_001)];
  expect(await noted({ created_at: more, sent_at: little })).toBeUndefined();
  const change = {
    ...{ at: LATER, actor: 'dora', action: 'clock set back', subject: 'p1', reason: null },
    ...{ before: JSON.stringify({ at: more }), after: JSON.stringify({ at: LATER }) },
  };
  expect(await noted({ sent_at: more })).toEqual(change);
  expect(await noted({ created_at: more, sent_at: null })).toEqual(change);
});

test('a payout is settled with its last part', async () => {
  const { row, states, write } = await owed('paying', 'sending');
  await write((trx) =>
    trx.insertInto('payout_parts').values({ payout_id: 1n, part: 2n, sats: 5n }).execute(),
  );
  await write((trx) => settlePayment(trx, { ...who, at: LATER }, row));
  expect((await states()).payout).toMatchObject({ state: 'paying', settled_at: null });
});

test('a step from an unexpected state names the expected ones', async () => {
  const { write } = await owed('settled', 'settled');
  await expect(
    write((trx) => movePayout(trx, 1n, ['held', 'planned'], { state: 'planned' })),
  ).rejects.toThrow('payout p1 is in none of the states held, planned, so it cannot become planned');
});
