import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { proveRights, seesPayments } from '../../src/lnbits/rights.ts';
import { LnbitsClient } from '../../src/lnbits/wallet-client.ts';
import { systemClock } from '../../src/time.ts';
import type { Lnbits, WalletKeys } from '../support/lnbits.ts';
import { forEachLnbits } from '../support/lnbits-real.ts';

/** 100 sat, made by another LNbits. */
const FOREIGN_BOLT11 =
  'lnbc1u1p4szmtgdqydp5sxqzpusp52f2ef6j8flnypum6mgxwwm0ez7q4pwddtuj83ldnd8tdefa6sz4spp5kzdjg2c6ae0j40cys8r8pt95h0t2reepmnmpp8ekv4tx7fvff92qf6qg4elw805dug2uesmh5m87s0ykeswf5yqpeqr5h3nvrdrs3ru36ehq2p8p5ueffetlrrlkqc938jcgfjlg3qegnec2vlxrm8chqmqqn3jjad';
const EXTRA = { tag: 'aio-dca', payout: 'p1', cash_outs: ['a', 'b'], sats: 100n };

forEachLnbits(contract);

/**
 * What the bridge relies on, the same on every LNbits: the calls, and each answer that can be provoked from outside.
 */
function contract(name: string, available: boolean, start: () => Promise<Lnbits>): void {
  describe.skipIf(!available)(name, () => {
    let lnbits: Lnbits;
    let client: LnbitsClient;
    let source: Wallet;

    beforeAll(async () => {
      lnbits = await start();
      client = new LnbitsClient({ url: lnbits.url }, systemClock);
      source = await wallet('source', 10_000n);
    });
    afterAll(async () => {
      await client.close();
      await lnbits.stop();
    });

    interface Wallet {
      id: string;
      admin: Secret;
      invoice: Secret;
    }
    const secrets = ({ id, adminkey, inkey }: WalletKeys): Wallet => {
      return { id, admin: new Secret(adminkey), invoice: new Secret(inkey) };
    };
    const wallet = async (title: string, sats = 0n) => {
      const keys = await lnbits.createUserWallet(title);
      if (sats > 0n) await lnbits.topUp(keys.id, sats);
      return secrets(keys);
    };
    const invoiceFor = (to: Wallet, sats = 100n) =>
      client.createInvoice(to.invoice, {
        sats,
        memo: 'Sats for 5.00 GTQ ☕',
        expirySeconds: 3600,
        extra: EXTRA,
      });
    const pay = (from: Wallet, bolt11: string) => client.pay(from.admin, { bolt11, extra: EXTRA });
    const balanceOf = async (of: Wallet) => (await client.wallet(of.invoice)).balanceMsat / 1000n;
    const refusal = (code: string, message: RegExp) => ({ code, message: expect.stringMatching(message) });

    test('tells its version', async () => {
      expect(await client.version()).toBe(lnbits.version);
    });

    test('shows a wallet its balance, and its id to the admin key only', async () => {
      const alice = await wallet('Alice', 21n);
      expect(await client.wallet(alice.admin)).toEqual({ name: 'Alice', balanceMsat: 21_000n, id: alice.id });
      expect(await client.wallet(alice.invoice)).toEqual({ name: 'Alice', balanceMsat: 21_000n, id: null });
    });

    test('pays an invoice, and shows it on both sides', async () => {
      const alice = await wallet('Alice');
      const { hash, bolt11, walletId } = await invoiceFor(alice);
      expect(walletId).toBe(alice.id);

      const said = await pay(source, bolt11);
      const seen = {
        hash,
        bolt11,
        status: 'success',
        feeMsat: 0n,
        isServiceFee: false,
        tag: 'aio-dca',
        memo: 'Sats for 5.00 GTQ ☕',
      };
      const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      const extra = expect.objectContaining({ ...EXTRA, sats: 100 });
      expect(said).toEqual({ ...seen, walletId: source.id, amountMsat: -100_000n, time, extra });
      expect(await client.find(source.invoice, hash)).toEqual(said);
      expect(await client.find(alice.invoice, hash)).toEqual({
        ...said,
        walletId: alice.id,
        amountMsat: 100_000n,
        time,
      });
      expect(await balanceOf(alice)).toBe(100n);
    });

    test('shows no row of a payment that the wallet has no part in', async () => {
      const { hash } = await invoiceFor(await wallet('Alice'));
      expect(await client.find(source.admin, hash)).toBeNull();
    });

    test('a look-up of an unpaid invoice kills it in 1.0, and only reads in 1.6', async () => {
      const alice = await wallet('Alice');
      const { hash, bolt11 } = await invoiceFor(alice);
      await client.find(alice.invoice, hash);
      const status = (await client.find(alice.invoice, hash))?.status;
      expect(status).toBe(lnbits.version === '1.0.0' ? 'failed' : 'pending');
      if (status === 'pending') expect(await pay(source, bolt11)).toMatchObject({ status: 'success' });
      else await expect(pay(source, bolt11)).rejects.toMatchObject(refusal('lnbits/refused', /failed node/));
    });

    test('anybody who asks for an unpaid invoice by its hash alone kills it in 1.6, and not in 1.0', async () => {
      const alice = await wallet('Alice');
      const { hash, bolt11 } = await invoiceFor(alice);
      const answer = await fetch(`${lnbits.url}/api/v1/payments/${hash}`);
      expect(await answer.json()).toMatchObject({ paid: false });
      if (lnbits.version === '1.0.0') expect(await pay(source, bolt11)).toMatchObject({ status: 'success' });
      else await expect(pay(source, bolt11)).rejects.toMatchObject(refusal('lnbits/refused', /failed node/));
    });

    test('pages through the payments of a tag, newest first', async () => {
      const alice = await wallet('Alice');
      const payer = await wallet('payer', 1000n);
      const hashes: string[] = [];
      for (const sats of [1n, 2n, 3n]) {
        const { hash, bolt11 } = await invoiceFor(alice, sats);
        await pay(payer, bolt11);
        hashes.unshift(hash);
      }
      const first = await client.newest(payer.admin, { tag: 'aio-dca', limit: 2, offset: 0 });
      const second = await client.newest(payer.admin, { tag: 'aio-dca', limit: 2, offset: 2 });
      expect([...first.payments, ...second.payments].map((payment) => payment.hash)).toEqual(hashes);
      expect([first.total, second.total]).toEqual([3, 3]);
      expect((await client.newest(payer.admin, { tag: 'another', limit: 2, offset: 0 })).total).toBe(0);
    });

    test('thirty payments of one invoice at once debit once and credit once', async () => {
      const alice = await wallet('Alice');
      const payer = await wallet('payer', 1000n);
      const { bolt11 } = await invoiceFor(alice);
      // Each by a connection of its own.
      const clients = Array.from({ length: 30 }, () => new LnbitsClient({ url: lnbits.url }, systemClock));
      const outcomes = await Promise.allSettled(
        clients.map((one) => one.pay(payer.admin, { bolt11, extra: EXTRA })),
      );
      await Promise.all(clients.map((one) => one.close()));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect([await balanceOf(payer), await balanceOf(alice)]).toEqual([900n, 100n]);
    });

    test('refuses a key it does not know', async () => {
      const nobody = new Secret('0123456789abcdef0123456789abcdef');
      await expect(client.wallet(nobody)).rejects.toMatchObject(refusal('lnbits/key', /Wallet not found/));
      await expect(client.find(nobody, '0'.repeat(64))).rejects.toMatchObject({ code: 'lnbits/key' });
    });

    test('refuses to pay with an invoice key', async () => {
      const { bolt11 } = await invoiceFor(await wallet('Alice'));
      const paid = client.pay(source.invoice, { bolt11, extra: {} });
      await expect(paid).rejects.toMatchObject(refusal('lnbits/key', /Invoice \(or Admin\) key required/));
    });

    test.each([
      ['of nothing', 0n, '', /Amountless invoices not supported/],
      ['above the largest amount', 10_000_001n, '', /10000001 sats is too high\. Max allowed: 10000000 sats/],
      ['below nothing', -1n, '', /amount.*greater than or equal to 0/],
      ['with 641 characters of memo', 1n, 'm'.repeat(641), /memo.*at most 640 characters/],
      ['with 640 bytes of memo', 1n, 'é'.repeat(320), /too large an unsigned integer/],
    ])('refuses an invoice %s', async (_, sats, memo, message) => {
      const made = client.createInvoice(source.invoice, { sats, memo, expirySeconds: 60, extra: {} });
      await expect(made).rejects.toMatchObject(refusal('lnbits/refused', message));
    });

    test('takes 639 bytes of memo and the largest amount', async () => {
      const memo = `${'é'.repeat(319)}!`;
      const largest = { sats: 10_000_000n, memo, expirySeconds: 60, extra: {} };
      const { bolt11 } = await client.createInvoice(source.invoice, largest);
      const payer = await wallet('payer', 10_000_000n);
      expect(await pay(payer, bolt11)).toMatchObject({
        memo,
        amountMsat: -10_000_000_000n,
        status: 'success',
      });
      await lnbits.topUp(source.id, -10_000_000n);
    });

    test('without enough balance nothing is recorded, and the same invoice is paid later', async () => {
      const alice = await wallet('Alice');
      const payer = await wallet('payer', 99n);
      const { hash, bolt11 } = await invoiceFor(alice);
      await expect(pay(payer, bolt11)).rejects.toMatchObject(
        refusal('lnbits/refused', /Insufficient balance/),
      );
      expect(await client.find(payer.admin, hash)).toBeNull();
      await lnbits.topUp(payer.id, 1n);
      expect(await pay(payer, bolt11)).toMatchObject({ status: 'success' });
    });

    test('refuses to pay an invoice twice, from this wallet or another', async () => {
      const alice = await wallet('Alice');
      const { bolt11 } = await invoiceFor(alice);
      await pay(source, bolt11);
      for (const payer of [source, await wallet('other', 1000n)]) {
        await expect(pay(payer, bolt11)).rejects.toMatchObject(refusal('lnbits/refused', /already paid/));
      }
      expect(await balanceOf(alice)).toBe(100n);
    });

    test('an invoice made elsewhere fails, and leaves a failed row', async () => {
      const payer = await wallet('payer', 1000n);
      await expect(pay(payer, FOREIGN_BOLT11)).rejects.toMatchObject(
        refusal('lnbits/refused', /Payment failed/),
      );
      expect(await pay(payer, FOREIGN_BOLT11)).toMatchObject({ status: 'failed', amountMsat: -100_000n });
      expect(await balanceOf(payer)).toBe(1000n);
    });

    test('refuses what is no invoice', async () => {
      await expect(pay(source, 'lnbc1garbage')).rejects.toMatchObject(
        refusal('lnbits/refused', /Bolt11 decoding failed/),
      );
    });

    test('a wallet that pays itself gets a success; its outgoing row is the one shown', async () => {
      const payer = await wallet('payer', 1000n);
      const { hash, bolt11 } = await invoiceFor(payer);
      expect(await pay(payer, bolt11)).toMatchObject({ status: 'success' });
      expect(await client.find(payer.admin, hash)).toMatchObject({ amountMsat: -100_000n });
      expect(await balanceOf(payer)).toBe(1000n);
    });

    test('pays into a wallet deleted since, whatever it answers', async () => {
      const alice = await wallet('Alice');
      const { hash, bolt11 } = await invoiceFor(alice);
      await lnbits.deleteWallet(alice.id);
      const paid = pay(source, bolt11);
      if (lnbits.version === '1.0.0') expect(await paid).toMatchObject({ status: 'success' });
      else await expect(paid).rejects.toMatchObject(refusal('lnbits/refused', /Could not fetch wallet/));
      expect(await client.find(source.admin, hash)).toMatchObject({
        status: 'success',
        amountMsat: -100_000n,
      });
      await expect(client.find(alice.invoice, hash)).rejects.toMatchObject({ code: 'lnbits/key' });
      await expect(invoiceFor(alice)).rejects.toMatchObject(refusal('lnbits/key', /Wallet not found/));
    });

    test('after a reset of the keys the wallet lives on under the new ones', async () => {
      const alice = await wallet('Alice', 7n);
      const renewed = secrets(await lnbits.resetKeys(alice.id));
      await expect(client.wallet(alice.invoice)).rejects.toMatchObject({ code: 'lnbits/key' });
      expect(await client.wallet(renewed.admin)).toMatchObject({ id: alice.id, balanceMsat: 7_000n });
    });

    test.skipIf(name.includes('1.0.0'))(
      'a key onto a shared wallet may do what its owner grants, and sees nothing without the right to',
      async () => {
        const alice = await lnbits.createUserWallet('Alice');
        const shared = await lnbits.share(alice, ['receive-payments']);
        const key = new Secret(shared.inkey);
        const invoice = { sats: 1n, memo: '', expirySeconds: 60, extra: EXTRA };
        const { hash, walletId, bolt11 } = await client.createInvoice(key, invoice);
        expect(walletId).toBe(alice.id);
        expect(await client.find(key, hash)).toBeNull();
        expect(await client.newest(key, { tag: 'aio-dca', limit: 10, offset: 0 })).toMatchObject({
          total: 0,
        });
        await expect(proveRights(client, key)).rejects.toMatchObject(refusal('lnbits/rights', /view/));
        expect(await seesPayments(client, key)).toBe(false);
        expect(await pay(source, bolt11)).toMatchObject({ status: 'success' });
        expect(await client.find(key, hash)).toBeNull();

        await shared.allow(['view-payments', 'receive-payments']);
        expect(await client.find(key, hash)).toMatchObject({ status: 'success', walletId: alice.id });
        expect(await proveRights(client, key)).toMatchObject({ walletId: alice.id });

        await shared.allow(['view-payments']);
        await expect(client.createInvoice(key, invoice)).rejects.toMatchObject({ code: 'lnbits/refused' });
        await expect(proveRights(client, key)).rejects.toMatchObject(refusal('lnbits/rights', /permission/));
        await expect(pay({ ...source, admin: new Secret(shared.adminkey) }, bolt11)).rejects.toMatchObject(
          refusal('lnbits/rights', /permission to pay/),
        );
      },
    );

    test('a key proves what a run needs it for, and its invoice is left unpaid', async () => {
      const alice = await wallet('Alice');
      expect(await proveRights(client, alice.invoice)).toMatchObject({ walletId: alice.id });
      expect(await seesPayments(client, alice.invoice)).toBe(true);
      expect(await balanceOf(alice)).toBe(0n);
      const [one] = (await client.newest(alice.invoice, { tag: 'aio-dca-check', limit: 1, offset: 0 }))
        .payments;
      expect(one).toMatchObject({
        amountMsat: 1_000n,
        memo: expect.stringMatching(/Nothing has to be paid/),
      });
    });

    test.each(['another wallet', 'the payer', 'the payee'] as const)(
      'a service fee comes on top, for %s: with the debit, and received under the same hash',
      async (whose) => {
        const alice = await wallet('alice');
        const payer = await wallet('payer', 1_000n);
        const fees = whose === 'the payer' ? payer : whose === 'the payee' ? alice : await wallet('fees');
        await lnbits.setServiceFee({ percent: 1.5, walletId: fees.id });
        try {
          const first = await invoiceFor(alice, 101n);
          const paid = await pay(payer, first.bolt11);
          expect([paid.amountMsat, paid.feeMsat < 0n ? -paid.feeMsat : paid.feeMsat]).toEqual([
            -101_000n,
            1_515n,
          ]);
          const debit = await client.find(payer.admin, first.hash);
          expect(debit).toMatchObject({ amountMsat: -101_000n, status: 'success', isServiceFee: false });
          expect(debit?.feeMsat).toBe(paid.feeMsat);
          const credit = await client.find(alice.invoice, first.hash);
          expect(credit).toMatchObject({ amountMsat: 101_000n, feeMsat: 0n, status: 'success' });
          const { balanceMsat } = await client.wallet(payer.admin);
          expect(balanceMsat).toBe(1_000_000n - 101_000n - 1_515n + (whose === 'the payer' ? 1_515n : 0n));
          // What the payment needs is there, and not what the fee needs.
          const left = balanceMsat / 1000n;
          const second = await invoiceFor(alice, left);
          await expect(pay(payer, second.bolt11)).rejects.toMatchObject(
            refusal('lnbits/refused', /Insufficient balance/),
          );
          expect(await client.find(payer.admin, second.hash)).toBeNull();
          await lnbits.setServiceFee({ percent: 1.5, walletId: fees.id, maxSats: 1 });
          const third = await invoiceFor(alice, 200n);
          const capped = await pay(payer, third.bolt11);
          expect(capped.feeMsat < 0n ? -capped.feeMsat : capped.feeMsat).toBe(1_000n);
        } finally {
          await lnbits.setServiceFee(null);
        }
      },
    );

    test('what a superuser credits and takes back is shown by amount, as two kinds', async () => {
      const alice = await wallet('alice');
      await lnbits.topUp(alice.id, 70n);
      await lnbits.topUp(alice.id, 30n);
      await lnbits.topUp(alice.id, -30n);
      expect(await client.credits(alice.admin, 30n)).toMatchObject([
        { amountMsat: 30_000n, status: 'success' },
      ]);
      expect(await client.debits(alice.admin, 30n)).toMatchObject([
        { amountMsat: -30_000n, status: 'success' },
      ]);
      expect(await client.debits(alice.admin, 70n)).toEqual([]);
    });

    test('an expired invoice is still paid', async () => {
      const alice = await wallet('Alice');
      const made = { sats: 5n, memo: 'short', expirySeconds: 1, extra: EXTRA };
      const { bolt11 } = await client.createInvoice(alice.invoice, made);
      const expired = Date.now() + 1_100;
      await expect.poll(() => Date.now(), { timeout: 3_000 }).toBeGreaterThan(expired);
      expect(await pay(source, bolt11)).toMatchObject({ status: 'success' });
    });

    test('a restart kills unpaid invoices and keeps everything else', async () => {
      const alice = await wallet('Alice');
      const paid = await invoiceFor(alice, 3n);
      await pay(source, paid.bolt11);
      const unpaid = await invoiceFor(alice);
      await lnbits.restart();
      await expect.poll(async () => (await client.find(alice.invoice, unpaid.hash))?.status).toBe('failed');
      expect(await client.find(alice.invoice, paid.hash)).toMatchObject({
        status: 'success',
        amountMsat: 3_000n,
      });
      await expect(pay(source, unpaid.bolt11)).rejects.toMatchObject(
        refusal('lnbits/refused', /failed node/),
      );
      expect(await client.find(source.admin, unpaid.hash)).toBeNull();
    });
  });
}

forEachLnbits(limited, { requestsPerSecond: 5 });

function limited(name: string, available: boolean, start: () => Promise<Lnbits>): void {
  test.skipIf(!available)(`${name}: a used-up rate limit is named, and look-ups wait for it`, async () => {
    const lnbits = await start();
    const client = new LnbitsClient({ url: lnbits.url }, systemClock);
    try {
      const key = new Secret((await lnbits.createUserWallet('Alice')).inkey);
      const make = () => client.createInvoice(key, { sats: 1n, memo: '', expirySeconds: 60, extra: {} });
      const outcomes = await Promise.allSettled(Array.from({ length: 10 }, make));
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason);
      expect(refused.length).toBeGreaterThan(0);
      expect(refused[0]).toMatchObject({ code: 'lnbits/rate-limited', retryAfterMs: null });
      for (let i = 0; i < 8; i += 1) expect(await client.wallet(key)).toMatchObject({ name: 'Alice' });

      // A payment that it refuses has had no effect, and is made later by the same invoice.
      const payer = await lnbits.createUserWallet('payer');
      await lnbits.topUp(payer.id, 100n);
      const admin = new Secret(payer.adminkey);
      let paid = 0n;
      for (let said = 0; said !== 429; ) {
        const { hash, bolt11 } = await make();
        await Promise.all(Array.from({ length: 10 }, () => post(lnbits.url, payer.inkey, NOTHING)));
        said = await post(lnbits.url, payer.adminkey, { out: true, bolt11 });
        if (said !== 429) {
          paid += 1n;
          continue;
        }
        expect(await client.find(admin, hash)).toBeNull();
        const again = () =>
          client.pay(admin, { bolt11, extra: {} }).then(
            ({ status }) => status,
            () => null,
          );
        await expect.poll(again, { timeout: 10_000, interval: 200 }).toBe('success');
      }
      expect((await client.wallet(admin)).balanceMsat).toBe((99n - paid) * 1000n);
    } finally {
      await client.close();
      await lnbits.stop();
    }
  });
}

/** What no LNbits makes an invoice of. */
const NOTHING = { out: false, amount: 0, memo: '' };

/** One POST past the client, which would keep to the limit. Answers the status. */
async function post(url: string, key: string, body: object): Promise<number> {
  const headers = { 'x-api-key': key, 'content-type': 'application/json' };
  return (await fetch(`${url}/api/v1/payments`, { method: 'POST', headers, body: JSON.stringify(body) }))
    .status;
}
