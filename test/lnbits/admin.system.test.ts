import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { LnbitsAdmin } from '../../src/lnbits/admin.ts';
import { Http } from '../../src/lnbits/http.ts';
import { LnbitsClient } from '../../src/lnbits/wallet-client.ts';
import { systemClock } from '../../src/time.ts';
import type { Lnbits } from '../support/lnbits.ts';
import { forEachLnbits } from '../support/lnbits-real.ts';

forEachLnbits(contract);

/** What crediting the source wallet relies on, the same on every LNbits. */
function contract(name: string, available: boolean, start: () => Promise<Lnbits>): void {
  describe.skipIf(!available)(name, () => {
    let lnbits: Lnbits;
    let client: LnbitsClient;

    beforeAll(async () => {
      lnbits = await start();
      client = new LnbitsClient({ url: lnbits.url }, systemClock);
    });
    afterAll(async () => {
      await client.close();
      await lnbits.stop();
    });

    const logIn = (password = lnbits.superuser.password) =>
      LnbitsAdmin.logIn(lnbits, { name: lnbits.superuser.name, password: new Secret(password) }, systemClock);
    const wallet = async () => {
      const { id, inkey } = await lnbits.createUserWallet('source');
      return { id, key: new Secret(inkey) };
    };

    test('the superuser credits a wallet, and the wallet shows it by its amount', async () => {
      const { id, key } = await wallet();
      const admin = await logIn();
      try {
        await admin.credit(id, 1_234n);
        expect(await client.wallet(key)).toMatchObject({ balanceMsat: 1_234_000n });
        expect(await client.credits(key, 1_234n)).toEqual([
          expect.objectContaining({ amountMsat: 1_234_000n, status: 'success', memo: 'Admin credit' }),
        ]);
        expect(await client.credits(key, 1_235n)).toEqual([]);
      } finally {
        await admin.close();
      }
    });

    test('two requests credit twice, the newest first', async () => {
      const { id, key } = await wallet();
      const admin = await logIn();
      try {
        await admin.credit(id, 500n);
        const [first] = await client.credits(key, 500n);
        await admin.credit(id, 500n);
        await admin.credit(id, 499n);
        const both = await client.credits(key, 500n);
        expect(both).toHaveLength(2);
        expect(both[1]?.hash).toBe(first?.hash);
      } finally {
        await admin.close();
      }
    });

    test('an invoice of a client is no credit, whatever its amount', async () => {
      const { key } = await wallet();
      await client.createInvoice(key, { sats: 77n, memo: 'Admin', expirySeconds: 60, extra: {} });
      expect(await client.credits(key, 77n)).toEqual([]);
    });

    test('ten million sats are the most, and a refused credit leaves nothing', async () => {
      const { id, key } = await wallet();
      const admin = await logIn();
      try {
        await expect(admin.credit(id, 10_000_001n)).rejects.toMatchObject({ code: 'lnbits/refused' });
        expect(await client.credits(key, 10_000_001n)).toEqual([]);
        await admin.credit(id, 10_000_000n);
        expect(await client.credits(key, 10_000_000n)).toHaveLength(1);
      } finally {
        await admin.close();
      }
    });

    test('an unknown wallet is refused', async () => {
      const admin = await logIn();
      try {
        const credited = admin.credit('0123456789abcdef0123456789abcdef', 5n);
        await expect(credited).rejects.toMatchObject({ code: 'lnbits/key' });
      } finally {
        await admin.close();
      }
    });

    test('the service fee on internal payments is what the settings say', async () => {
      const admin = await logIn();
      try {
        expect(await admin.serviceFee()).toBeNull();
        const walletId = (await lnbits.createUserWallet('fees')).id;
        await lnbits.setServiceFee({ percent: 1.25, walletId, maxSats: 50 });
        expect(await admin.serviceFee()).toEqual({ percent: '1.25000000', maxSats: 50n });
        await lnbits.setServiceFee({ percent: 0.3, walletId });
        expect(await admin.serviceFee()).toEqual({ percent: '0.30000000', maxSats: null });
        await lnbits.setServiceFee(null);
        expect(await admin.serviceFee()).toBeNull();
      } finally {
        await admin.close();
      }
    });

    test('a wrong password is named, and not repeated in the message; no connection stays', async () => {
      const close = vi.spyOn(Http.prototype, 'close');
      onTestFinished(() => close.mockRestore());
      const error = await logIn('a wrong password').catch((refused: unknown) => refused);
      expect(error).toMatchObject({ code: 'lnbits/superuser', kind: 'misconfigured' });
      expect(`${(error as Error).message}`).not.toContain('a wrong password');
      expect(close).toHaveBeenCalledOnce();
    });
  });
}
