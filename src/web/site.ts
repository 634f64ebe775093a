import { Hono } from 'hono';
import { BridgeError, catalogue, type ErrorCode } from '../errors.ts';
import { apiOf } from './api/api-app.ts';
import { openApiOf } from './api/openapi.ts';
import { type ApiRoute, writeCalls } from './api/route.ts';
import { addressOf, visitorKey } from './guard/address.ts';
import { smallBody } from './guard/body.ts';
import { strictHeaders } from './guard/headers.ts';
import { rateLimit, type VisitorLimit } from './guard/limits.ts';
import { knownHost, sameOrigin } from './guard/origin.ts';
import { allowedMethods } from './methods.ts';
import { errorPage } from './pages/error.ts';
import { type PageRoute, pageRoutes } from './pages/page-route.ts';
import { knownError, problemResponse } from './request/problem.ts';
import type { Env, Site, WebContext } from './request/site-context.ts';
import { asItIs } from './request/view-json.ts';
import { GUEST, visitorOf } from './request/visitor.ts';
import { signInRoutes } from './sign-in/sign-in-routes.ts';
import { assetRoutes } from './view/assets.ts';

/* One site: what guards every request, and what is behind it. */

/** What a visitor may ask for: pages and their parts at once, then ten a second. */
const PER_VISITOR = { most: 300, perMinute: 600 };

export interface SiteParts {
  routes: readonly ApiRoute[];
  pages: readonly PageRoute[];
}

export function siteApp(site: Site, { routes, pages }: SiteParts): Hono<Env> {
  const { log, clock, config } = site.serving;
  const write = writeCalls(routes);
  const perVisitor = rateLimit(clock, PER_VISITOR);
  const app = new Hono<Env>();

  app.use(async (context, next) => {
    const { incoming } = context.env ?? {};
    const forwarded = context.req.header('x-forwarded-for');
    context.set('site', site);
    context.set('visitor', GUEST);
    context.set('calledHere', asItIs);
    context.set('address', incoming ? addressOf(incoming, forwarded, config.web.trustedProxies) : '');
    await next();
  });
  app.use(strictHeaders);
  app.use(async (context, next) => {
    // The path and nothing behind it: a query may have a name, never a secret.
    const begun = clock.monotonic();
    await next();
    const { method, path } = context.req;
    const ms = Math.floor(clock.monotonic() - begun);
    const { actor } = context.get('visitor');
    log.debug({ site: site.name, method, path, status: context.res.status, ms, actor }, 'answered');
  });

  app.onError((error, context) => {
    const known = knownError(error);
    const { method, path } = context.req;
    if (known.kind === 'defect') log.error({ err: error, method, path }, 'a request ended in a defect');
    else log.info({ ...whoAsks(context), method, path, code: known.code }, 'refused');
    return refusal(context, known, write);
  });
  app.notFound((context) => {
    const there = `There is nothing at ${context.req.path}.`;
    return refusal(context, new BridgeError('usage/invalid', there, undefined, { kind: 'not-found' }), write);
  });

  app.get('/healthz', async (context) => {
    try {
      await site.serving.withLedger('read', async () => {});
      return context.text('ok\n');
    } catch (error) {
      log.error({ err: error }, 'the ledger cannot be opened');
      return context.text('the ledger cannot be opened\n', 503);
    }
  });
  app.use(knownHost);
  app.use(limited(perVisitor));
  app.route('/assets', assetRoutes());
  app.get('/errors/:area/:name', (context) => {
    const code = `${context.req.param('area')}/${context.req.param('name')}`;
    if (!(code in catalogue)) return context.notFound();
    return context.text(`${code}: ${catalogue[code as ErrorCode].means}\n`);
  });
  app.use(smallBody);
  app.use(sameOrigin);
  app.use(async (context, next) => {
    context.set('visitor', await visitorOf(context));
    await next();
  });
  app.get('/api/openapi.json', (context) => context.json(openApiOf(site.name, routes)));
  app.route('/api/v1', apiOf(routes));
  app.route('/', signInRoutes(site));
  app.route('/', pageRoutes(pages));
  allowedMethods(app);
  return app;
}

function limited(limit: VisitorLimit) {
  return async (context: WebContext, next: () => Promise<void>) => {
    limit.take(visitorKey(context.get('address')));
    await next();
  };
}

function whoAsks(context: WebContext) {
  return { actor: context.get('visitor').actor, address: context.get('address') };
}

/** Problems for programs, and pages for people. */
function refusal(
  context: WebContext,
  error: BridgeError,
  write: ReturnType<typeof writeCalls>,
): Response | Promise<Response> {
  const wantsPage = context.req.header('accept')?.includes('text/html') ?? false;
  const isApi = context.req.path.startsWith('/api/');
  return wantsPage && !isApi ? errorPage(context, error) : problemResponse(context, error, write);
}
