import { expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { BridgeError } from '../../src/errors.ts';
import { accountFor } from '../../src/ledger/credits/source-wallet.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { openPayouts } from '../../src/ledger/payouts/open-payouts.ts';
import { addPayment, nextPayment, sendPayment } from '../../src/ledger/payouts/payouts.ts';
import { startRun } from '../../src/ledger/runs/lease.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import type { WalletKey } from '../../src/ledger/wallets/wallets.ts';
import type { LnbitsClient } from '../../src/lnbits/wallet-client.ts';
import { decide } from '../../src/payouts/decide.ts';
import type {
  ClientSide,
  Debit,
  Destination,
  Invoice,
  InvoiceRequest,
  SourceWalletSide,
} from '../../src/payouts/destination.ts';
import { payAll } from '../../src/payouts/pay.ts';
import { isQuiet, type PayContext } from '../../src/payouts/session.ts';
import { plus } from '../../src/time.ts';
import { books } from '../support/books.ts';
import { bootless, testClock } from '../support/clock.ts';
import { claim, HOUR } from '../support/fake-lnbits.ts';
import { freshLedger } from '../support/ledgers.ts';

/* The steps of payments at a destination in memory: nothing of them needs LNbits. */

const SOURCE = 'source wallet';
const SOURCES: SourceWalletSide[] = ['success', 'pending', 'failed', 'none'];
const CLIENTS: ClientSide[] = ['arrived', 'pending', 'failed', 'wrong-amount', 'none', 'unseen', 'gone'];

/** A payment as both of its wallets show it, and how often it was sent. */
interface Shown {
  walletId: string;
  source: SourceWalletSide;
  client: ClientSide;
  posts: number;
}

/** A destination without an LNbits. Tests read and change what its wallets show of each payment, by hash. */
class MemoryDestination implements Destination {
  readonly payments = new Map<string, Shown>();
  /** So many answers to a payment are lost after it took effect. */
  lost = 0;

  /** The wallet of `key` is `wallet of KEY`. */
  async invoice(key: Secret, _request: InvoiceRequest): Promise<Invoice> {
    const hash = `hash ${this.payments.size + 1}`;
    const walletId = `wallet of ${key.reveal()}`;
    this.payments.set(hash, { walletId, source: 'none', client: 'pending', posts: 0 });
    return { hash, bolt11: hash, walletId };
  }

  async shows(_key: Secret, hash: string): Promise<boolean> {
    return this.payments.has(hash);
  }

  async pay({ bolt11 }: { bolt11: string }): Promise<Debit> {
    const payment = this.#payment(bolt11);
    payment.posts += 1;
    if (payment.client !== 'pending') throw new BridgeError('lnbits/refused', `it is ${payment.client}`);
    Object.assign(payment, { source: 'success', client: 'arrived' });
    if (this.lost === 0) return { status: 'success', feeMsat: 0n };
    this.lost -= 1;
    throw new BridgeError('lnbits/unreachable', 'the answer is lost');
  }

  async sourceWalletSide(hash: string): Promise<Debit | null> {
    const { source } = this.#payment(hash);
    return source === 'none' ? null : { status: source, feeMsat: 0n };
  }

  async clientSide(_wallet: WalletKey, { payment_hash }: { payment_hash: string }): Promise<ClientSide> {
    return this.#payment(payment_hash).client;
  }

  async answers(key: Secret): Promise<boolean> {
    const its = [...this.payments.values()].filter(
      ({ walletId }) => walletId === `wallet of ${key.reveal()}`,
    );
    return its.every(({ client }) => client !== 'gone');
  }

  #payment(hash: string): Shown {
    const payment = this.payments.get(hash);
    if (!payment) throw new Error(`nobody made an invoice ${hash}`);
    return payment;
  }
}

/** A run in which each of these clients is due 1,000 sat. */
async function owing(names: string[]): Promise<{ ctx: PayContext; destination: MemoryDestination }> {
  const ledger = await freshLedger('sqlite');
  const clock = testClock();
  const at = plus(clock.now(), -3 * HOUR);
  const book = await books(ledger);
  for (const name of names) {
    await book.client(name, { mode: 'flow' }, at);
    await book.cash(name, 1, at);
  }
  await book.cashOut(names.length, plus(at, 1));
  await book.pay(plus(at, 2));
  await ledger.db.updateTable('ledger').set({ source_wallet_id: SOURCE }).execute();
  await ledger.write((trx) =>
    accountFor(trx, { principal: OPERATOR, actor: 'test', run: null, clock: bootless, at }, SOURCE),
  );
  const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'test' });
  onTestFinished(() => run.finish('ok', null));
  const destination = new MemoryDestination();
  const ctx: PayContext = {
    ...{ ledger, clock, run, destination, claim, ceiling: null, maximumSats: 10_000_000n },
    // Asked only for its clock.
    lnbits: { clock: 0 } as LnbitsClient,
    sourceWallet: { key: new Secret('unused'), walletId: SOURCE, balanceMsat: 1_000_000_000n },
    ...{ looksArePure: false, fees: new Map(), answered: new Set(), problems: new Map() },
    ...{ quietMs: HOUR, began: clock.monotonic() - 2 * HOUR, posted: new Map() },
    signal: new AbortController().signal,
  };
  return { ctx, destination };
}

const paymentsOf = ({ ledger }: PayContext, payout: bigint) =>
  ledger.db.selectFrom('payments').selectAll().where('payout_id', '=', payout).orderBy('id').execute();

test('whatever both sides show of a payment that was sent, it is paid once or the operator decides', async () => {
  const rows = CLIENTS.flatMap((client) => SOURCES.map((source) => ({ client, source })));
  const { ctx, destination } = await owing(rows.map((_, at) => `client-${at}`));
  const payouts = await openPayouts(ctx.ledger.db);
  expect(payouts).toHaveLength(rows.length);
  const sentAt = plus(ctx.clock.now(), -2 * HOUR);
  for (const [at, { id: payout, recipient, sats }] of payouts.entries()) {
    const { hash, bolt11, walletId } = await destination.invoice(new Secret(recipient.name), {
      ...{ sats, memo: '', expirySeconds: 0, extra: {} },
    });
    const id = await nextPayment(ctx.ledger.db);
    await ctx.run.write(async (trx) => {
      const of = { id, payout, part: 1n, sats, hash, bolt11, clientWallet: walletId };
      const made = await addPayment(trx, { ...of, sourceWallet: SOURCE, run: ctx.run.id }, sentAt);
      await sendPayment(trx, { ...ctx.run.who, at: sentAt }, made);
    });
    Object.assign(destination.payments.get(hash) ?? {}, rows[at]);
  }
  expect(isQuiet(ctx, sentAt)).toBe(true);

  await payAll(ctx);

  const ends = { settle: 'settled', send: 'settled', abandon: 'dead', hold: 'unknown', wait: 'unknown' };
  for (const [at, payout] of payouts.entries()) {
    const { client, source } = rows[at] ?? expect.fail();
    const decision = decide(client, source, true);
    const [first, second] = await paymentsOf(ctx, payout.id);
    const { state } = await ctx.ledger.db
      .selectFrom('payouts')
      .select('state')
      .where('id', '=', payout.id)
      .executeTakeFirstOrThrow();
    const posts = (hash = '') => destination.payments.get(hash)?.posts;
    expect({ first: first?.state, second: second?.state, payout: state }, `${client}, ${source}`).toEqual({
      first: ends[decision.do],
      second: decision.do === 'abandon' ? 'settled' : undefined,
      payout: { hold: 'held', wait: 'unknown' }[decision.do as string] ?? 'settled',
    });
    expect(posts(first?.payment_hash), `${client}, ${source}`).toBe(decision.do === 'send' ? 1 : 0);
    if (second) expect(posts(second.payment_hash)).toBe(1);
  }
  expect([...ctx.problems.keys()]).toEqual([]);
  expect((await verifyLedger(ctx.ledger)).differences).toEqual([]);
});

test('a payment whose answer is lost is settled by what the wallets show after the quiet time, and sent once', async () => {
  const { ctx, destination } = await owing(['alice']);
  destination.lost = 1;
  expect(await payAll(ctx)).toMatchObject({ settled: 1, satsSettled: 1_000n });
  expect([...destination.payments.values()]).toEqual([
    { walletId: 'wallet of alice', source: 'success', client: 'arrived', posts: 1 },
  ]);
});
