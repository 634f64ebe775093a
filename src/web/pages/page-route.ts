import { Hono } from 'hono';
import { showPause } from '../../operations/payouts.ts';
import type { Env, WebContext } from '../request/site-context.ts';
import { performFor } from '../request/visitor.ts';
import type { PageHtml } from '../view/html.ts';

/* Pages of a site: each a file below `pages/`, and a line in the list of its site. */

/** One page, or what a form of it does. */
export interface PageRoute {
  method: 'GET' | 'POST';
  path: string;
  /** Whether somebody who is not signed in gets it; by default they are sent to sign in. */
  open?: true;
  /** The page, or another answer: after a change, a redirect to what shows it. */
  show(context: WebContext): PageHtml | Response | Promise<PageHtml | Response>;
}

export function pageRoutes(pages: readonly PageRoute[]): Hono<Env> {
  const app = new Hono<Env>();
  for (const { method, path, open, show } of pages) {
    app.on(method, path, async (context) => {
      if (!open && context.get('visitor').session === null) return context.redirect(signInPath(context), 303);
      if (context.get('site').name === 'admin' && context.get('visitor').session !== null) {
        context.set('pause', (await performFor(context, showPause, {})).pause);
      }
      const answer = await show(context);
      return answer instanceof Response ? answer : context.html(answer);
    });
  }
  return app;
}

/** Where one signs in, and comes back from. What was sent by a form comes back to the form. */
function signInPath(context: WebContext): string {
  const { pathname, search } = new URL(context.req.url);
  const place = context.req.method === 'GET' ? pathname + search : pathname;
  return `/sign-in?next=${encodeURIComponent(place)}`;
}

/** Where a form leads: a path of this site, whatever was asked for. */
export function safePath(text: string | undefined): string {
  return text !== undefined && /^\/(?![/\\])[^\s\\]*$/.test(text) ? text : '/';
}
