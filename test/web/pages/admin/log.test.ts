import { expect, test } from 'vitest';
import { listLog } from '../../../../src/operations/log.ts';
import { adminSite } from '../../../support/admin-pages.ts';
import { perform } from '../../../support/operations.ts';
import { operator } from '../../../support/principals.ts';

/* The log on the admin site, newest first. */

test('page by page it has each change once, in the order of time backwards', async () => {
  const site = await adminSite();
  const { ledger, config, page } = site;
  await page('/log');
  const all: string[] = [];
  await perform(
    listLog,
    {
      ...{ principal: operator, clock: ledger.clock, actor: 'dora', reason: undefined },
      config: async () => config,
      ...{ withLedger: (_use, work) => work(ledger), stopSignal: () => AbortSignal.any([]) },
      take: async ({ pages }) => {
        for await (const rows of pages) all.push(...rows.map(({ at }) => `${at}`));
        return true;
      },
    },
    {},
  );
  const seen: string[] = [];
  let path: string | undefined = '/log?from=2001-01-01';
  while (path !== undefined) {
    const { text } = await page(path);
    seen.push(
      ...[...text.matchAll(/<th scope="row"[^>]*><time datetime="([^"]*)"/g)].map(([, at = '']) => at),
    );
    path = /rel="next" href="([^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&');
  }
  expect(seen).toEqual(all.toReversed().map((at) => `${at.slice(0, 23)}Z`));
});

test('a change says what it was before and is now', async () => {
  const { page, send } = await adminSite();
  await send('/machines/m/settings', { was_max_rate: '', max_rate: '7%', step: 'apply', reason: 'agreed' });
  const { text } = await page('/log?subject=m');
  expect(text).toContain('agreed');
  expect(text).toMatch(/<code>max_rate<\/code> nothing → <strong>0?\.?0?7/);
});
