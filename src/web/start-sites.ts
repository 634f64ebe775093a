import type { SiteConfig } from '../config/web.ts';
import { BridgeError } from '../errors.ts';
import type { Serving, StartDoor } from '../operations/operation.ts';
import { adminRoutes } from './api/admin-routes.ts';
import { clientRoutes } from './api/client-routes.ts';
import { listen } from './listen.ts';
import { adminPages } from './pages/admin/admin-pages.ts';
import { clientPages } from './pages/client/client-pages.ts';
import type { Site, SiteName } from './request/site-context.ts';
import { type SiteParts, siteApp } from './site.ts';

const PARTS: Record<SiteName, SiteParts> = {
  client: { routes: clientRoutes, pages: clientPages },
  admin: { routes: adminRoutes, pages: adminPages },
};

/** Serves the sites that are configured. Throws `web/no-site` if none is, and `web/listen`. */
export const startSites: StartDoor = async (serving) => {
  const { config, clock, log } = serving;
  const names = (['client', 'admin'] as const).filter((name) => config.web[name]);
  if (names.length === 0) {
    throw new BridgeError(
      'web/no-site',
      'The configuration has neither [web.client] nor [web.admin], so there is nothing to serve.',
      'config.example.toml shows both tables.',
    );
  }
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    await Promise.all(stops.map((one) => one()));
  };
  try {
    for (const name of names) {
      const { app, site } = siteOf(serving, name);
      stops.push(await listen(name, site.config, app.fetch, clock));
      log.info(
        { site: name, listen: `${site.config.host}:${site.config.port}`, url: site.config.publicUrl },
        'serves',
      );
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
};

/** One site, without a listener: for tests, too. */
export function siteOf(serving: Serving, name: SiteName) {
  const config = serving.config.web[name] as SiteConfig;
  const site: Site = { name, config, serving, isProtected: config.publicUrl.startsWith('https:') };
  return { site, app: siteApp(site, PARTS[name]) };
}
