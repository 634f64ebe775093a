import { describe, expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { taggedPayments } from '../../src/lnbits/tagged-payments.ts';
import { LnbitsClient } from '../../src/lnbits/wallet-client.ts';
import { systemClock } from '../../src/time.ts';
import type { Lnbits } from '../support/lnbits.ts';
import { forEachLnbits } from '../support/lnbits-real.ts';
import { type LnbitsSimulator, startLnbitsSimulator } from '../support/lnbits-simulator.ts';

async function walletOf<T extends Lnbits>(start: () => Promise<T>) {
  const lnbits = await start();
  const client = new LnbitsClient({ url: lnbits.url, backoffMs: 1 }, systemClock);
  onTestFinished(async () => {
    await client.close();
    await lnbits.stop();
  });
  const wallet = await lnbits.createUserWallet('many');
  const key = new Secret(wallet.inkey);
  const add = (tag = 'aio-dca') =>
    client.createInvoice(key, { sats: 1n, memo: '', expirySeconds: 60, extra: { tag } });
  return { lnbits, client, key, wallet, add };
}

async function walletWith(invoices: number) {
  const made = await walletOf(() => startLnbitsSimulator());
  for (let n = 0; n < invoices; n += 1) await made.add();
  await made.add('other');
  return made;
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

// A page has 100 rows, and five of them are on the next one again.
const COUNTS = [0, 1, 94, 95, 96, 99, 100, 101, 195, 200];

forEachLnbits(everyCount);

function everyCount(name: string, available: boolean, start: () => Promise<Lnbits>): void {
  describe.skipIf(!available)(name, { timeout: 240_000 }, () => {
    test('every payment of a wallet with the tag, however many there are, each once, also while some come in', async () => {
      const { client, key, add } = await walletOf(start);
      await add('other');
      const made: string[] = [];
      for (const count of COUNTS) {
        while (made.length < count) made.push((await add()).hash);
        const shown = (await taggedPayments(client, key)).map(({ hash }) => hash);
        expect(shown).toEqual(made.toReversed());
      }
      const before = [...made];
      const shown: string[] = [];
      for await (const page of client.tagged(key, 'aio-dca')) {
        shown.push(...page.map(({ hash }) => hash));
        for (let n = 0; n < 3; n += 1) made.push((await add()).hash);
      }
      expect(new Set(shown).size).toBe(shown.length);
      expect(before.filter((hash) => !shown.includes(hash))).toEqual([]);
    });

    test('a page after the last row has the total 0, whatever there is', async () => {
      const { client, key, add } = await walletOf(start);
      for (let n = 0; n < 3; n += 1) await add();
      const page = (offset: number) => client.newest(key, { tag: 'aio-dca', limit: 2, offset });
      expect((await page(2)).total).toBe(3);
      expect(await page(4)).toEqual({ payments: [], total: 0 });
    });
  });
}

/** Takes the newest rows with the tag out of the list. */
function hide({ lnbits, wallet }: Awaited<ReturnType<typeof walletWith>>, rows: number): void {
  for (const row of lnbits
    .payments(wallet.id)
    .filter((one) => one.tag === 'aio-dca')
    .slice(-rows))
    lnbits.change(wallet.id, row.payment_hash, { tag: 'hidden' });
}

test.each([
  ['fewer rows than two pages share', 4, 3],
  ['more rows than two pages share', 6, 5],
  ['all that were on the first page', 150, 3],
])('%s disappear meanwhile: nothing else is missed, and nothing comes twice', async (_, rows, pages) => {
  const made = await walletWith(230);
  betweenPages(made.lnbits, (page) => page === 2 && hide(made, rows));
  const kept = made.lnbits
    .payments(made.wallet.id)
    .filter((row) => row.tag === 'aio-dca')
    .slice(0, 230 - rows);
  made.lnbits.clearLog();
  const shown = (await taggedPayments(made.client, made.key)).map(({ hash }) => hash);
  expect(new Set(shown).size).toBe(shown.length);
  expect(kept.filter((row) => !shown.includes(row.payment_hash))).toEqual([]);
  expect(made.lnbits.requests.filter(({ kind }) => kind === 'list').length).toBe(pages);
});

test('a list from which rows disappear again and again is refused', async () => {
  const made = await walletWith(230);
  betweenPages(made.lnbits, () => hide(made, 10));
  await expect(taggedPayments(made.client, made.key)).rejects.toMatchObject({ code: 'lnbits/unreachable' });
});

test('if a page is too large an answer, fewer rows are requested, and more again after it', async () => {
  const { lnbits, key, wallet } = await walletWith(230);
  const client = new LnbitsClient({ url: lnbits.url, backoffMs: 1, maxBytes: 300_000 }, systemClock);
  onTestFinished(() => client.close());
  const made = lnbits.payments(wallet.id).filter(({ tag }) => tag === 'aio-dca');
  const large = (from: number, to: number, chars: number) => {
    for (const { payment_hash, extra } of made.slice(from, to))
      lnbits.change(wallet.id, payment_hash, { extra: { ...extra, more: 'x'.repeat(chars) } });
  };
  large(100, 140, 100_000);
  lnbits.clearLog();
  const shown = (await taggedPayments(client, key)).map(({ hash }) => hash);
  expect(shown).toEqual(made.map(({ payment_hash }) => payment_hash).reverse());
  expect(lnbits.requests.length).toBeLessThan(150);
  large(100, 101, 400_000);
  await expect(taggedPayments(client, key)).rejects.toMatchObject({
    message: expect.stringMatching(/too large/),
  });
});

test('identical rows do not end the list', async () => {
  const { lnbits, client, key, wallet } = await walletWith(120);
  const [, twice] = lnbits.payments(wallet.id).reverse();
  if (!twice) throw new Error('there are no payments');
  lnbits.add(twice);
  expect(await taggedPayments(client, key)).toHaveLength(120);
});

test('a payment that settles while the list is read comes once', async () => {
  const { lnbits, client, key, wallet } = await walletWith(120);
  betweenPages(lnbits, () => {
    for (const row of lnbits.payments(wallet.id))
      lnbits.change(wallet.id, row.payment_hash, { status: 'success' });
  });
  expect(await taggedPayments(client, key)).toHaveLength(120);
});

test('with a beginning, older pages are not read', async () => {
  const { lnbits, client, key } = await walletWith(230);
  const [newest] = await taggedPayments(client, key);
  lnbits.clearLog();
  expect(await taggedPayments(client, key, newest?.time ?? null)).toHaveLength(100);
  expect(lnbits.requests).toHaveLength(1);
});

test('every credit of a sum is shown, also beyond one page', async () => {
  const { lnbits, client, key, wallet } = await walletWith(0);
  for (let n = 0; n < 100; n += 1) await lnbits.topUp(wallet.id, 7n);
  expect(await client.credits(key, 7n)).toHaveLength(100);
  await lnbits.topUp(wallet.id, 7n);
  expect(await client.credits(key, 7n)).toHaveLength(101);
});
