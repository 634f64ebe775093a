import { html } from 'hono/html';
import type { WebContext } from '../request/site-context.ts';
import { type Speech, speechOf } from '../request/speech.ts';
import { linkButton, notice } from '../view/components.ts';
import type { PageHtml } from '../view/html.ts';
import { layout } from '../view/layout.ts';
import { type PageRoute, safePath } from './page-route.ts';
import { canHavePasskeys } from './passkeys.ts';

/* Signing in, and proving once more who one is. */

/** Both sites by passkey; people also by password and code. */
export const signInPage: PageRoute = {
  method: 'GET',
  path: '/sign-in',
  open: true,
  show: (context) => {
    const speech = speechOf(context);
    const { t } = speech;
    const next = safePath(context.req.query('next'));
    const isAdmin = context.get('site').name === 'admin';
    return layout(context, {
      title: t.enter.title,
      scripts: ['passkey.js'],
      main: html`<div class="enter card">${failure(context, speech)}${passkeyForm(context, speech, '/sign-in/passkey', next)}
${isAdmin ? html`<p class="or"><span>${t.enter.or}</span></p>${passwordForm(speech, '/sign-in/password', next, true)}` : ''}
<hr><p class="quiet">${t.enter.lead}</p><p>${linkButton('/welcome', t.enter.codeLink)}</p></div>`,
    });
  },
};

/** For what needs a proof of the last five minutes. */
export const provePage: PageRoute = {
  method: 'GET',
  path: '/prove',
  show: (context) => {
    const speech = speechOf(context);
    const { t } = speech;
    const next = safePath(context.req.query('next'));
    return layout(context, {
      title: t.enter.proveTitle,
      scripts: ['passkey.js'],
      main: html`<div class="enter card">${failure(context, speech)}<p>${t.enter.proveLead}</p>
${passkeyForm(context, speech, '/prove/passkey', next)}<p class="or"><span>${t.enter.or}</span></p>${passwordForm(speech, '/prove/password', next, false)}</div>`,
    });
  },
};

function failure(context: WebContext, { t }: Speech): PageHtml {
  return context.req.query('refused') === undefined ? html`` : notice(t.enter.refused, 'bad', 'alert');
}

function passkeyForm(context: WebContext, { t }: Speech, action: string, next: string): PageHtml {
  if (!canHavePasskeys(context.get('site').config.publicUrl))
    return html`<p class="quiet">${t.enter.needsHttps}</p>`;
  return html`<form data-passkey="${action}" data-next="${next}" hidden><button class="primary wide">${t.enter.passkey}</button><p role="status" class="field-error"></p></form>
<noscript><p class="quiet">${t.enter.needsScript}</p></noscript>`;
}

function passwordForm({ t }: Speech, action: string, next: string, withName: boolean): PageHtml {
  const field = (name: string, label: string, more: PageHtml) =>
    html`<div class="field"><label for="enter-${name}">${label}</label><input id="enter-${name}" name="${name}" ${more} required></div>`;
  return html`<form method="post" action="${action}" class="form">
<input type="hidden" name="next" value="${next}">
${withName ? field('name', t.enter.name, html`autocomplete="username" autocapitalize="none"`) : ''}
${field('password', t.enter.password, html`type="password" autocomplete="current-password"`)}
${field('code', t.enter.code, html`inputmode="numeric" autocomplete="one-time-code"`)}
<div class="actions"><button class="primary wide">${withName ? t.enter.button : t.form.continue}</button></div>
</form>`;
}
