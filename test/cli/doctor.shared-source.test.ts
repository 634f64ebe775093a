import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { LnbitsClient } from '../../src/lnbits/wallet-client.ts';
import { systemClock } from '../../src/time.ts';
import { ledgerSql } from '../support/ledger-sql.ts';
import type { Permission, WalletKeys } from '../support/lnbits.ts';
import { lnbitsAvailable, startLnbits } from '../support/lnbits-real.ts';
import { startWorld, type World } from '../support/world.ts';

/*
 * The source key of a shared wallet has an id of its own, and pays from the wallet that is shared. Nobody may be paid
 * into that one: LNbits would pay it from itself to itself.
 */

const ALL: Permission[] = ['view-payments', 'receive-payments', 'send-payments'];

describe.each(['the simulator', 'LNbits 1.6.2'])('at %s', (where) => {
  const skipped = where !== 'the simulator' && !lnbitsAvailable('1.6.2');
  if (skipped) process.stdout.write(`skipped: ${where} is not installed\n`);
  let world: World;
  let alice: WalletKeys;
  /** The wallet that pays, and the admin key of the shared wallet that pays from it. */
  let till: WalletKeys;
  let key: string;

  const sourceKey = (adminkey: string) =>
    writeFile(join(world.folder, 'source.adminkey'), `${adminkey}\n`, { mode: 0o600 });

  beforeAll(async () => {
    if (skipped) return;
    const lnbits = where === 'the simulator' ? {} : { lnbits: await startLnbits({ version: '1.6.2' }) };
    world = await startWorld({ ...lnbits, tunnel: 'direct', quiet: '1 ms' });
    await world.must(['migrate']);
    alice = await world.addClient('alice');
    await world.addFunding('alice', '30000 GTQ');
    till = await world.lnbits.createUserWallet('till');
    await world.lnbits.topUp(till.id, 5_000_000n);
    key = (await world.lnbits.share(till, ALL)).adminkey;
  });
  afterAll(async () => {
    await world?.stop();
  });

  test.skipIf(skipped)(
    'LNbits debits a payment to itself, credits nothing, and shows the debit at both',
    async () => {
      const lnbits = new LnbitsClient({ url: world.lnbits.url }, systemClock);
      const own = new Secret(till.inkey);
      const invoice = await lnbits.createInvoice(own, {
        sats: 10n,
        memo: 'self',
        expirySeconds: 600,
        extra: {},
      });
      await lnbits.pay(new Secret(key), { bolt11: invoice.bolt11, extra: {} });
      expect((await lnbits.wallet(new Secret(key))).id).not.toBe(till.id);
      expect(invoice.walletId).toBe(till.id);
      for (const either of [new Secret(key), own])
        expect(await lnbits.find(either, invoice.hash)).toMatchObject({
          status: 'success',
          amountMsat: -10_000n,
        });
      expect(await world.balance(till)).toBe(5_000_000n);
      await lnbits.close();
    },
  );

  test.skipIf(skipped)(
    'where it pays from a client’s wallet, nothing is paid, and doctor names the client',
    async () => {
      await sourceKey((await world.lnbits.share(alice, ALL)).adminkey);
      await world.insertCashOut();
      const doctor = await world.aioDca(['doctor']);
      expect(doctor.code).toBe(78);
      expect(doctor.stdout).toContain('the source wallet of the configuration is the wallet of alice');
      const ran = await world.aioDca(['poll', '--json']);
      expect(ran.code).toBe(78);
      expect(ran.json()).toMatchObject({ problems: [{ code: 'ledger/wallet-differs' }] });
      expect(await world.balance(alice)).toBe(0n);
    },
  );

  test.skipIf(skipped)(
    'it pays others, and the key of the wallet behind it is refused for a client',
    async () => {
      await sourceKey(key);
      await world.must(['poll']);
      expect([await world.balance(alice), await world.balance(till)]).toEqual([484_207n, 4_515_793n]);
      const file = join(world.folder, 'till.key');
      await writeFile(file, till.inkey, { mode: 0o600 });
      for (const set of [
        ['add', 'bob'],
        ['set', 'alice', '--new-wallet'],
      ]) {
        const ran = await world.aioDca(['clients', ...set, '--wallet-key-file', file]);
        expect([ran.code, ran.stderr]).toEqual([64, expect.stringContaining('this is the source wallet')]);
      }
    },
  );

  test.skipIf(skipped)('a client who was taken before is held, and not a sat moves', async () => {
    const at = new Date().toISOString();
    await ledgerSql(
      world.ledgerUrl,
      'insert into wallets (id, invoice_key, created_at) values ($1, $2, $3)',
      [till.id, till.inkey, at],
    );
    await ledgerSql(world.ledgerUrl, 'update recipients set wallet_id = $1', [till.id]);
    await world.insertCashOut();
    expect((await world.aioDca(['poll'])).code).toBe(2);
    const held = (await world.must(['payouts', 'list', '--state', 'held', '--json'])).json<
      { reason: string }[]
    >();
    expect(held).toMatchObject([{ reason: 'the client’s wallet is the source wallet'.replace('’', "'") }]);
    expect(await world.balance(till)).toBe(4_515_793n);
  });
});
