import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { chromiumAvailable, visitor, WITHOUT } from '../../support/chromium.ts';
import { sitesInBrowser } from '../../support/sites-in-browser.ts';

/* Another site, opened in the browser of an owner who is signed in: what a browser really sends along. */

describe.skipIf(!chromiumAvailable())(`a page of another site${WITHOUT}`, () => {
  const sites = sitesInBrowser();

  // Another port is the same site for cookies, so SameSite does not help; another host is another site.
  test.each(['localhost', '127.0.0.1'])('of %s changes nothing, by form or by script', async (host) => {
    const { scene, browser } = sites();
    const { world, served } = scene;
    const changes = async () => (await world.must(['log', '--json'])).json<unknown[]>().length;
    const { context } = await visitor(browser, served.admin, { cookie: await scene.freshCookie('admin') });
    const attacker = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(attackPage(served.admin));
    });
    await new Promise<void>((done) => {
      attacker.listen(0, '127.0.0.1', done);
    });
    try {
      const { port } = attacker.address() as AddressInfo;
      const page = await context.newPage();
      const before = await changes();
      const answers: number[] = [];
      page.on('response', (answer) => {
        if (answer.request().method() === 'POST' && answer.url().startsWith(served.admin))
          answers.push(answer.status());
      });
      for (const path of Object.keys(FORMS)) {
        await page.goto(`http://${host}:${port}/`);
        await Promise.all([
          page.waitForResponse((one) => one.url() === `${served.admin}${path}`),
          page.getByRole('button', { name: path, exact: true }).click(),
        ]);
      }
      await page.goto(`http://${host}:${port}/`);
      for (const type of ['text/plain', 'application/x-www-form-urlencoded'])
        await page.evaluate(request(`${served.admin}/stop`, type));
      // Those whose answer a script may not even see are sent all the same.
      expect(new Set(answers)).toEqual(new Set([403]));
      expect(answers.length).toBeGreaterThanOrEqual(Object.keys(FORMS).length);
      expect(await changes()).toBe(before);
      // The victim is still signed in, and the site itself may do it.
      await page.goto(`${served.admin}/stop`);
      await page.getByRole('textbox').fill('by the owner');
      await page.locator('main button').click();
      await page.waitForURL((url) => url.pathname !== '/stop');
      expect(await changes()).toBe(before + 1);
      await world.must(['payouts', 'resume']);
    } finally {
      attacker.close();
      await context.close();
    }
  });
});

const FORMS: Record<string, Record<string, string>> = {
  '/stop': { reason: 'hacked', key: 'k1' },
  '/fundings/new': { client: 'alice', amount: '9000 GTQ', machine: 'Antigua', step: 'apply', key: 'k2' },
  '/clients/alice/pause': { key: 'k3' },
  '/payouts/hold': { reason: 'hacked', key: 'k4' },
  '/account/sessions/end': {},
  '/sign-out': {},
};

/** A page of the other site: a form for each of them, which a click sends. */
function attackPage(target: string): string {
  const forms = Object.entries(FORMS).map(([path, fields]) => {
    const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
    return `<form method="post" action="${target}${path}">${inputs.join('')}<button>${path}</button></form>`;
  });
  return `<!doctype html><title>Win</title>${forms.join('')}`;
}

/** For the page: what a script may send to another site without asking it first. */
function request(url: string, type: string): string {
  const init = { method: 'POST', mode: 'no-cors', credentials: 'include', body: 'reason=hacked' };
  const all = JSON.stringify({ ...init, headers: { 'content-type': type } });
  return `fetch(${JSON.stringify(url)}, ${all}).then(() => true, () => false)`;
}
