import { describe, expect, test } from 'vitest';
import { chromiumAvailable, visitor, WITHOUT } from '../../support/chromium.ts';
import { sitesInBrowser } from '../../support/sites-in-browser.ts';

/* Forms as a browser sends them: doubled, without scripts, and printed. */

describe.skipIf(!chromiumAvailable())(`a form in a browser${WITHOUT}`, () => {
  const sites = sitesInBrowser();

  const fundings = async () =>
    (await sites().scene.world.must(['fundings', 'list', '--json'])).json<{ amount: string }[]>();

  test.each([true, false])('counts once when its button is pressed twice; scripts: %s', async (scripts) => {
    const { scene, browser } = sites();
    const { context } = await visitor(browser, scene.served.admin, {
      ...{ cookie: await scene.freshCookie('admin'), javaScriptEnabled: scripts },
    });
    const page = await context.newPage();
    const before = await fundings();
    await page.goto('/fundings/new');
    await page.locator('[name=client]').selectOption('bob');
    await page.locator('[name=amount]').fill(scripts ? '1234.50 GTQ' : '765.50 GTQ');
    await page.locator('[name=machine]').selectOption({ label: 'Any machine of this currency' });
    await page.locator('main form button').first().click();
    const apply = page.locator('button[value=apply]');
    await apply.waitFor();
    await apply.dblclick({ noWaitAfter: true });
    await page.waitForURL((url) => /^\/fundings\/f\d+$/.test(url.pathname));
    const added = await fundings();
    expect(added).toHaveLength(before.length + 1);
    expect(added.map(({ amount }) => amount)).toContain(scripts ? '1234.50' : '765.50');
    await context.close();
  });

  test('a statement on paper has no navigation', async () => {
    const { scene, browser } = sites();
    const { context } = await visitor(browser, scene.served.client, {
      cookie: await scene.freshCookie('client'),
    });
    const page = await context.newPage();
    await page.goto('/statement');
    await page.locator('a[href^="/statement/"]').first().click();
    await page.waitForURL((url) => /^\/statement\/.+/.test(url.pathname));
    await page.emulateMedia({ media: 'print' });
    for (const part of ['header', 'nav', 'footer', 'button'])
      expect([part, await page.locator(part).filter({ visible: true }).count()]).toEqual([part, 0]);
    expect(await page.locator('main').isVisible()).toBe(true);
    await context.close();
  });
});
