import { afterEach, describe, expect, test } from 'vitest';
import { inCommandWords } from '../../src/cli/terminal/words.ts';
import { Secret } from '../../src/config/secret.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { startRun } from '../../src/ledger/runs/lease.ts';
import { LnbitsClient } from '../../src/lnbits/wallet-client.ts';
import { checkBeforeRecording } from '../../src/scheduler/pay-due.ts';
import { systemClock } from '../../src/time.ts';
import type { PaymentRow } from '../support/lnbits-books.ts';
import { type Payday, payday } from '../support/payday.ts';

/* The checks before the first payment of a run, one by one: what each of them reads, and what it leaves alone. */

let day: Payday;
afterEach(() => day.stop());

async function begin(): Promise<void> {
  day = await payday({ payouts: 'maximum_sats = 100' });
  await day.addClient('alice');
}

/** Alice is paid so many payments of 100 sat. */
async function paid(payments = 1): Promise<void> {
  await begin();
  await day.owe('alice', 100n * BigInt(payments));
  expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
  day.lnbits.clearLog();
}

/** One more run, that has something to pay. */
async function again() {
  await day.owe('alice', 1n);
  const { problems, ...report } = await day.payNow();
  return {
    ...report,
    problems: problems.map(({ code, message, hint }) => ({
      code,
      message,
      hint: hint && inCommandWords(hint),
    })),
  };
}

const walletOf = async (name: string) =>
  await day.ledger.db
    .selectFrom('recipients')
    .innerJoin('wallets', 'wallets.id', 'recipients.wallet_id')
    .select(['wallets.id', 'wallets.invoice_key'])
    .where('name', '=', name)
    .executeTakeFirstOrThrow();
const sent = () => day.lnbits.payments(day.source.id).filter(({ amount }) => amount < 0);
/** Writes over the source wallet's row of a payment; the newest by default. */
const change = (fields: Partial<PaymentRow>, hash = sent().at(-1)?.payment_hash ?? '') =>
  day.lnbits.change(day.source.id, hash, fields);
const ledgerRow = () => day.ledger.db.selectFrom('ledger').selectAll().executeTakeFirstOrThrow();
/** From now on the configuration names another wallet, with 5,000 sat. */
async function another() {
  const wallet = await day.lnbits.createUserWallet('other');
  await day.lnbits.topUp(wallet.id, 5_000n);
  use(wallet.adminkey);
  return wallet;
}
const use = (key: string) =>
  Object.defineProperty(day.config.lnbits, 'sourceWalletKey', { value: new Secret(key), configurable: true });

describe('the wallet that pays', () => {
  test('is bound and logged by the first run; a later one has nothing to do', async () => {
    await paid();
    expect((await ledgerRow()).source_wallet_id).toBe(day.source.id);
    await again();
    const bound = () =>
      day.ledger.db.selectFrom('log').selectAll().where('action', '=', 'source wallet bound').execute();
    expect(await bound()).toMatchObject([
      {
        ...{ actor: 'test', run_id: 1n, subject: day.source.id },
        ...{ before: '{"source_wallet_id":null}', after: `{"source_wallet_id":"${day.source.id}"}` },
      },
    ]);
    const { id } = await another();
    expect(await again()).toMatchObject({ settled: 1, problems: [] });
    expect((await bound())[1]).toMatchObject({
      ...{ subject: id, before: `{"source_wallet_id":"${day.source.id}"}` },
    });
  });

  test("is not a client's", async () => {
    await begin();
    const [alice] = [await walletOf('alice')];
    await day.lnbits.topUp(alice.id, 5_000n);
    const { adminkey } = await day.lnbits.resetKeys(alice.id);
    use(adminkey);
    expect(await again()).toMatchObject({
      settled: 0,
      problems: [
        {
          code: 'ledger/wallet-differs',
          message: 'the source wallet of the configuration is the wallet of alice',
          hint: 'Set [lnbits] source_wallet_key to the admin key of the wallet that pays.',
        },
      ],
    });
    expect((await ledgerRow()).source_wallet_id).toBeNull();
  });

  test('has a key that shows what it makes, else it is not taken, and what it does not show is not gone', async () => {
    await begin();
    const shared = await day.lnbits.share(day.source, ['receive-payments', 'send-payments']);
    use(shared.adminkey);
    const refused = { settled: 0, problems: [{ code: 'lnbits/rights' }] };
    expect(await again()).toMatchObject(refused);
    expect((await ledgerRow()).source_wallet_id).toBeNull();
    await shared.allow(['view-payments', 'receive-payments', 'send-payments']);
    expect(await again()).toMatchObject({ settled: 1, problems: [] });
    await shared.allow(['receive-payments', 'send-payments']);
    await day.owe('alice', 10n);
    expect(await again()).toMatchObject(refused);
  });

  test('has a key that may send, else the run ends at the first payment, and nothing is in doubt', async () => {
    await begin();
    await day.owe('alice', 10n);
    const shared = await day.lnbits.share(day.source, ['view-payments', 'receive-payments']);
    use(shared.adminkey);
    const report = await again();
    expect(report).toMatchObject({ settled: 0, deferred: 1, unknown: 0, reached: false });
    expect(report.problems).toMatchObject([
      { code: 'lnbits/rights', message: expect.stringMatching(/^POST .*permission to pay invoices/) },
    ]);
    await shared.allow(['view-payments', 'receive-payments', 'send-payments']);
    expect(await again()).toMatchObject({ settled: 2, problems: [] });
  });

  test('has a key that may receive: without that right no retry helps, once it is bound, too', async () => {
    await begin();
    await day.owe('alice', 10n);
    const shared = await day.lnbits.share(day.source, ['view-payments', 'receive-payments', 'send-payments']);
    use(shared.adminkey);
    expect(await again()).toMatchObject({ settled: 1, problems: [] });
    await shared.allow(['view-payments', 'send-payments']);
    await day.owe('alice', 10n);
    const report = await again();
    expect(report).toMatchObject({ settled: 0, reached: false });
    expect(report.problems).toMatchObject([{ code: 'lnbits/rights' }]);
  });

  test.each(['invoiced', 'sending', 'unknown'] as const)('stays while a payment is %s', async (state) => {
    await paid();
    await day.ledger.db
      .insertInto('payouts')
      .values({
        ...{ id: 2n, recipient_id: 1n, kind: 'client', sats: 1n, fiat: 1n, currency: 'USD' },
        ...{ state: 'paying', created_at: (await ledgerRow()).created_at },
      })
      .execute();
    await day.ledger.db.insertInto('payout_parts').values({ payout_id: 2n, part: 1n, sats: 1n }).execute();
    const { created_at } = await ledgerRow();
    await day.ledger.db
      .insertInto('payments')
      .values({
        ...{ id: 2n, payout_id: 2n, part: 1n, sats: 1n, attempt: 1n, payment_hash: 'h', bolt11: 'b' },
        ...{ client_wallet_id: (await walletOf('alice')).id, source_wallet_id: day.source.id, state },
        ...{ run_id: 1n, created_at, sent_at: state === 'invoiced' ? null : created_at },
      })
      .execute();
    const { id } = await another();
    expect((await again()).problems).toEqual([
      {
        code: 'ledger/wallet-differs',
        message: `payments from the source wallet ${day.source.id} are open, and the configuration names ${id}`,
        hint: 'Set the key of the former wallet again until `aio-dca payouts list` shows nothing open.',
      },
    ]);
    expect((await ledgerRow()).source_wallet_id).toBe(day.source.id);
    // No wallet was read about open payments.
    const asked = day.lnbits.requests.map(({ kind, query }) => query.get('tag') ?? kind);
    expect(asked.toSorted((a, b) => a.localeCompare(b))).toEqual(['aio-dca-run', 'version', 'wallet']);
  });

  test.each(['sending', 'unknown'] as const)('stays while a credit of it is %s', async (state) => {
    await paid();
    const { created_at } = await ledgerRow();
    await day.ledger.db
      .insertInto('credits')
      .values({
        wallet_id: day.source.id,
        sats: 1n,
        state,
        run_id: 1n,
        created_at,
        sent_at: created_at,
        seen: '[]',
      })
      .execute();
    const { id } = await another();
    expect((await again()).problems).toEqual([
      {
        code: 'ledger/wallet-differs',
        message: `the outcome of credit c1 of the source wallet ${day.source.id} is not known yet, and the configuration names ${id}`,
        hint: 'Set the key of the former wallet again until `aio-dca credits list` shows nothing unknown.',
      },
    ]);
  });
});

describe('another wallet that pays', () => {
  const problem = {
    code: 'ledger/restored',
    message: expect.stringMatching(
      /^LNbits shows payment f{64} of this ledger \(p1 for alice\), and the ledger/,
    ),
    hint: expect.stringContaining('aio-dca ledger recover'),
  };
  const received = async (fields: Partial<PaymentRow>) => {
    const { id } = await walletOf('alice');
    const [row] = day.lnbits.payments(id);
    day.lnbits.change(id, row?.payment_hash ?? '', { payment_hash: 'f'.repeat(64), ...fields });
  };

  test('is not taken where a client received what the ledger does not know', async () => {
    await paid();
    await received({});
    await another();
    expect(await again()).toMatchObject({ settled: 0, problems: [problem] });
    expect((await ledgerRow()).source_wallet_id).toBe(day.source.id);
  });

  test.each([
    ['what was never paid', { status: 'failed' }],
    ['what is not paid yet', { status: 'pending' }],
    ['what another ledger paid', { extra: { tag: 'aio-dca', ledger: 'another' } }],
    ['what a client paid', { amount: -100_000 }],
    ['what carries no tag', { tag: null }],
  ] as const)('may be taken: %s counts for nothing', async (_name, fields) => {
    await paid();
    await received(fields);
    await another();
    expect(await again()).toMatchObject({ settled: 1, problems: [] });
  });

  test('may be taken where a wallet that was paid into is gone', async () => {
    await paid();
    await day.lnbits.deleteWallet((await walletOf('alice')).id);
    const { id } = await another();
    expect(await again()).toMatchObject({ held: 1, problems: [] });
    expect((await ledgerRow()).source_wallet_id).toBe(id);
  });

  test('is not taken while a wallet that was paid into cannot be asked', async () => {
    await paid();
    const { id } = await walletOf('alice');
    await another();
    day.lnbits.rules = [
      { when: { kind: 'list', walletId: id }, times: 3, fault: { at: 'before', do: 'reset' } },
    ];
    expect((await again()).problems).toMatchObject([{ code: 'lnbits/unreachable' }]);
    expect((await ledgerRow()).source_wallet_id).toBe(day.source.id);
  });
});

describe('a payment that the ledger does not know', () => {
  test('says that an older ledger was restored', async () => {
    await paid(2);
    change({ payment_hash: 'f'.repeat(64) });
    expect((await again()).problems).toMatchObject([
      { code: 'ledger/restored', message: expect.stringContaining('f'.repeat(64)) },
    ]);
  });

  test.each([
    ['of another ledger', { extra: { tag: 'aio-dca', ledger: 'another' } }],
    ['that came in', { amount: 100_000 }],
    ['without the tag', { tag: null }],
  ])('%s says nothing', async (_name, fields) => {
    await paid(2);
    const [first] = sent();
    // The ledger does not look for it: what it has to know is the newest.
    await day.ledger.db
      .updateTable('payments')
      .set({ checked_at: (await ledgerRow()).created_at })
      .execute();
    change({ payment_hash: 'f'.repeat(64), ...fields }, first?.payment_hash);
    expect(await again()).toMatchObject({ settled: 1, problems: [] });
  });

  test('is looked for in the wallet that pays alone, where that one is known', async () => {
    await paid(2);
    const run = await startRun(day.ledger, 'poll', { principal: OPERATOR, actor: 'test' });
    const { signal } = new AbortController();
    await checkBeforeRecording({ ledger: day.ledger, config: day.config, run, signal, problems: [] });
    await run.finish('ok', null);
    const looks = day.lnbits.requests.filter(({ kind }) => kind === 'list');
    expect(looks.map(({ walletId, query }) => [walletId, query.get('tag')])).toEqual([
      [day.source.id, 'aio-dca-run'],
      [day.source.id, 'aio-dca'],
    ]);
  });

  test('is looked for before anything is recorded, too, and nothing is written then', async () => {
    await paid(2);
    change({ payment_hash: 'f'.repeat(64) });
    const run = await startRun(day.ledger, 'poll', { principal: OPERATOR, actor: 'test' });
    const deps = { ledger: day.ledger, config: day.config, run, problems: [] };
    const { signal } = new AbortController();
    await expect(checkBeforeRecording({ ...deps, signal })).rejects.toMatchObject({
      code: 'ledger/restored',
    });
    // Where another wallet pays, the clients' are asked.
    await another();
    await checkBeforeRecording({ ...deps, signal });
    const { id } = await walletOf('alice');
    const row = day.lnbits.payments(id).at(-1);
    day.lnbits.change(id, row?.payment_hash ?? '', { payment_hash: 'e'.repeat(64) });
    await expect(checkBeforeRecording({ ...deps, signal })).rejects.toMatchObject({
      code: 'ledger/restored',
    });
    await run.finish('ok', null);
    expect((await ledgerRow()).source_wallet_id).toBe(day.source.id);
  });
});

describe('the newest settled payment', () => {
  test.each([
    ['failed', { status: 'failed' as const }, 'failed'],
    ['not there', { payment_hash: 'f'.repeat(64), tag: null }, 'not there'],
  ])('that is %s says that an older LNbits was restored', async (_name, fields, shown) => {
    await paid(2);
    const hash = sent().at(-1)?.payment_hash;
    change(fields);
    expect((await again()).problems).toEqual([
      {
        code: 'lnbits/restored',
        message: `the newest settled payment (p1, ${hash}) is ${shown} in the source wallet`,
        hint: 'An older copy of LNbits was restored. Compare its wallets with `aio-dca payouts list` before anything is paid.',
      },
    ]);
  });

  test("a payment settled by the operator's word, or of another wallet, is not the one checked", async () => {
    await paid(2);
    const { db } = day.ledger;
    change({ status: 'failed' });
    await db
      .updateTable('payments')
      .set({ reason: 'the word of the client', checked_at: (await ledgerRow()).created_at })
      .where('id', '=', 2n)
      .execute();
    expect((await again()).problems).toEqual([]);
    await another();
    expect((await again()).problems).toEqual([]);
  });
});

describe('each settled payment is looked at once more', () => {
  const unchecked = async () =>
    (await day.ledger.db.selectFrom('payments').select('id').where('checked_at', 'is', null).execute()).map(
      ({ id }) => id,
    );
  const asked = () =>
    day.lnbits.requests
      .filter(({ kind, query }) => kind === 'find' || (kind === 'list' && query.get('tag') === 'aio-dca'))
      .map(({ kind }) => kind);

  test('by the next run that pays, a page at a time', async () => {
    await paid(3);
    expect(await unchecked()).toEqual([1n, 2n, 3n]);
    expect(await again()).toMatchObject({ settled: 1, problems: [] });
    // One list, the newest settled payment, and then the check of the new payment.
    expect(asked()).toEqual(['list', 'find', 'find']);
    expect(await unchecked()).toEqual([4n]);
  });

  test('also behind a page of payments that others made from the same wallet', async () => {
    await paid(2);
    const client = new LnbitsClient({ url: day.lnbits.url }, systemClock);
    const extra = { tag: 'aio-dca', ledger: 'another' };
    const invoice = { sats: 1n, memo: 'elsewhere', expirySeconds: 60, extra };
    const key = new Secret((await walletOf('alice')).invoice_key);
    for (let n = 0; n < 100; n += 1) {
      const { bolt11 } = await client.createInvoice(key, invoice);
      await client.pay(new Secret(day.source.adminkey), { bolt11, extra });
    }
    await client.close();
    await again();
    await day.ledger.db.updateTable('payments').set({ checked_at: null }).execute();
    day.lnbits.clearLog();
    expect(await again()).toMatchObject({ settled: 1, problems: [] });
    expect(await unchecked()).toEqual([4n]);
    expect(asked()).toEqual(['list', 'find', 'list', 'find']);
  });

  test('and one that is not paid any more makes its payout held', async () => {
    await paid(3);
    const hash = sent()[0]?.payment_hash;
    change({ status: 'failed' }, hash);
    expect(await again()).toMatchObject({ settled: 1, held: 1, problems: [] });
    const reason = `LNbits shows the settled payment ${hash} as failed now`;
    const payment = await day.ledger.db
      .selectFrom('payments')
      .selectAll()
      .where('id', '=', 1n)
      .executeTakeFirst();
    expect(payment).toMatchObject({ state: 'unknown', reason, checked_at: null });
    expect((await day.payouts())[0]).toMatchObject({ state: 'held', reason });
    expect(await unchecked()).toEqual([1n, 4n]);
  });

  test('and so does one that is not there, while one whose row has lost its tag is found by its hash', async () => {
    await paid(3);
    const [first, second] = sent().map((row) => row.payment_hash);
    change({ payment_hash: 'f'.repeat(64), tag: null }, first);
    change({ tag: null }, second);
    expect(await again()).toMatchObject({ settled: 1, held: 1 });
    expect((await day.payouts())[0]?.reason).toBe(
      `LNbits shows the settled payment ${first} as not there now`,
    );
    expect(await unchecked()).toEqual([1n, 4n]);
  });
});
