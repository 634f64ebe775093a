import { html } from 'hono/html';
import { SCOPES } from '../../../operations/rights.ts';
import { addOneToken, listTokens, revokeOneToken } from '../../../operations/tokens.ts';
import type { NewTokenView } from '../../../views/people.ts';
import type { WebContext } from '../../request/site-context.ts';
import { speechOf } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { textOf } from '../../text/texts.ts';
import { agoOf, dayOf, timeOf } from '../../view/amounts.ts';
import { badge, card, copyable, empty, facts, linkButton, notice } from '../../view/components.ts';
import type { Field } from '../../view/forms.ts';
import type { PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { htmlTable } from '../../view/lists.ts';
import { changeForm, doneNotice } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { peopleTexts } from './people.ts';

/* Tokens for scripts on the API. Each is shown once, in the answer to the form that made it. */

const listPage: PageRoute = {
  method: 'GET',
  path: '/tokens',
  show: async (context) => {
    const speech = speechOf(context);
    const { tokens: texts } = peopleTexts(speech);
    const now = context.get('site').serving.clock.now();
    const all = await performFor(context, listTokens, {});
    const add = linkButton('/tokens/new', texts.add, 'primary');
    return layout(context, {
      ...{ title: texts.title, here: 'system', actions: add },
      main: html`${doneNotice(context, { revoked: texts.revoked })}<p class="lead">${texts.lead}</p>
${htmlTable(
  speech,
  [
    { head: texts.heads.name, isHead: true, cell: ({ name }) => name },
    {
      head: texts.heads.scopes,
      cell: ({ scopes }) =>
        html`<ul class="plain">${scopes.map((one) => html`<li title="${one}">${textOf(texts.scopes, one)}</li>`)}</ul>`,
    },
    {
      head: texts.heads.state,
      cell: ({ status }) => badge(texts.states[status], status === 'active' ? 'good' : 'quiet'),
    },
    { head: texts.heads.made, kind: 'wide', cell: ({ created_at: at }) => dayOf(speech, at) },
    {
      head: texts.heads.until,
      cell: ({ expires_at: at }) => (at === null ? texts.forever : dayOf(speech, at)),
    },
    {
      head: texts.heads.used,
      cell: ({ used_at: at }) => (at === null ? texts.never : agoOf(speech, at, now)),
    },
    {
      head: '',
      cell: ({ name, status }) =>
        status === 'active' ? linkButton(`${pathOf(name)}/revoke`, texts.revoke) : '',
    },
  ],
  all,
  { caption: texts.caption, isCaptionHidden: true, empty: empty(texts.emptyTitle, texts.empty) },
)}`,
    });
  },
};

function pathOf(name: string): string {
  return `/tokens/${encodeURIComponent(name)}`;
}

function nameOf(context: WebContext): string {
  return context.req.param('name') ?? '';
}

function tokenPage(context: WebContext, { name, token, scopes, expires_at: until }: NewTokenView): PageHtml {
  const speech = speechOf(context);
  const { tokens: texts } = peopleTexts(speech);
  return layout(context, {
    ...{ title: texts.made.title(name), here: 'system' },
    main: html`${notice(texts.made.once, 'warn')}
${card(texts.made.token, copyable(speech, token))}
${facts([
  [texts.heads.scopes, speech.f.list(scopes.map((one) => textOf(texts.scopes, one)))],
  [texts.heads.until, until === null ? texts.forever : timeOf(speech, until)],
])}
<p>${linkButton('/tokens', texts.made.back)}</p>`,
  });
}

/** A field of the form for each scope; together they are one input. */
const SCOPE = 'scope.';

export const tokenPages: readonly PageRoute[] = [
  listPage,
  ...changeForm({
    path: '/tokens/new',
    operation: addOneToken,
    form: (_context, speech) => {
      const { form: texts, scopes } = peopleTexts(speech).tokens;
      return {
        ...{ title: texts.title, here: 'system', submit: texts.submit },
        fields: [
          { name: 'name', label: texts.name, help: texts.nameHelp },
          ...SCOPES.map(
            (one, index): Field => ({
              ...{ name: `${SCOPE}${one}`, kind: 'check', label: html`<code>${one}</code> ${scopes[one]}` },
              // An error of the scopes stands at the first.
              ...(index === 0 && { inputs: ['scopes'] }),
            }),
          ),
          { name: 'expires', label: texts.expires, help: texts.expiresHelp, optional: true },
        ],
      };
    },
    input: (_context, { name = '', expires, ...typed }) => ({
      ...{ name, scopes: SCOPES.filter((one) => typed[`${SCOPE}${one}`] === 'on').join(',') },
      ...(expires && { expires }),
    }),
    done: (view, _typed, context) => tokenPage(context, view as NewTokenView),
  }),
  ...changeForm({
    path: '/tokens/:name/revoke',
    operation: revokeOneToken,
    form: (context, speech) => {
      const { revokeForm: texts } = peopleTexts(speech).tokens;
      return {
        ...{ title: texts.title(nameOf(context)), here: 'system', submit: texts.submit, danger: true },
        ...{ lead: html`<p class="lead">${texts.lead}</p>`, fields: [] },
      };
    },
    input: (context) => ({ name: nameOf(context) }),
    done: () => '/tokens?done=revoked',
  }),
];
