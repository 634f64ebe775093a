import { html } from 'hono/html';
import { layout } from './layout.ts';
import type { PageRoute } from './page-route.ts';

/** Until a site has its own first page: who is signed in. */
export const homePage: PageRoute = {
  method: 'GET',
  path: '/',
  show: (context) =>
    layout(context, {
      title: 'Signed in',
      main: html`<p>The API of this site is described at <a href="/api/openapi.json">/api/openapi.json</a>.</p>`,
    }),
};
