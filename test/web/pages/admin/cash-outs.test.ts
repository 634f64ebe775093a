import { expect, test } from 'vitest';
import { adminSite, figuresOf } from '../../../support/admin-pages.ts';

/* Cash-outs on the admin site: each adds up, and those of a machine, a client and a day are found. */

test('a cash-out’s parts add up to what was paid, and its clients’ parts to the cash', async () => {
  const { page } = await adminSite();
  const { text } = await page('/cash-outs/cash-out%205');
  const formula = figuresOf({
    text: text.slice(text.indexOf('How the sats add up'), text.indexOf('Whose cash')),
  });
  const [net, commission, own, undelivered, gross] = formula
    .map((one) => BigInt(/^\d+$/.test(one) ? one : '0'))
    .filter((_, index) => index < 5);
  expect((net ?? 0n) + (commission ?? 0n) + (own ?? 0n) + (undelivered ?? 0n)).toBe(gross);
  expect(gross).toBe(24_000n);
  const rows = figuresOf({ text: text.slice(text.indexOf('Whose cash')) }).filter((one) =>
    one.endsWith('USD'),
  );
  const cents = rows.map((one) => BigInt(one.replace(/[^\d]/g, '')));
  expect(cents.slice(0, -1).reduce((sum, one) => sum + one, 0n)).toBe(cents.at(-1));
});

test('an own share says why', async () => {
  const { page } = await adminSite();
  expect((await page('/cash-outs/cash-out%2042')).text).toContain('No client had cash for it');
});

test('the list is filtered by the URL and goes on by key, without a row twice or left out', async () => {
  const { page } = await adminSite();
  const seen: string[] = [];
  let path: string | undefined = '/cash-outs?machine=m&client=alice';
  while (path !== undefined) {
    const { text, status } = await page(path);
    expect(status).toBe(200);
    seen.push(
      ...[...text.matchAll(/href="\/cash-outs\/([^"]+)"/g)].map(([, id = '']) => decodeURIComponent(id)),
    );
    path = /rel="next" href="([^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&');
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toHaveLength(41);
  expect((await page('/cash-outs?client=carla&machine=other')).text).toContain('No cash-out fits');
  expect((await page('/cash-outs?from=2001-01-01&to=2001-01-31')).text).toContain('No cash-out fits');
});

test('a filter that cannot be used is said, and is no empty list', async () => {
  const { page } = await adminSite();
  const { text } = await page('/cash-outs?client=nobody');
  expect(text).toContain('role="alert"');
  expect(text).toContain('value="nobody"');
  expect(text).not.toContain('No cash-out fits');
});
