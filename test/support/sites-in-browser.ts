import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { startChromium } from './chromium.ts';
import { type SitesScene, sitesScene } from './sites-scene.ts';

export interface SitesInBrowser {
  scene: SitesScene;
  browser: Browser;
}

/** Opens a scene and a browser for the tests of a suite. At its end the books have to balance. */
export function sitesInBrowser(): () => SitesInBrowser {
  let opened: SitesInBrowser | undefined;
  beforeAll(async () => {
    const [scene, browser] = await Promise.all([sitesScene(), startChromium()]);
    opened = { scene, browser };
  });
  afterAll(async () => {
    if (!opened) return;
    const { scene, browser } = opened;
    await browser.close();
    expect((await scene.world.must(['verify', '--json'])).json()).toMatchObject({ ok: true });
    await scene.stop();
  });
  return () => {
    if (!opened) throw new Error('the suite has not begun');
    return opened;
  };
}
