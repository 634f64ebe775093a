import { expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { LnbitsClient } from '../../src/lnbits/client.ts';
import { taggedPayments } from '../../src/lnbits/history.ts';
import { type LnbitsSimulator, startLnbitsSimulator } from '../support/lnbits-simulator.ts';

async function walletWith(invoices: number) {
  const lnbits = await startLnbitsSimulator();
  const client = new LnbitsClient({ url: lnbits.url, backoffMs: 1 });
  onTestFinished(async () => {
    await client.close();
    await lnbits.stop();
  });
  const wallet = await lnbits.createUserWallet('many');
  const key = new Secret(wallet.inkey);
  const add = (tag = 'aio-dca') =>
    client.createInvoice(key, { sats: 1n, memo: '', expirySeconds: 60, extra: { tag } });
  for (let n = 0; n < invoices; n += 1) await add();
  await add('other');
  return { lnbits, client, key, wallet, add };
}

/** Calls `what` before each page but the first. */
function betweenPages(lnbits: LnbitsSimulator, what: (page: number) => unknown): void {
  let pages = 0;
  lnbits.onRequest = async ({ kind }, phase) => {
    if (kind !== 'list' || phase !== 'before') return;
    pages += 1;
    if (pages > 1) await what(pages);
  };
}

test('every payment of a wallet with the tag, over as many pages as it takes, each once', async () => {
  const { lnbits, client, key, wallet, add } = await walletWith(230);
  betweenPages(lnbits, (page) => page < 4 && add());
  const payments = await taggedPayments(client, key);
  const shown = new Set(payments.map(({ hash }) => hash));
  expect(shown.size).toBe(payments.length);
  const old = lnbits
    .payments(wallet.id)
    .filter((row) => row.tag === 'aio-dca')
    .slice(0, 230);
  expect(old.filter((row) => !shown.has(row.payment_hash))).toEqual([]);
});

test('a list from which rows go meanwhile is read again, and refused where it never comes out whole', async () => {
  const { lnbits, client, key, wallet } = await walletWith(230);
  const hide = () => {
    const [row] = lnbits
      .payments(wallet.id)
      .filter((one) => one.tag === 'aio-dca')
      .slice(-1);
    lnbits.change(wallet.id, row?.payment_hash ?? '', { tag: 'hidden' });
  };
  betweenPages(lnbits, (page) => page === 2 && hide());
  const kept = lnbits
    .payments(wallet.id)
    .filter((row) => row.tag === 'aio-dca')
    .slice(0, 229);
  const shown = new Set((await taggedPayments(client, key)).map(({ hash }) => hash));
  expect(kept.filter((row) => !shown.has(row.payment_hash))).toEqual([]);
  betweenPages(lnbits, hide);
  await expect(taggedPayments(client, key).then(({ length }) => length)).rejects.toMatchObject({
    code: 'lnbits/unreachable',
  });
});

test('with a beginning, older pages are not read', async () => {
  const { lnbits, client, key } = await walletWith(230);
  const [newest] = await taggedPayments(client, key);
  lnbits.clearLog();
  expect(await taggedPayments(client, key, newest?.time ?? null)).toHaveLength(100);
  expect(lnbits.requests).toHaveLength(1);
});
