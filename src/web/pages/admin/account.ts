import { html, raw } from 'hono/html';
import { renderSVG } from 'uqr';
import {
  listCredentials,
  newOneTimeSecret,
  removeOneCredential,
  setPassword,
} from '../../../operations/credentials.ts';
import { listPeople } from '../../../operations/people.ts';
import { endAllSessions, endOneSession, listSessions } from '../../../operations/sessions.ts';
import { listTokens } from '../../../operations/tokens.ts';
import { dropSessionCookie } from '../../request/cookie.ts';
import { mayHere } from '../../request/rights.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { agoOf, dayOf, timeOf } from '../../view/amounts.ts';
import { badge, card, copyable, linkButton, notice } from '../../view/components.ts';
import { buttonForm } from '../../view/forms.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { htmlTable } from '../../view/lists.ts';
import { changeForm, doneNotice } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { canHavePasskeys } from '../passkeys.ts';
import { peopleTexts } from './people.ts';

/* The own sign-ins of whoever asks, and what the next one is done with. */

const accountPage: PageRoute = {
  method: 'GET',
  path: '/account',
  show: async (context) => {
    const speech = speechOf(context);
    const { t } = speech;
    const { account: texts } = peopleTexts(speech);
    const { session } = context.get('visitor');
    const role = session?.role ?? null;
    return layout(context, {
      ...{ title: t.nav.account, here: 'account', scripts: ['passkey.js'] },
      main: html`${doneNotice(context, texts.done)}
<p class="lead">${texts.lead(session?.name ?? '', role === null ? '' : t.roles[role])}</p>
${await credentialsPart(context, speech)}
${await sessionsPart(context, speech)}
<p>${mayHere(context, listPeople) ? html`<a href="/people">${texts.people}</a> · ` : ''}${
        mayHere(context, listTokens) ? html`<a href="/tokens">${texts.tokens}</a>` : ''
      }</p>`,
    });
  },
};

async function credentialsPart(context: WebContext, speech: Speech): Promise<PageHtml> {
  const { account: texts, ways } = peopleTexts(speech);
  const heads = texts.credential;
  const now = context.get('site').serving.clock.now();
  const all = await performFor(context, listCredentials, {});
  const list =
    all.length === 0
      ? notice(html`<p>${texts.noCredentials}</p>`, 'warn')
      : htmlTable(
          speech,
          [
            { head: heads.kind, isHead: true, cell: ({ kind }) => ways[kind] },
            { head: heads.label, cell: ({ label }) => label ?? '' },
            { head: heads.added, kind: 'wide', cell: ({ created_at: at }) => dayOf(speech, at) },
            { head: heads.used, cell: ({ used_at: at }) => (at === null ? '' : agoOf(speech, at, now)) },
            { head: '', cell: ({ id }) => linkButton(`/account/credentials/${id}/remove`, texts.remove) },
          ],
          all,
          { caption: texts.credentials },
        );
  return html`${list}<div class="columns two">${passkeyCard(context, speech)}${card(
    texts.setPassword,
    html`<p>${texts.passwordLead}</p><div class="actions">${linkButton('/account/password', texts.setPassword)}</div>`,
  )}</div>`;
}

/** The one thing that needs a script. */
function passkeyCard(context: WebContext, { t, ...speech }: Speech): HtmlContent {
  const { account: texts } = peopleTexts({ t, ...speech });
  const can = canHavePasskeys(context.get('site').config.publicUrl);
  return card(
    texts.addPasskey,
    can
      ? html`<p>${texts.passkeyLead}</p><form data-add-passkey data-next="/account?done=passkey" class="form" hidden><div class="actions"><button class="primary">${texts.addPasskey}</button></div><p role="status" class="field-error"></p></form>
<noscript><p class="quiet">${t.enter.needsScript}</p></noscript>`
      : html`<p class="quiet">${t.enter.needsHttps}</p>`,
  );
}

async function sessionsPart(context: WebContext, speech: Speech): Promise<PageHtml> {
  const { account: texts, methods } = peopleTexts(speech);
  const heads = texts.session;
  const now = context.get('site').serving.clock.now();
  const all = await performFor(context, listSessions, {});
  return html`${htmlTable(
    speech,
    [
      {
        ...{ head: heads.device, isHead: true },
        cell: ({ device, current }) =>
          html`${device || texts.unknown}${current ? html` ${badge(texts.here, 'good')}` : ''}`,
      },
      { head: heads.by, cell: ({ method }) => methods[method] },
      { head: heads.began, kind: 'wide', cell: ({ created_at: at }) => timeOf(speech, at) },
      { head: heads.used, cell: ({ used_at: at }) => agoOf(speech, at, now) },
      { head: heads.until, kind: 'wide', cell: ({ expires_at: at }) => timeOf(speech, at) },
      {
        head: '',
        cell: ({ id, current }) => (current ? '' : buttonForm(`/account/sessions/${id}/end`, texts.end)),
      },
    ],
    all,
    { caption: texts.sessions },
  )}<div>${buttonForm('/account/sessions/end', texts.endAll)}</div>`;
}

const endOne: PageRoute = {
  method: 'POST',
  path: '/account/sessions/:id/end',
  show: async (context) => {
    await performFor(context, endOneSession, { id: context.req.param('id') ?? '' });
    return context.redirect('/account?done=ended', 303);
  },
};

const endAll: PageRoute = {
  method: 'POST',
  path: '/account/sessions/end',
  show: async (context) => {
    await performFor(context, endAllSessions, {});
    dropSessionCookie(context);
    return context.redirect('/sign-in', 303);
  },
};

export const accountPages: readonly PageRoute[] = [
  accountPage,
  endAll,
  endOne,
  ...changeForm({
    path: '/account/password',
    operation: setPassword,
    form: async (context, speech) => {
      const { passwordForm: texts, passwordLead } = peopleTexts(speech).account;
      const { secret, uri } = await performFor(context, newOneTimeSecret, {});
      return {
        ...{ title: texts.title, here: 'account', submit: texts.submit },
        lead: html`<p class="lead">${passwordLead}</p>${card(
          texts.scan,
          html`<div class="qr" role="img" aria-label="${texts.scan}">${raw(renderSVG(uri, { border: 2 }))}</div><p>${texts.secret}: ${copyable(speech, secret)}</p>`,
        )}`,
        hidden: { totp_secret: secret },
        fields: [
          {
            ...{ name: 'password', label: texts.password, help: texts.passwordHelp, kind: 'secret' },
            autocomplete: 'new-password',
          },
          {
            name: 'code',
            label: texts.code,
            kind: 'whole',
            inputs: ['totp_secret'],
            autocomplete: 'one-time-code',
          },
        ],
      };
    },
    input: (_context, { password = '', totp_secret = '', code = '' }) => ({ password, totp_secret, code }),
    done: () => '/account?done=password',
  }),
  ...changeForm({
    path: '/account/credentials/:id/remove',
    operation: removeOneCredential,
    form: (_context, speech) => {
      const { removeForm: texts } = peopleTexts(speech).account;
      return {
        ...{ title: texts.title, here: 'account', submit: texts.submit, danger: true },
        ...{ lead: html`<p class="lead">${texts.lead}</p>`, fields: [] },
      };
    },
    input: (context) => ({ id: context.req.param('id') ?? '' }),
    done: () => '/account?done=removed',
  }),
];
