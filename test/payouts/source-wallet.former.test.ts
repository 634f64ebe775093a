import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errorInWords } from '../../src/cli/terminal/words.ts';
import { Secret } from '../../src/config/secret.ts';
import { setClient } from '../../src/ledger/clients/changes.ts';
import { accountFor } from '../../src/ledger/credits/source-wallet.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { startRun } from '../../src/ledger/runs/lease.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { bootless, now } from '../support/clock.ts';
import { copyOf, type LedgerCopy } from '../support/ledger-copy.ts';
import { type LnbitsVersion, lnbitsVersions, type SharedKeys, type WalletKeys } from '../support/lnbits.ts';
import { type Payday, payday } from '../support/payday.ts';

/*
 * An older copy of the ledger is restored, and another source wallet is to pay: what the former one paid since is seen
 * in the clients' wallets alone. A wallet that does not show it is not taken for one into which nothing was paid.
 */

let day: Payday;
let old: LedgerCopy;
let alice: WalletKeys;
let bob: WalletKeys;
let shared: SharedKeys | undefined;
let other: WalletKeys;

beforeEach(() => {
  shared = undefined;
});
afterEach(async () => {
  for (const ledger of [day.ledger, old.ledger]) expect((await verifyLedger(ledger)).differences).toEqual([]);
  await old.stop();
  await day.stop();
});

const FELL_OVER = { status: 500, body: { detail: 'Internal Server Error' } };
const who = { principal: OPERATOR, actor: 'test', run: null, clock: bootless };
const hasAlice = () => day.lnbits.balance(alice.id);

/** Alice was paid 1,000 sat, where `before`, and 10 more after the copy was made, in which alice and bob are owed. */
async function begin(version: LnbitsVersion, before: boolean, share = false): Promise<void> {
  day = await payday({ version, funds: 100_000n });
  alice = await day.addClient('alice');
  bob = await day.addClient('bob');
  if (share) {
    shared = await day.lnbits.share(alice, ['view-payments', 'receive-payments']);
    await day.ledger.db
      .updateTable('wallets')
      .set({ invoice_key: shared.inkey })
      .where('id', '=', alice.id)
      .execute();
  }
  if (before) {
    await day.owe('alice', 1000n);
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
  }
  await day.owe('alice', 10n);
  await day.owe('bob', 20n);
  other = await day.lnbits.createUserWallet('other');
  await day.lnbits.topUp(other.id, 50_000n);
  old = await copyOf(day, { sourceKey: other.adminkey });
  day.lnbits.rules = [{ when: { walletId: bob.id }, times: 99, fault: { at: 'before', answer: FELL_OVER } }];
  expect(await day.payNow()).toMatchObject({ settled: 1 });
  day.lnbits.rules = [];
}

const paid = async () => {
  const { problems, settled, held } = await old.payNow();
  return {
    codes: problems.map(({ code }) => code),
    messages: problems.map(({ message }) => message),
    settled,
    held,
  };
};
const release = () =>
  old.ledger.db
    .updateTable('payouts')
    .set({ state: 'planned', reason: null })
    .where('state', '=', 'held')
    .execute();
const set = (wallet: WalletKeys, newWallet = false) =>
  old.ledger.write((trx) =>
    setClient(trx, { ...who, at: now() }, 'alice', {
      limits: [],
      wallet: { id: wallet.id, key: new Secret(wallet.inkey) },
      newWallet,
    }),
  );

describe.each(lnbitsVersions)('at LNbits %s', (version) => {
  describe.each([true, false])('where the copy has paid before: %s', (before) => {
    const received = before ? 1010n : 10n;

    test('a wallet whose keys were reset is not paid; its new key shows what the ledger does not know', async () => {
      await begin(version, before);
      const keys = await day.lnbits.resetKeys(alice.id);
      expect(await paid()).toMatchObject({ settled: 1, held: 1 });
      await set(keys);
      await release();
      expect(await paid()).toMatchObject({ codes: ['ledger/restored'], settled: 0 });
      expect([hasAlice(), day.lnbits.balance(bob.id)]).toEqual([received, 20n]);
    });

    test('a deleted wallet cannot show it: the next one is not paid until the operator has decided', async () => {
      await begin(version, before);
      await day.lnbits.deleteWallet(alice.id);
      expect(await paid()).toMatchObject({ settled: 1, held: 1 });
      const next = await day.lnbits.createUserWallet('next');
      await set(next, true);
      await release();
      for (let runs = 0; runs < 2; runs += 1) {
        const { codes, messages } = await paid();
        expect(codes).toEqual(['payout/wallet-unseen']);
        expect(messages[0]).toMatch(
          /^p\d to alice is deferred: .* in its former wallet [0-9a-f]+: it does not answer to its key$/,
        );
        expect(day.lnbits.balance(next.id)).toBe(0n);
      }
      await old.ledger.write((trx) =>
        accountFor(trx, { ...who, at: now(), reason: 'a person says so' }, other.id),
      );
      expect(await paid()).toMatchObject({ settled: 1, codes: [] });
    });

    test('only the wallet at which LNbits fails waits, and is named with the way out', async () => {
      await begin(version, before);
      const list = { kind: 'list', walletId: alice.id } as const;
      day.lnbits.rules = [{ when: list, times: 99, fault: { at: 'before', answer: FELL_OVER } }];
      const { problems, ...ran } = await old.payNow();
      expect(ran).toMatchObject({ settled: 1, deferred: 1, reached: true });
      const told = problems.map((one) => ({ ...errorInWords(one), code: one.code, kind: one.kind }));
      expect(told).toMatchObject([
        {
          ...{ code: 'payout/wallet-unseen', kind: 'attention' },
          message: expect.stringMatching(
            /alice is deferred: .* in its wallet [0-9a-f]+: LNbits crashes at it$/,
          ),
          hint: expect.stringMatching(
            /aio-dca clients set alice .*--former-wallet-key-file.*--without-former-wallet/,
          ),
        },
      ]);
      day.lnbits.rules = [];
      expect(await paid()).toMatchObject({ codes: ['ledger/restored'], settled: 0 });
      expect(hasAlice()).toBe(received);
    });

    test.runIf(version !== '1.0.0')('a key that may no longer view payments is not used', async () => {
      await begin(version, before, true);
      await shared?.allow(['receive-payments']);
      expect(await paid()).toMatchObject({ settled: 1, held: 1 });
      await release();
      expect(await paid()).toMatchObject({ settled: 0, held: 1 });
      await shared?.allow(['view-payments', 'receive-payments']);
      await release();
      expect(await paid()).toMatchObject({ codes: ['ledger/restored'], settled: 0 });
      expect(hasAlice()).toBe(received);
    });
  });

  test('also where it had paid from that wallet long before', async () => {
    await begin(version, true);
    // From the other wallet, and from the first one again: the copy has payments from both.
    const source = day.config.lnbits.sourceWalletKey;
    const use = (value: Secret) =>
      Object.defineProperty(day.config.lnbits, 'sourceWalletKey', { value, configurable: true });
    await day.payNow();
    for (const key of [new Secret(other.adminkey), source]) {
      use(key);
      await day.owe('alice', 1n);
      expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
    }
    await old.stop();
    await day.owe('alice', 5n);
    old = await copyOf(day, { sourceKey: other.adminkey });
    await day.payNow();
    await day.lnbits.deleteWallet(alice.id);
    await set(await day.lnbits.createUserWallet('next'), true);
    expect((await paid()).codes).toEqual(['payout/wallet-unseen']);
  });

  test('a copy of the middle of a run, too', async () => {
    await begin(version, true);
    await old.stop();
    await day.owe('alice', 7n);
    let copy: LedgerCopy | undefined;
    day.lnbits.onRequest = async ({ kind, walletId }, phase) => {
      if (kind === 'invoice' && phase === 'before' && walletId !== day.source.id)
        copy ??= await copyOf(day, { sourceKey: other.adminkey });
    };
    await day.payNow();
    day.lnbits.onRequest = undefined;
    if (!copy) throw new Error('there was no such moment');
    old = copy;
    const has = hasAlice();
    expect(await paid()).toMatchObject({ codes: ['ledger/restored'], settled: 0 });
    expect(hasAlice()).toBe(has);
  });
});

test('a former wallet that was left before a run of the former source wallet is not asked for', async () => {
  await begin('1.6.2', true);
  await old.stop();
  const { id } = alice;
  const next = await day.lnbits.createUserWallet('next');
  const wallet = { id: next.id, key: new Secret(next.inkey) };
  await day.ledger.write((trx) =>
    setClient(trx, { ...who, at: now() }, 'alice', { limits: [], wallet, newWallet: true }),
  );
  await day.owe('alice', 1n);
  await day.payNow();
  await day.lnbits.deleteWallet(id);
  await day.owe('alice', 2n);
  old = await copyOf(day, { sourceKey: other.adminkey });
  expect(await paid()).toMatchObject({ codes: [], settled: 1 });
  const run = await startRun(old.ledger, 'poll', { principal: OPERATOR, actor: 'test' });
  await run.finish('ok', null);
});
