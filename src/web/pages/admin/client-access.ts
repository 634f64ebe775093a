import { html, raw } from 'hono/html';
import { renderSVG } from 'uqr';
import { BridgeError } from '../../../errors.ts';
import { inviteClient } from '../../../operations/invite-client.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { timeOf } from '../../view/amounts.ts';
import { card, copyable, facts, linkButton, notice } from '../../view/components.ts';
import { buttonForm } from '../../view/forms.ts';
import type { PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { pathTo } from '../../view/links.ts';
import { pathWith } from '../../view/lists.ts';
import type { PageRoute } from '../page-route.ts';
import { clientName, tabsFor } from './client.ts';
import { clientTexts } from './client-tabs.ts';

/* How a client comes in to the client site. */

function accessHead(context: WebContext, speech: Speech, name: string): PageHtml {
  return tabsFor(context, speech, name, 'access');
}

const accessPage: PageRoute = {
  method: 'GET',
  path: '/clients/:name/access',
  show: (context) => {
    const speech = speechOf(context);
    const texts = textsIn(speech, clientTexts).access;
    const name = clientName(context);
    const isThere = context.get('site').serving.config.web.client !== undefined;
    const make = isThere
      ? html`<p>${texts.inviteLead}</p>${buttonForm(`${pathTo.client(name)}/access`, texts.invite, {}, 'primary')}`
      : notice(texts.noSite, 'warn');
    return layout(context, {
      ...{ title: name, here: 'clients' },
      main: html`${accessHead(context, speech, name)}<p class="lead">${texts.lead}</p>${make}`,
    });
  },
};

/** The link, once. It is in no address, and no cache keeps the page. */
const invitePage: PageRoute = {
  method: 'POST',
  path: '/clients/:name/access',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsIn(speech, clientTexts).access;
    const name = clientName(context);
    const made = await performFor(context, inviteClient, { name }).catch((error: unknown) => {
      if (error instanceof BridgeError && error.code === 'access/prove') return null;
      throw error;
    });
    if (made === null) return context.redirect(pathWith('/prove', { next: context.req.path }), 303);
    const [page = ''] = made.link.split('#');
    return layout(context, {
      ...{ title: texts.inviteTitle(made.name), here: 'clients' },
      main: html`${notice(texts.once, 'warn')}
${card(
  texts.scan,
  html`<div class="qr" role="img" aria-label="${texts.scan}">${raw(renderSVG(made.link, { border: 2 }))}</div>`,
)}
${facts([
  [texts.link, copyable(speech, made.link)],
  [texts.code, html`${copyable(speech, made.code)} <small class="quiet">${texts.codeWhere(page)}</small>`],
  [texts.expires, timeOf(speech, made.expires_at)],
])}
<p>${linkButton(pathTo.client(made.name), texts.again)}</p>`,
    });
  },
};

export const clientAccessPages: readonly PageRoute[] = [accessPage, invitePage];
