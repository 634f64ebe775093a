import { html, raw } from 'hono/html';
import { renderSVG } from 'uqr';
import { inviteClient } from '../../../operations/invite-client.ts';
import type { InvitationView } from '../../../views/people.ts';
import type { WebContext } from '../../request/site-context.ts';
import { speechOf, textsIn } from '../../request/speech.ts';
import { timeOf } from '../../view/amounts.ts';
import { card, copyable, facts, linkButton, notice } from '../../view/components.ts';
import type { PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { pathTo } from '../../view/links.ts';
import { changeForm } from '../change-pages.ts';
import { clientName, tabsFor } from './client.ts';
import { clientTexts } from './client-tabs.ts';

/** How a client signs in to the client site: by a link, which is shown once. */
export const clientAccessPages = changeForm({
  path: '/clients/:name/access',
  operation: inviteClient,
  form: (context, speech) => {
    const texts = textsIn(speech, clientTexts).access;
    const name = clientName(context);
    const isThere = context.get('site').serving.config.web.client !== undefined;
    return {
      ...{ title: name, here: 'clients', submit: texts.invite, fields: [] },
      lead: html`${tabsFor(context, speech, name, 'access')}<p class="lead">${texts.lead}</p>${
        isThere ? html`<p>${texts.inviteLead}</p>` : notice(texts.noSite, 'warn')
      }`,
    };
  },
  input: (context) => ({ name: clientName(context) }),
  done: (view, _words, context) => invitationPage(context, view as InvitationView),
});

/** It is in no address, and no cache keeps the page. */
function invitationPage(
  context: WebContext,
  { name, link, code, expires_at: until }: InvitationView,
): PageHtml {
  const speech = speechOf(context);
  const texts = textsIn(speech, clientTexts).access;
  const [page = ''] = link.split('#');
  return layout(context, {
    ...{ title: texts.inviteTitle(name), here: 'clients' },
    main: html`${notice(texts.once, 'warn')}
${card(
  texts.scan,
  html`<div class="qr" role="img" aria-label="${texts.scan}">${raw(renderSVG(link, { border: 2 }))}</div>`,
)}
${facts([
  [texts.link, copyable(speech, link)],
  [texts.code, html`${copyable(speech, code)} <small class="quiet">${texts.codeWhere(page)}</small>`],
  [texts.expires, timeOf(speech, until)],
])}
<p>${linkButton(pathTo.client(name), texts.again)}</p>`,
  });
}
