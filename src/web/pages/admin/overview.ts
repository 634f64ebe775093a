import { html } from 'hono/html';
import { speechOf } from '../../request/speech.ts';
import { layout } from '../../view/layout.ts';
import { doneNotice } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';

/** Until the site has its overview: where its API is described. */
export const overviewPage: PageRoute = {
  method: 'GET',
  path: '/',
  show: (context) => {
    const { t } = speechOf(context);
    const { done, resumed, already } = t.stop;
    return layout(context, {
      ...{ title: t.nav.overview, here: 'overview' },
      main: html`${doneNotice(context, { stopped: done, resumed, already })}<p><a href="/api/openapi.json">/api/openapi.json</a></p>`,
    });
  },
};
