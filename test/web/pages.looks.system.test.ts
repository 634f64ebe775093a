import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import { HtmlValidate } from 'html-validate/node';
import type { CDPSession, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { localMonth } from '../../src/typed/months.ts';
import { adminPages } from '../../src/web/pages/admin/admin-pages.ts';
import { clientPages } from '../../src/web/pages/client/client-pages.ts';
import type { PageRoute } from '../../src/web/pages/page-route.ts';
import { chromiumAvailable, DESK, fromElsewhere, PHONE, visitor, WITHOUT } from '../support/chromium.ts';
import { now } from '../support/clock.ts';
import { sitesInBrowser } from '../support/sites-in-browser.ts';
import { LONG_NAME, type SitesScene } from '../support/sites-scene.ts';

/*
 * Each page of both sites, in both languages, as a browser shows it. All that axe knows is asked of each page in each
 * language once: in English on a phone in light colours, in Spanish on a wide screen in dark ones. The other colours of
 * both are asked for their contrast alone, which is all that they change. Everything everywhere takes minutes more.
 */

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WCAG: RunOptions = {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  resultTypes: ['violations'],
};
const CONTRAST: RunOptions = { runOnly: ['color-contrast'], resultTypes: ['violations'] };

const html = new HtmlValidate({
  root: true,
  extends: ['html-validate:standard'],
  rules: {
    // How the text is laid out, which no browser minds.
    'no-trailing-whitespace': 'off',
    'attr-quotes': 'off',
    'doctype-style': ['error', { style: 'lowercase' }],
    'void-style': 'off',
    'long-title': 'off',
    // A button in a form sends it, and each form has one such button.
    'no-implicit-button-type': 'off',
    // The skip link, tables that scroll and the space that does not break are as they are meant.
    'tel-non-breaking': 'off',
    'prefer-native-element': 'off',
  },
});

/** Files, and what is an answer to a form: no pages to look at. */
const NO_PAGES = ['/clients/:name/statement', '/export', '/run/:task{[0-9a-f-]{36}}'];

const LANGUAGES = [
  { locale: 'en-GB', first: PHONE, colours: ['light', 'dark'] },
  { locale: 'es-GT', first: DESK, colours: ['dark', 'light'] },
] as const;

describe.skipIf(!chromiumAvailable())(`the looks of the pages${WITHOUT}`, () => {
  const sites = sitesInBrowser();

  const cases = LANGUAGES.flatMap((how) => [
    { ...how, site: 'client' as const, pages: clientPages },
    { ...how, site: 'admin' as const, pages: adminPages },
  ]);

  test.each(cases)('$site site, $locale', { timeout: 240_000 }, async ({ site, pages, ...how }) => {
    const { scene, browser } = sites();
    const address = scene.served[site];
    const paths = pages
      .filter(({ method, path }) => method === 'GET' && !NO_PAGES.includes(path))
      .flatMap((route) => pathsOf(route, scene));
    const found: string[] = [];
    const options = { locale: how.locale, viewport: how.first, colorScheme: how.colours[0] };
    const cookie = await scene.freshCookie(site);
    const { context, complaints } = await visitor(browser, address, { ...options, cookie });
    const look = async () => {
      for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
        const page = await context.newPage();
        await fromElsewhere(page);
        const faults = await faultsOf(page, path, how);
        found.push(...faults.map((one) => `${path}: ${one}`));
        await page.close();
      }
    };
    await Promise.all([look(), look()]);
    await context.close();
    expect([...found, ...complaints]).toEqual([]);
  });
});

async function faultsOf(
  page: Page,
  path: string,
  { locale, first, colours }: (typeof LANGUAGES)[number],
): Promise<string[]> {
  const answer = await page.goto(path);
  const text = (await answer?.text()) ?? '';
  const faults = answer?.status() === 200 ? [] : [`answered ${answer?.status()}`];
  const { pathname } = new URL(page.url());
  if (pathname !== path.split('?')[0]) faults.push(`leads to ${pathname}`);
  if (!text.includes(`<html lang="${locale.slice(0, 2)}"`)) faults.push('is in another language');
  const { results } = await html.validateString(text);
  for (const { messages } of results)
    faults.push(
      ...messages.map(({ ruleId, message, line }) => `${ruleId}: ${message} (${text.split('\n')[line - 1]})`),
    );

  const session = await page.context().newCDPSession(page);
  faults.push(...(await violations(page, session, WCAG)));
  await page.emulateMedia({ colorScheme: colours[1] });
  faults.push(...(await violations(page, session, CONTRAST)));
  for (const width of [320, first === PHONE ? DESK.width : PHONE.width, first.width]) {
    await page.setViewportSize({ width, height: first.height });
    const most = await page.evaluate('document.scrollingElement.scrollWidth');
    if (Number(most) > width) faults.push(`is ${most} px wide on a screen of ${width}`);
  }
  return faults;
}

/** By the protocol of the debugger, which the CSP does not concern. */
async function violations(page: Page, session: CDPSession, options: RunOptions): Promise<string[]> {
  const expression = `window.axe || (() => { ${AXE} })(), axe.run(document, ${JSON.stringify(options)})`;
  const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
    ...{ expression, awaitPromise: true, returnByValue: true },
  });
  if (exceptionDetails) throw new Error(`axe on ${page.url()}: ${JSON.stringify(exceptionDetails)}`);
  return (result.value as AxeResults).violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `axe ${id}: ${target}: ${failureSummary}`),
  );
}

/** The addresses of a page, for things that are there. */
function pathsOf({ path }: PageRoute, { ids, payouts }: SitesScene): string[] {
  const month = localMonth(now(), 'America/Guatemala');
  const names: Record<string, string> = { clients: 'alice', people: 'berta', tokens: 'till' };
  const [, noun = ''] = path.split('/');
  const ofNoun: Record<string, string> = {
    ...{ review: ids.review, payouts: payouts.settled, credits: 'c1', fundings: 'f1', cash: 'f1' },
    ...{ account: '1', purchases: ids.cashOut, 'cash-outs': ids.cashOut },
  };
  const ofPath: Record<string, string> = {
    '/cash-outs/:id/void': ids.settled,
    '/payouts/:id/hold': payouts.planned,
    '/payouts/:id/resolve': payouts.planned,
    '/payouts/:id/release': payouts.held,
    '/fundings/:id/confirm': 'f5',
    '/fundings/:id/cancel': 'f5',
  };
  const filled = path
    .replace(':id', ofPath[path] ?? ofNoun[noun] ?? '')
    .replace(':name', names[noun] ?? 'house')
    .replace(':machine', 'Antigua')
    .replace(':span', month);
  return [filled, ...(MORE[path] ?? []).map((more) => more.replace('YEAR', month.slice(0, 4)))];
}

/** Other states of a page. */
const MORE: Record<string, string[]> = {
  '/': ['/?range=all'],
  '/if-added': ['/if-added?added=1,000'],
  '/clients/:name': [`/clients/${LONG_NAME}`],
  '/clients': ['/clients?q=nobody'],
  '/statement/:span': ['/statement/YEAR'],
  '/payouts': ['/payouts?state=all', '/payouts?state=planned'],
  '/purchases': ['/purchases?state=waiting'],
};
