import { expect, test } from 'vitest';
import { type AdminSite, adminSite, HOSTILE } from '../../../support/admin-pages.ts';

/* Every page of the books: who gets it, in which language, and that nothing in it becomes code. */

const READ = [
  ...['/clients', '/clients/alice', '/clients/alice/cash', '/clients/alice/purchases', '/clients/alice/log'],
  ...['/fundings', '/fundings/f1', '/cash-outs', '/cash-outs/cash-out%205', '/machines', '/machines/m'],
  ...['/machines/m/count', '/commission', '/commission/house', '/reports', '/reports/month', '/books'],
  ...['/books/verify', '/log', '/log?subject=alice', '/system', '/clocks'],
];

/** Forms of operators. */
const CHANGE = [
  ...['/add-client', '/clients/alice/settings', '/clients/alice/wallet', '/clients/alice/pause'],
  ...['/clients/alice/close', '/clients/alice/access', '/fundings/new', '/fundings/new-inside'],
  ...['/fundings/f4/confirm', '/fundings/f4/cancel', '/fundings/f1/withdraw', '/fundings/f1/adjust'],
  ...['/fundings/f1/move', '/machines/m/settings', '/clocks/restate'],
];

/** Forms of owners. */
const OWN = [
  ...['/machines/m/replace', '/add-recipient', '/commission/house/settings', '/commission/house/wallet'],
  '/commission/house/remove',
];

async function statuses(site: AdminSite, role: 'owner' | 'operator' | 'bookkeeper', paths: string[]) {
  const all: [string, number][] = [];
  for (const path of paths) all.push([path, (await site.page(path, { role })).status]);
  return all;
}

const each = (paths: string[], status: number) => paths.map((path) => [path, status]);

test('each role gets the pages that it may read, and the forms of what it may do', async () => {
  const site = await adminSite();
  expect(await statuses(site, 'owner', [...READ, ...CHANGE, ...OWN])).toEqual(
    each([...READ, ...CHANGE, ...OWN], 200),
  );
  expect(await statuses(site, 'operator', [...READ, ...CHANGE])).toEqual(each([...READ, ...CHANGE], 200));
  expect(await statuses(site, 'bookkeeper', READ)).toEqual(each(READ, 200));
  expect(await statuses(site, 'operator', OWN)).toEqual(each(OWN, 403));
  expect(await statuses(site, 'bookkeeper', [...CHANGE, ...OWN])).toEqual(each([...CHANGE, ...OWN], 403));
});

test('a bookkeeper sees no button of what only others do', async () => {
  const { page } = await adminSite();
  for (const path of READ) {
    const { text } = await page(path, { role: 'bookkeeper' });
    const main = text.slice(text.indexOf('<main'), text.indexOf('</main>'));
    const links = [...main.matchAll(/(?:href|action)="(\/[^"?]*)/g)].map(([, to]) => to);
    expect([path, links.filter((to) => [...CHANGE, ...OWN].includes(to ?? ''))]).toEqual([path, []]);
    expect([path, /<form method="post"/.test(main)]).toEqual([path, false]);
  }
});

test('only who decides about wallets sees their whole ids', async () => {
  const { page } = await adminSite();
  for (const [path, id] of [
    ['/clients/alice', 'wallet of alice'],
    ['/commission/house', 'wallet of house'],
  ] as const) {
    expect((await page(path)).text).toContain(id);
    const { text } = await page(path, { role: 'bookkeeper' });
    expect([text.includes(id), text.includes(`${id.slice(0, 8)}…`)]).toEqual([false, true]);
  }
});

test('what somebody else wrote is text in every page, in both languages', async () => {
  const { page } = await adminSite();
  let found = 0;
  for (const path of [...READ, ...CHANGE, ...OWN]) {
    for (const language of ['en', 'es']) {
      const { text, status } = await page(path, { language });
      expect([path, language, status, text.includes('<script>alert')]).toEqual([path, language, 200, false]);
      expect([path, text.includes(`<html lang="${language}"`)]).toEqual([path, true]);
      if (text.includes('&lt;script&gt;alert(1)')) found += 1;
    }
  }
  expect(found).toBeGreaterThan(20);
  const echoed = await page(`/clients?q=${encodeURIComponent(HOSTILE)}`);
  expect(echoed.text).not.toContain('<script>alert');
});

test('whoever is not signed in is sent to sign in, and comes back', async () => {
  const { ask } = await adminSite();
  const { status, headers } = await ask('/fundings?client=bob', { headers: { accept: 'text/html' } });
  expect([status, headers.get('location')]).toEqual([
    303,
    `/sign-in?next=${encodeURIComponent('/fundings?client=bob')}`,
  ]);
});

test('no page is larger than 30 KB', async () => {
  const { page } = await adminSite();
  const sizes = await Promise.all(
    READ.map(async (path) => [path, Buffer.byteLength((await page(path)).text)] as const),
  );
  expect(sizes.filter(([, size]) => size > 30_000)).toEqual([]);
});
