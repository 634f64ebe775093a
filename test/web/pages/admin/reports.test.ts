import { expect, test } from 'vitest';
import { localMonth } from '../../../../src/typed/months.ts';
import { adminSite, figuresOf } from '../../../support/admin-pages.ts';
import { now } from '../../../support/clock.ts';

/* Files, statements and the closing of a month on the admin site. */

test('each file and each statement that is offered is there', async () => {
  const { page } = await adminSite();
  const month = localMonth(now(), 'America/Guatemala');
  const { text } = await page(`/reports?month=${month}`);
  const files = [...text.matchAll(/href="([^"]*)" download/g)].map(([, path = '']) =>
    path.replaceAll('&amp;', '&'),
  );
  expect(files.length).toBeGreaterThan(20);
  for (const path of files) {
    if (path.includes('script')) continue;
    const { status, headers } = await page(path);
    expect([path, status]).toEqual([path, 200]);
    expect(headers.get('content-disposition')).toContain('attachment');
  }
  expect((await page('/reports?client=alice')).text).toContain('not by client');
});

test('a month that has not begun is told at its field, and nothing is offered for it', async () => {
  const { page } = await adminSite();
  for (const [language, said] of [
    ['en', 'This month has not begun'],
    ['es', 'Este mes no ha empezado'],
  ] as const) {
    const { status, text } = await page('/reports?month=9999-12', { language });
    expect(status).toBe(200);
    expect(text).toMatch(new RegExp(`aria-invalid="true"[^>]*><p class="field-error"[^>]*>${said}`));
    expect(text).not.toContain('download');
    expect(text).not.toContain('/reports/month?month=9999-12');
  }
});

test('a month closes with the sums of the ledger', async () => {
  const { page, ledger } = await adminSite();
  const rows = await ledger.db
    .selectFrom('cash_outs')
    .select(['confirmed_at', 'gross', 'commission'])
    .execute();
  let gross = 0n;
  const months = new Set(
    rows.map(({ confirmed_at: at }) => new Date(Date.parse(at) - 6 * 3_600_000).toISOString().slice(0, 7)),
  );
  for (const month of months) {
    const { text } = await page(`/reports/month?month=${month}`);
    const [, table = ''] = /Cash-outs<\/th>([\s\S]*?)<\/table>/.exec(text) ?? [];
    const [sum = '0'] = figuresOf({ text: table }).filter((one) => /^\d+$/.test(one));
    gross += BigInt(sum);
  }
  expect(gross).toBe(rows.reduce((all, row) => all + row.gross, 0n));
  expect((await page('/reports/month?month=2001-01')).text).toContain('Nothing happened in this month');
});
