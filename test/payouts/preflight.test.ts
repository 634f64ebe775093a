import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { verifyLedger } from '../../src/ledger/verify/verify.ts';
import { LnbitsClient } from '../../src/lnbits/wallet-client.ts';
import { systemClock } from '../../src/time.ts';
import type { LnbitsVersion } from '../support/lnbits.ts';
import { oweTwo, type Payday, payday } from '../support/payday.ts';

/* What must hold at the source wallet before the first payment of a run. */

describe.each(['1.0.0', '1.6.2'] as LnbitsVersion[])('before a run pays at LNbits %s', (version) => {
  let day: Payday;
  afterEach(async () => {
    expect((await verifyLedger(day.ledger)).differences).toEqual([]);
    await day.stop();
  });

  const onModern = version === '1.0.0' ? () => undefined : test;

  const two = async () => {
    day = await payday({ version });
    return oweTwo(day);
  };

  test('an older ledger that was restored is noticed: LNbits shows a payment it does not know', async () => {
    const { balances } = await two();
    await day.payNow();
    const [row] = day.lnbits.payments(day.source.id).filter((one) => one.amount < 0);
    day.lnbits.change(day.source.id, row?.payment_hash ?? '', { payment_hash: 'f'.repeat(64) });
    await day.owe('alice', 10n);
    const { problems } = await day.payNow();
    expect(problems.map((one) => [one.code, one.kind])).toEqual([['ledger/restored', 'misconfigured']]);
    expect(balances()[0]).toBe(1000n);
  });

  test('also behind a hundred newer payments of another ledger from the same wallet', async () => {
    const { alice, balances } = await two();
    await day.payNow();
    for (const row of day.lnbits.payments(day.source.id).filter((one) => one.amount < 0)) {
      day.lnbits.change(day.source.id, row.payment_hash, {
        payment_hash: row.payment_hash.replace(/^......../, 'ffffffff'),
      });
    }
    const client = new LnbitsClient({ url: day.lnbits.url }, systemClock);
    onTestFinished(() => client.close());
    const extra = { tag: 'aio-dca', ledger: 'another' };
    for (let n = 0; n < 101; n += 1) {
      const invoice = { sats: 1n, memo: 'elsewhere', expirySeconds: 60, extra };
      const { bolt11 } = await client.createInvoice(new Secret(alice.inkey), invoice);
      await client.pay(new Secret(day.source.adminkey), { bolt11, extra });
    }
    await day.owe('bob', 10n);
    expect((await day.payNow()).problems.map((one) => one.code)).toEqual(['ledger/restored']);
    expect(balances()[1]).toBe(2000n);
  });

  test('and if the source wallet was changed, by what the clients received', async () => {
    const { alice, balances } = await two();
    await day.payNow();
    const [received] = day.lnbits.payments(alice.id);
    day.lnbits.change(alice.id, received?.payment_hash ?? '', { payment_hash: 'f'.repeat(64) });
    const other = await day.lnbits.createUserWallet('other');
    await day.lnbits.topUp(other.id, 5000n);
    Object.defineProperty(day.config.lnbits, 'sourceWalletKey', { value: new Secret(other.adminkey) });
    await day.owe('alice', 10n);
    expect((await day.payNow()).problems.map((one) => [one.code, one.kind])).toEqual([
      ['ledger/restored', 'misconfigured'],
    ]);
    expect(balances()[0]).toBe(1000n);
  });

  test('an older LNbits that was restored is noticed: the newest settled payment is not there', async () => {
    const { balances } = await two();
    await day.payNow();
    for (const { payment_hash } of await day.payments()) {
      day.lnbits.change(day.source.id, payment_hash, {
        extra: {},
        tag: null,
        payment_hash: 'e'.repeat(64),
      });
    }
    await day.owe('alice', 10n);
    const { problems } = await day.payNow();
    expect(problems.map((one) => [one.code, one.kind])).toEqual([['lnbits/restored', 'misconfigured']]);
    expect(balances()[0]).toBe(1000n);
  });

  test('a settled payment that is gone at the second look makes its payout held', async () => {
    const { states } = await two();
    await day.payNow();
    const [first] = await day.payments();
    day.lnbits.change(day.source.id, first?.payment_hash ?? '', { status: 'failed' });
    await day.owe('bob', 10n);
    expect(await day.payNow()).toMatchObject({ settled: 1, held: 1 });
    expect(await states()).toEqual(['held', 'settled', 'settled']);
  });

  onModern('another source wallet is refused while payments are open, and taken when none are', async () => {
    const { balances } = await two();
    day.loseEachPost('alice');
    await day.payNow();
    day.lnbits.rules = [];
    const other = await day.lnbits.createUserWallet('other');
    await day.lnbits.topUp(other.id, 5000n);
    const former = day.config.lnbits.sourceWalletKey;
    const use = (value: typeof former) =>
      Object.defineProperty(day.config.lnbits, 'sourceWalletKey', { value });
    use(new Secret(other.adminkey));
    expect((await day.payNow()).problems.map((one) => one.code)).toEqual(['ledger/wallet-differs']);
    use(former);
    await day.payNow();
    await day.owe('alice', 10n);
    use(new Secret(other.adminkey));
    expect(await day.payNow()).toMatchObject({ settled: 1, problems: [] });
    expect(balances()[0]).toBe(1010n);
  });
});
