import { existsSync } from 'node:fs';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';

/* Debian's Chromium, driven as somebody's own browser: what a page does there, not what its text says. */

const CHROMIUM = '/usr/bin/chromium';

/** Whether Chromium is here. In CI its absence is an error, not a reason to skip. */
export function chromiumAvailable(): boolean {
  const available = existsSync(CHROMIUM);
  if (!available && process.env.CI) throw new Error(`${CHROMIUM} is needed in CI: apt-get install chromium`);
  return available;
}

/** For the name of a suite, so that who reads the report sees why it was skipped. */
export const WITHOUT = chromiumAvailable() ? '' : ' (skipped: there is no /usr/bin/chromium)';

export async function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-dev-shm-usage'],
      // Letters look alike whatever the machine says of its screen.
      ...['--font-render-hinting=none', '--disable-lcd-text'],
    ],
  });
}

/** What must not happen while somebody looks at a page. */
export interface Watched {
  context: BrowserContext;
  /** Errors and warnings of the console, violations of the CSP among them, and requests to elsewhere. */
  complaints: string[];
}

let visitors = 0;

/** The next requests of a page come from an address of their own: the site limits what one may ask for. */
export async function fromElsewhere(page: Page): Promise<void> {
  visitors += 1;
  await page.setExtraHTTPHeaders({ 'x-forwarded-for': `10.2.${visitors >> 8}.${visitors & 255}` });
}

/** A browser of one visitor, who has the session with this cookie. */
export async function visitor(
  browser: Browser,
  site: string,
  { cookie, ...options }: BrowserContextOptions & { cookie?: string | undefined } = {},
): Promise<Watched> {
  const context = await browser.newContext({
    ...{ baseURL: site, viewport: PHONE, locale: 'en', colorScheme: 'light', ...options },
  });
  const complaints: string[] = [];
  const here = new URL(site).origin;
  context.on('request', (request) => {
    const url = request.url();
    if (new URL(url).origin !== here && !/^(data|blob|about):/.test(url))
      complaints.push(`asks elsewhere: ${url}`);
  });
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()))
      complaints.push(`${new URL(message.page()?.url() ?? site).pathname}: ${message.text()}`);
  });
  context.on('weberror', (error) => complaints.push(`${error.error()}`));
  if (cookie !== undefined) {
    const [name = '', value = ''] = cookie.split('=');
    await context.addCookies([{ name, value, url: site, httpOnly: true, sameSite: 'Lax' }]);
  }
  return { context, complaints };
}

export const PHONE = { width: 390, height: 844 };
export const DESK = { width: 1280, height: 900 };
