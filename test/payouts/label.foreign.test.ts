import { afterEach, describe, expect, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { setClient } from '../../src/ledger/clients/changes.ts';
import { OPERATOR } from '../../src/ledger/log/log.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { findLost } from '../../src/operations/unknown-payments.ts';
import { openSourceWallet } from '../../src/payouts/session.ts';
import { Findings } from '../../src/reconcile/findings.ts';
import { reconcileLnbits } from '../../src/reconcile/lnbits.ts';
import { systemClock } from '../../src/time.ts';
import { bootless, now } from '../support/clock.ts';
import { copyOf } from '../support/ledger-copy.ts';
import { type LnbitsVersion, lnbitsVersions, type WalletKeys } from '../support/lnbits.ts';
import type { Rule } from '../support/lnbits-simulator.ts';
import { oweTwo, type Payday, payday } from '../support/payday.ts';

/*
 * A client controls the content of the client's own wallet, so it stops no payment. A payment of another copy of the
 * ledger does.
 */

let day: Payday;
afterEach(async () => {
  expect((await verifyLedger(day.ledger)).differences).toEqual([]);
  await day.stop();
});

type Extra = Record<string, unknown>;

const post = async (key: string, body: object) => {
  const answer = await fetch(`${day.lnbits.url}/api/v1/payments`, {
    method: 'POST',
    headers: { 'X-Api-Key': key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as { bolt11: string; payment_hash: string };
};

/** A client makes an invoice in the client's own wallet, and pays it from a second wallet, the purse. */
async function payFromPurse(wallet: WalletKeys, extra: Extra, sats = 1): Promise<void> {
  const purse = await day.lnbits.createUserWallet('purse');
  await day.lnbits.topUp(purse.id, BigInt(sats));
  const invoice = { out: false, internal: true, unit: 'sat', amount: sats, memo: 'mine', extra };
  const { bolt11 } = await post(wallet.inkey, invoice);
  await post(purse.adminkey, { out: true, bolt11, extra });
}

const received = (wallet: WalletKeys) => day.lnbits.payments(wallet.id)[0]?.extra ?? {};
const codes = ({ problems }: { problems: { code: string }[] }) => problems.map(({ code }) => code);

/** From now on another wallet pays. */
async function another(): Promise<void> {
  const wallet = await day.lnbits.createUserWallet('other');
  await day.lnbits.topUp(wallet.id, 50_000n);
  const value = new Secret(wallet.adminkey);
  Object.defineProperty(day.config.lnbits, 'sourceWalletKey', { value, configurable: true });
}

async function reconciled() {
  const findings = new Findings();
  const wallet = await openSourceWallet(day.config.lnbits, day.config.lnbits.sourceWalletKey, systemClock);
  await reconcileLnbits(day.ledger, wallet, { from: null, before: null }, findings);
  await wallet.lnbits.close();
  return {
    codes: findings.differences.map(({ code }) => code),
    others: findings.differences.map(({ other }) => other),
    checked: findings.checked,
    foreign: new Map(Object.entries(findings.checked)).get('foreign_labels') ?? 0n,
  };
}

const FELL_OVER = { status: 500, body: { detail: 'Internal Server Error' } };

/** What a client can forge from the label of a payment that really arrived. */
const LABELS: [string, (real: Extra, other: Extra) => Extra][] = [
  [
    'the ledger and little else',
    ({ ledger }) => ({ tag: 'aio-dca', ledger, payout: 'p99', client: 'alice' }),
  ],
  ['a copy of a label, seal and all', (real) => real],
  ['a copy with another payout', (real) => ({ ...real, payout: 'p2', seq: 99 })],
  ["a copy of another client's", (_, other) => other],
  ['numbers for texts', (real) => ({ ...real, seal: 1, claim: 2, payout: 3, client: 4 })],
  ['texts for numbers', (real) => ({ ...real, part: '1', seq: '1', sats: '1' })],
  [
    'lists, nothing and objects',
    (real) => ({ ...real, seal: [real.seal], claim: null, payout: {}, part: [] }),
  ],
  ['numbers that nothing can be', (real) => ({ ...real, part: -1, seq: 1e300, sats: 0.5 })],
  ['an invented seal', (real) => ({ ...real, claim: 'f'.repeat(32), seal: 'f'.repeat(64) })],
  [
    'a claim',
    (real) => ({ ...real, tag: 'aio-dca-run', nonce: 'f'.repeat(32), withdrawn: false, place: 'x' }),
  ],
  ['a great deal', (real) => ({ ...real, seal: 'x'.repeat(40_000), cash_outs: Array(5_000).fill('x') })],
];

describe.each(lnbitsVersions)('a label of a client at LNbits %s', (version) => {
  const begin = async () => {
    day = await payday({ version, funds: 100_000n });
    const two = await oweTwo(day);
    await day.payNow();
    return two;
  };

  test.each(LABELS)('%s: stops no payment, also by another wallet, and accuses nobody', async (_, forge) => {
    const { alice, bob } = await begin();
    const label = forge(received(alice), received(bob));
    await payFromPurse(alice, label, 1000);
    await payFromPurse(alice, label, 1);
    await day.owe('alice', 10n);
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
    expect(await reconciled()).toMatchObject({ codes: [], foreign: label.tag === 'aio-dca' ? 2n : 0n });
    await another();
    await day.owe('alice', 10n);
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
    const before = { lost: [], paid: new Set<string>(), misfits: [], claims: [], foreign: 0 };
    const wallet = await openSourceWallet(day.config.lnbits, day.config.lnbits.sourceWalletKey, systemClock);
    await findLost(day, wallet, before, false);
    await wallet.lnbits.close();
    expect(before).toMatchObject({ lost: [], misfits: [], claims: [], foreign: 0 });
  });

  test('an invoice that the bridge made and did not keep is not its payment, when the client pays it', async () => {
    const { alice } = await begin();
    await day.owe('alice', 10n);
    day.lnbits.rules = [
      { when: { kind: 'invoice', walletId: alice.id }, fault: { at: 'after', do: 'reset' } },
    ];
    expect(codes(await day.payNow())).toEqual(['lnbits/unreachable']);
    const orphan = day.lnbits.payments(alice.id).at(-1);
    const purse = await day.lnbits.createUserWallet('purse');
    await day.lnbits.topUp(purse.id, 10n);
    if (version === '1.6.2') await post(purse.adminkey, { out: true, bolt11: orphan?.bolt11, extra: {} });
    await another();
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
  });

  test('nor is one in a former wallet, or one whose number was used again, taken for another copy', async () => {
    const { alice } = await begin();
    await day.owe('alice', 10n);
    const lost: Rule = { when: { kind: 'invoice', walletId: alice.id }, fault: { at: 'after', do: 'reset' } };
    day.lnbits.rules = [lost];
    expect(codes(await day.payNow())).toEqual(['lnbits/unreachable']);
    const orphan = day.lnbits.payments(alice.id).at(-1);
    // Its number is that of the payment into the client's next wallet.
    const next = await day.lnbits.createUserWallet('next');
    const wallet = { id: next.id, key: new Secret(next.inkey) };
    const who = { principal: OPERATOR, actor: 'test', run: null, clock: bootless };
    await day.ledger.write((trx) =>
      setClient(trx, { ...who, at: now() }, 'alice', { limits: [], wallet, newWallet: true }),
    );
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
    day.lnbits.change(alice.id, orphan?.payment_hash ?? '', { status: 'success' });
    await another();
    await day.owe('alice', 10n);
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
    // And with the same wallet; there it expired, and LNbits deleted what was made instead.
    await day.owe('alice', 10n);
    day.lnbits.rules = [{ ...lost, times: 1, when: { kind: 'invoice', walletId: next.id } }];
    expect(codes(await day.payNow())).toEqual(['lnbits/unreachable']);
    const second = day.lnbits.payments(next.id).at(-1);
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
    day.lnbits.change(next.id, second?.payment_hash ?? '', { status: 'success' });
    await another();
    await day.owe('alice', 10n);
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
  });

  test('thousands of them are read, and no more', async () => {
    const { alice } = await begin();
    const { claim: _, ...label } = received(alice);
    const at = day.lnbits.payments(alice.id)[0];
    if (!at) throw new Error('alice was not paid');
    for (let n = 0; n < 3_000; n += 1)
      day.lnbits.add({ ...at, payment_hash: n.toString(16).padStart(64, '0'), extra: label });
    expect(await reconciled()).toMatchObject({ codes: [], foreign: 3_000n });
    await another();
    await day.owe('alice', 10n);
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
  });

  test('a hundred labels of 60 KB each are read', async () => {
    const { alice } = await begin();
    const { claim: _, ...label } = received(alice);
    const at = day.lnbits.payments(alice.id)[0];
    if (!at) throw new Error('alice was not paid');
    for (let n = 0; n < 100; n += 1) {
      const extra = { ...label, more: 'x'.repeat(60_000) };
      day.lnbits.add({ ...at, payment_hash: n.toString(16).padStart(64, '0'), extra });
    }
    expect(await reconciled()).toMatchObject({ codes: [], foreign: 100n });
    await another();
    await day.owe('alice', 10n);
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
  });

  test.each([
    ['falls over at it', FELL_OVER, 'LNbits crashes at it'],
    ['shows more than can be read', { status: 200, body: 'x'.repeat(5_100_000) }, 'it contains more'],
  ])('reconcile goes on with the other wallets where LNbits %s, and names it', async (_, answer, why) => {
    const { alice } = await begin();
    // At the list, and at the look-up of one payment that the list did not have.
    for (const kind of ['list', 'find'] as const) {
      day.lnbits.rules = [{ when: { kind, walletId: alice.id }, times: 99, fault: { at: 'before', answer } }];
      if (kind === 'find') {
        const [row] = day.lnbits.payments(alice.id);
        day.lnbits.change(alice.id, row?.payment_hash ?? '', { tag: 'other' });
      }
      const { codes, others, checked } = await reconciled();
      expect([codes, checked.wallets, checked.payments]).toEqual([['wallet/unreadable'], 2n, 2n]);
      expect(others[0]).toContain(why);
    }
    // LNbits itself: nothing is known.
    day.lnbits.rules = [{ when: {}, times: 99, fault: { at: 'before', answer: FELL_OVER } }];
    await expect(reconciled()).rejects.toMatchObject({ code: 'lnbits/unreachable' });
    day.lnbits.rules = [];
  });

  test('what another copy of the ledger paid is found by its seal, also where another wallet is to pay', async () => {
    const { balances } = await begin();
    await day.owe('alice', 10n);
    const other = await day.lnbits.createUserWallet('other');
    await day.lnbits.topUp(other.id, 50_000n);
    const old = await copyOf(day, { sourceKey: other.adminkey });
    await day.payNow();
    expect(codes(await old.payNow())).toEqual(['ledger/restored']);
    await old.stop();
    expect(balances()).toEqual([1010n, 2000n]);
  });
});

describe('a ledger that is older than its seals', () => {
  const before = async (version: LnbitsVersion) => {
    day = await payday({ version, funds: 100_000n });
    const two = await oweTwo(day);
    await day.payNow();
    // As it was paid before there were seals: neither in the wallets nor in the ledger.
    for (const { wallet, row } of rows(two))
      day.lnbits.change(wallet, row.payment_hash, { extra: unsealed(row.extra) });
    for (const { payment_hash } of day.lnbits
      .payments(day.source.id)
      .filter(({ tag }) => tag === 'aio-dca-run'))
      day.lnbits.change(day.source.id, payment_hash, { tag: null, extra: {} });
    await day.ledger.db.deleteFrom('claims').execute();
    await day.ledger.db.updateTable('ledger').set({ all_sealed: 0n }).execute();
    Object.assign(day.ledger.seals, { all: false });
    return two;
  };
  const rows = ({ alice, bob }: { alice: WalletKeys; bob: WalletKeys }) =>
    [alice.id, bob.id, day.source.id].flatMap((wallet) =>
      day.lnbits
        .payments(wallet)
        .filter(({ tag }) => tag === 'aio-dca')
        .map((row) => ({ wallet, row })),
    );
  const unsealed = ({ seal: _, claim: __, ...label }: Extra) => label;

  test.each(lnbitsVersions)('goes on at LNbits %s: what it knows by its hash is its own', async (version) => {
    const { alice, balances } = await before(version);
    await payFromPurse(alice, unsealed(received(alice)));
    await day.owe('alice', 10n);
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
    expect((await reconciled()).codes).toEqual([]);
    await another();
    await day.owe('alice', 10n);
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
    expect(balances()).toEqual([1021n, 2000n]);
  });

  test.each(lnbitsVersions)(
    'restored from before, with another secret, it finds what was paid since, at LNbits %s',
    async (version) => {
      day = await payday({ version, funds: 100_000n });
      const { balances } = await oweTwo(day);
      const old = await copyOf(day);
      // The backup gets a secret of its own when it is upgraded.
      Object.assign(old.ledger.seals, { all: false, secret: new Secret('a'.repeat(64)) });
      await day.payNow();
      expect(codes(await old.payNow())).toEqual(['ledger/in-use-elsewhere']);
      // Also where a version before the seals paid it, or another wallet is to pay.
      for (const { payment_hash } of day.lnbits
        .payments(day.source.id)
        .filter(({ tag }) => tag === 'aio-dca-run'))
        day.lnbits.change(day.source.id, payment_hash, { tag: null, extra: {} });
      expect(codes(await old.payNow())).toEqual(['ledger/restored']);
      await old.stop();
      expect(balances()).toEqual([1000n, 2000n]);
    },
  );

  test.each(lnbitsVersions)(
    'and by what the clients received, where another wallet is to pay at LNbits %s',
    async (version) => {
      day = await payday({ version, funds: 100_000n });
      const { balances } = await oweTwo(day);
      const other = await day.lnbits.createUserWallet('other');
      await day.lnbits.topUp(other.id, 50_000n);
      const old = await copyOf(day, { sourceKey: other.adminkey });
      Object.assign(old.ledger.seals, { all: false, secret: new Secret('a'.repeat(64)) });
      await day.payNow();
      expect(codes(await old.payNow())).toEqual(['ledger/restored']);
      await old.stop();
      expect(balances()).toEqual([1000n, 2000n]);
    },
  );
});
