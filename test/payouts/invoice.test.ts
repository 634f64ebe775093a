import { expect, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { addCommission } from '../../src/ledger/commission/commission.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { bootless, now } from '../support/clock.ts';
import { claim } from '../support/fake-lnbits.ts';
import { balance, day, fails, owing, payments, reasons, run, states, walletOf } from '../support/one-run.ts';

/* Making an invoice in the client's wallet: its text, its record, and when none is made. */

test('both sides say whose it is and for which cash-outs, and the invoice lasts for a day', async () => {
  await owing({ alice: 1_000n }, { payouts: 'maximum_sats = 600' });
  await run();
  const [cashOut] = await day.ledger.db.selectFrom('cash_outs').select('id').execute();
  const [first, second] = day.lnbits.payments(walletOf('alice'));
  const both = {
    ...{ tag: 'aio-dca', ledger: day.ledger.id, payout: 'p1', client: 'alice', fiat: '100.00' },
    ...{ currency: 'USD', cash_outs: [cashOut?.id], cash_outs_count: 1 },
  };
  const seal = expect.stringMatching(/^[0-9a-f]{64}$/);
  const sealed = { ...both, claim: claim.nonce, seal };
  expect(first?.extra).toEqual({ ...sealed, seq: 1, part: 1, sats: 600 });
  expect(second?.extra).toEqual({ ...sealed, seq: 2, part: 2, sats: 400 });
  expect([first?.memo, second?.memo]).toEqual([
    '600 of 1,000 sat for 100.00 USD of your cash (payout p1), 9,900.00 USD left',
    '400 of 1,000 sat for 100.00 USD of your cash (payout p1), 9,900.00 USD left',
  ]);
  const spent = day.lnbits.payments(day.source.id).filter((row) => row.amount < 0);
  expect(spent.map((row) => row.extra)).toEqual([
    { ...first?.extra, seal },
    { ...second?.extra, seal },
  ]);
  // What a client reads in a wallet says nothing about the wallet that pays, nor about another payment.
  const seals = [first, second, ...spent].map((row) => row?.extra.seal);
  expect(new Set(seals).size).toBe(4);
  const lasts = Date.parse(first?.expiry ?? '') - Date.parse(first?.time ?? '');
  expect(Math.round(lasts / 1_000)).toBe(86_400);
});

test('of the commission, too', async () => {
  await owing({ alice: 1_000n });
  const wallet = await day.lnbits.createUserWallet('owner');
  const recipient = { name: 'owner', weight: 1n, machine: null };
  await day.ledger.write((trx) =>
    addCommission(
      trx,
      { principal: OPERATOR, actor: 'test', run: null, clock: bootless, at: '2026-01-01T00:00:00.000000Z' },
      { ...recipient, wallet: { id: wallet.id, key: new Secret(wallet.inkey) } },
    ),
  );
  await day.owe('alice', 10n, 7n);
  await run();
  expect(day.lnbits.payments(wallet.id)).toMatchObject([
    { memo: '7 sat for commission (payout p2)', extra: { payout: 'p2', client: 'owner', fiat: '0.00' } },
  ]);
});

test('it is kept before anything can be sent on it', async () => {
  await owing({ alice: 1_000n });
  await run();
  const [row] = day.lnbits.payments(walletOf('alice'));
  expect(await day.ledger.db.selectFrom('payments').selectAll().execute()).toMatchObject([
    {
      ...{ id: 1n, payout_id: 1n, part: 1n, sats: 1_000n, attempt: 1n, run_id: 1n, state: 'settled' },
      ...{ payment_hash: row?.payment_hash, bolt11: row?.bolt11 },
      ...{ client_wallet_id: walletOf('alice'), source_wallet_id: day.source.id },
    },
  ]);
});

test('none is made for more than the balance', async () => {
  await owing({ alice: 1_500n, bob: 1_000n }, { funds: 1_499n });
  const { asked, problems, messages } = await run();
  expect(asked).toEqual(['invoice', 'pay', 'find']);
  expect(await states()).toEqual({ alice: 'deferred', bob: 'settled' });
  expect((await reasons()).alice).toBe(
    'the source wallet held 1,499 sat when it was tried, less than the 1,500 sat due',
  );
  // What is left when the run is over.
  expect(problems).toEqual(['lnbits/balance']);
  expect(messages).toEqual(['the source wallet holds 499 sat now; 1,500 sat are due: 1,001 sat are missing']);
});

test('where LNbits refuses it, the payout is deferred, and every other one has its turn', async () => {
  await owing({ alice: 10n, bob: 20n, carol: 30n });
  const answer = { status: 520, body: { detail: 'No more invoices.', status: 'failed' } };
  day.lnbits.rules = [fails({ kind: 'invoice' }, { at: 'before', answer }, 2)];
  const refused = ['lnbits/refused', 'lnbits/refused'];
  const { messages, ...ran } = await run();
  expect(ran).toMatchObject({ settled: 1, stopped: false, problems: refused });
  expect(messages).toEqual([
    expect.stringMatching(/^p1 to alice is deferred: .*No more invoices\.$/),
    expect.stringMatching(/^p2 to bob is deferred: .*No more invoices\.$/),
  ]);
  expect(await states()).toEqual({ alice: 'deferred', bob: 'deferred', carol: 'settled' });
  expect((await reasons()).alice).toContain('No more invoices.');
});

test("where the key of the client's wallet is unknown, the payout is held", async () => {
  await owing({ alice: 10n, bob: 20n });
  await day.lnbits.deleteWallet(walletOf('alice'));
  expect(await run()).toMatchObject({ settled: 1, stopped: false, problems: [] });
  expect(await states()).toEqual({ alice: 'held', bob: 'settled' });
  expect((await reasons()).alice).toBe("the client's wallet does not answer to its key any more");
});

test('by a key that leads to another wallet nothing is paid', async () => {
  await owing({ alice: 10n, bob: 20n });
  const { inkey } = await day.lnbits.createUserWallet('carol');
  const { db } = day.ledger;
  await db.updateTable('wallets').set({ invoice_key: inkey }).where('id', '=', walletOf('alice')).execute();
  expect(await run()).toMatchObject({ settled: 1, problems: [] });
  expect(await states()).toEqual({ alice: 'held', bob: 'settled' });
  expect((await reasons()).alice).toBe('the key of the client now belongs to another wallet');
  expect(await payments()).toHaveLength(1);
});

test('nor to the wallet that a source key onto a shared one pays from', async () => {
  await owing({ alice: 10n, bob: 20n });
  const ran = await run((ctx) => {
    ctx.claim = { ...claim, walletId: walletOf('alice') };
  });
  expect(ran).toMatchObject({ settled: 1, problems: [] });
  expect(await reasons()).toEqual({ alice: "the client's wallet is the source wallet", bob: null });
  expect([balance('alice'), balance('bob'), (await payments()).length]).toEqual([0n, 20n, 1]);
});

test('to the source wallet itself nothing is paid', async () => {
  await owing({ alice: 10n, bob: 20n });
  const { db } = day.ledger;
  const { id, inkey } = day.source;
  await db.insertInto('wallets').values({ id, invoice_key: inkey, created_at: now() }).execute();
  const paidInto = (wallet: string) =>
    db.updateTable('recipients').set({ wallet_id: wallet }).where('name', '=', 'alice').execute();
  await paidInto(id);
  expect(await run()).toMatchObject({ settled: 1, problems: [] });
  expect((await reasons()).alice).toBe("the client's wallet is the source wallet");
  expect(balance('bob')).toBe(20n);
  expect(await payments()).toHaveLength(1);
  // `verify` would not leave that out either.
  await paidInto(walletOf('alice'));
});
