import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page as Tab } from 'playwright-core';
import { startWorld } from '../test/support/world.ts';
import { Page } from './page.ts';
import { openSites, SITES_WORLD, type Sites, tellWithMonths } from './sites.ts';

/*
 * `npm run screenshots`: the pictures of README in docs/, of the sites in the demo's world. It needs Chromium at
 * $CHROMIUM or /usr/bin/chromium.
 */

interface Shot {
  file: string;
  /** Whose link leads there. */
  who: string;
  colorScheme: 'light' | 'dark';
  width: number;
  height: number;
  /** From the first page on to the one that is shown. */
  goTo?: (tab: Tab) => Promise<unknown>;
}

/** Dots for each pixel of the page, as a phone has them. */
const SHARPNESS = 2;

const SHOTS: Shot[] = [
  { file: 'client-home', who: 'diego', colorScheme: 'light', width: 390, height: 1360 },
  {
    ...{ file: 'client-purchase', who: 'carmen', colorScheme: 'dark', width: 390, height: 1360 },
    goTo: async (tab) => {
      await tab.goto(new URL('/purchases', tab.url()).href);
      await tab.locator('tr', { hasText: 'arrived' }).first().getByRole('link').click();
    },
  },
  { file: 'admin-overview', who: 'dora', colorScheme: 'light', width: 1280, height: 1010 },
];

const world = await startWorld(SITES_WORLD);
let sites: Sites | undefined;
try {
  await tellWithMonths(world, new Page(false));
  sites = await openSites(world);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  try {
    for (const shot of SHOTS) await take(browser, shot, sites);
  } finally {
    await browser.close();
  }
} finally {
  await sites?.stop();
  await world.stop();
}

async function take(browser: Browser, shot: Shot, { invitations }: Sites): Promise<void> {
  const { file, who, colorScheme, width, height, goTo } = shot;
  const { link = '' } = invitations.find(({ name }) => name === who) ?? {};
  const context = await browser.newContext({
    ...{ viewport: { width, height }, colorScheme, locale: 'en' },
  });
  const tab = await context.newPage();
  await tab.goto(link);
  await tab.click('#by-link button');
  await tab.waitForURL((url) => url.pathname !== '/welcome');
  await tab.goto(new URL('/', link).href);
  await goTo?.(tab);
  await tab.waitForLoadState('networkidle');
  const devtools = await context.newCDPSession(tab);
  const clip = { x: 0, y: 0, width, height, scale: SHARPNESS };
  const { data } = await devtools.send('Page.captureScreenshot', { format: 'webp', quality: 80, clip });
  const path = fileURLToPath(new URL(`../docs/${file}.webp`, import.meta.url));
  const picture = Buffer.from(data, 'base64');
  await writeFile(path, picture);
  process.stdout.write(`docs/${file}.webp: ${Math.ceil(picture.length / 1024)} KB\n`);
  await context.close();
}
