import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { BridgeError } from '../../src/errors.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import type { Payment } from '../../src/ledger/payouts/payouts.ts';
import { startRun } from '../../src/ledger/runs/lease.ts';
import { openLedger } from '../../src/ledger/store/open.ts';
import type { LnbitsClient, WalletPayment } from '../../src/lnbits/wallet-client.ts';
import type { ClientSide, SourceWalletSide } from '../../src/payouts/destination.ts';
import { LnbitsDestination } from '../../src/payouts/lnbits-destination.ts';
import type { Claim, PayContext } from '../../src/payouts/session.ts';
import { systemClock } from '../../src/time.ts';
import { now } from './clock.ts';

/** What an LNbits was asked about: a payment in the source wallet or the client's, or the client's wallet itself. */
export type Asked = 'source' | 'client' | 'wallet';

/** A run's claim that is never looked for again. */
export const claim: Claim = {
  nonce: 'of the test',
  walletId: 'of the test',
  checked: {
    ...{ monotonic: Number.POSITIVE_INFINITY, date: Number.POSITIVE_INFINITY },
    lnbits: Number.POSITIVE_INFINITY,
  },
};

/** An LNbits that shows one payment as configured, and records its requests. */
export interface FakeLnbits {
  client: LnbitsClient;
  asked: Asked[];
}

export const HOUR = 3_600_000;
const SOURCE = 'source key';
const PROOF = 'proof';

/** A payment of 10 sat to the client's wallet `w`. */
export const payment: Payment = {
  ...{ id: 7n, payout_id: 1n, part: 1n, sats: 10n, attempt: 1n, payment_hash: 'h', bolt11: 'b' },
  ...{ client_wallet_id: 'w', source_wallet_id: 's', state: 'sending', reason: null, run_id: 1n },
  ...{ created_at: now(), sent_at: null, settled_at: null, checked_at: null, fee_msat: 0n },
};

/** `source`: at the first look, and at the second. An error is thrown instead. */
export function fakeLnbits(shown: {
  source: (SourceWalletSide | BridgeError)[];
  client: ClientSide | Partial<WalletPayment> | BridgeError;
  /** Whether a key is shown the payments that it makes; by default unless the client's side is `unseen`. */
  sees?: boolean;
}): FakeLnbits {
  const asked: Asked[] = [];
  const source = [...shown.source];
  const client = {
    // The invoice of a key that has to show that it would have seen a payment.
    createInvoice: async () => ({ hash: PROOF, bolt11: 'p', walletId: payment.client_wallet_id }),
    find: async (key: Secret, hash: string) => {
      if (hash === PROOF) return (shown.sees ?? shown.client !== 'unseen') ? { ...OURS, hash } : null;
      expect(hash).toBe(payment.payment_hash);
      if (key.reveal() === SOURCE) {
        asked.push('source');
        return sourceRow(source.shift());
      }
      asked.push('client');
      return clientRow(shown.client, key);
    },
    wallet: async (key: Secret) => {
      asked.push('wallet');
      clientRow(shown.client, key);
      return { name: 'alice', balanceMsat: 0n, id: null };
    },
  };
  return { client: client as Pick<LnbitsClient, 'createInvoice' | 'find' | 'wallet'> as LnbitsClient, asked };
}

const OURS: WalletPayment = {
  ...{ hash: payment.payment_hash, bolt11: payment.bolt11, walletId: payment.client_wallet_id, tag: null },
  ...{ amountMsat: 10_000n, feeMsat: 0n, status: 'success', extra: {}, memo: null, time: null },
  isServiceFee: false,
};

function sourceRow(shown: SourceWalletSide | BridgeError | undefined): WalletPayment | null {
  if (shown === undefined) throw new Error('the source wallet is looked at more often than expected');
  if (shown instanceof BridgeError) throw shown;
  return shown === 'none' ? null : { ...OURS, walletId: 's', amountMsat: -10_000n, status: shown };
}

function clientRow(
  shown: ClientSide | Partial<WalletPayment> | BridgeError,
  key: Secret,
): WalletPayment | null {
  expect(key.reveal()).toBe('client key');
  if (shown instanceof BridgeError) throw shown;
  if (typeof shown === 'object') return { ...OURS, ...shown };
  if (shown === 'gone') throw new BridgeError('lnbits/key', 'LNbits does not know the key');
  if (shown === 'none' || shown === 'unseen') return null;
  if (shown === 'arrived') return OURS;
  return shown === 'wrong-amount' ? { ...OURS, amountMsat: 0n } : { ...OURS, status: shown };
}

/** A ledger that knows the client's wallet, and a run on it, that began two hours ago and pays by such an LNbits. */
export async function openFake(): Promise<{
  context(lnbits: FakeLnbits): PayContext;
  close(): Promise<void>;
}> {
  const folder = mkdtempSync(join(tmpdir(), 'aio-dca-fake-'));
  const ledger = await openLedger({
    clock: systemClock,
    url: `sqlite:${join(folder, 'ledger.sqlite')}`,
    use: 'create',
  });
  await ledger.db
    .insertInto('wallets')
    .values({ id: payment.client_wallet_id, invoice_key: 'client key', created_at: payment.created_at })
    .execute();
  const run = await startRun(ledger, 'poll', { principal: OPERATOR, actor: 'test' });
  return {
    context: ({ client: lnbits }) => ({
      ...{
        ledger,
        clock: ledger.clock,
        run,
        lnbits,
        destination: new LnbitsDestination(lnbits, new Secret(SOURCE)),
        looksArePure: true,
        fees: new Map<string, bigint>(),
        ceiling: null,
        maximumSats: 10_000_000n,
        signal: new AbortController().signal,
      },
      sourceWallet: { key: new Secret(SOURCE), walletId: payment.source_wallet_id, balanceMsat: 0n },
      ...{ quietMs: HOUR, began: performance.now() - 2 * HOUR, posted: new Map() },
      ...{ claim, answered: new Set(), problems: new Map() },
    }),
    close: async () => {
      await run.finish('ok', null);
      await ledger.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
