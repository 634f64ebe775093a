import { html, raw } from 'hono/html';
import { renderSVG } from 'uqr';
import {
  addOnePerson,
  disableOnePerson,
  enableOnePerson,
  invitePerson,
  listPeople,
  setPersonRole,
} from '../../../operations/people.ts';
import type { InvitationView, PersonView } from '../../../views/people.ts';
import { ROLE_NAMES } from '../../../views/roles.ts';
import { mayHere } from '../../request/rights.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { type PeopleTexts, peopleEn } from '../../text/en/admin-people.ts';
import { peopleEs } from '../../text/es/admin-people.ts';
import { agoOf, dayOf, timeOf } from '../../view/amounts.ts';
import { badge, card, copyable, facts, linkButton, notice } from '../../view/components.ts';
import type { Field } from '../../view/forms.ts';
import type { PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { htmlTable } from '../../view/lists.ts';
import { changeForm, doneNotice } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';

/* Who may use this site. Links are shown once, in the answer to the form that made them. */

export function peopleTexts(speech: Speech): PeopleTexts {
  return textsIn(speech, { en: peopleEn, es: peopleEs });
}

const listPage: PageRoute = {
  method: 'GET',
  path: '/people',
  show: async (context) => {
    const speech = speechOf(context);
    const { t, f } = speech;
    const texts = peopleTexts(speech);
    const now = context.get('site').serving.clock.now();
    const people = await performFor(context, listPeople, {});
    const own = context.get('visitor').session?.name;
    return layout(context, {
      ...{ title: texts.title, here: 'system' },
      actions: mayHere(context, addOnePerson) ? linkButton('/people/new', texts.add, 'primary') : '',
      main: html`${doneNotice(context, texts.done)}<p class="lead">${texts.lead}</p>
${htmlTable(
  speech,
  [
    {
      ...{ head: texts.heads.name, isHead: true },
      cell: ({ name }) => html`${name}${name === own ? html` ${badge(texts.you)}` : ''}`,
    },
    { head: texts.heads.role, cell: ({ role }) => t.roles[role] },
    {
      head: texts.heads.state,
      cell: ({ status }) =>
        status === 'enabled' ? badge(texts.enabled, 'good') : badge(texts.disabled, 'bad'),
    },
    {
      ...{ head: texts.heads.ways, kind: 'wide' },
      cell: ({ ways }) => (ways.length === 0 ? texts.onlyLink : f.list(ways.map((one) => texts.ways[one]))),
    },
    { head: texts.heads.sessions, kind: 'num wide', cell: ({ sessions }) => f.count(sessions) },
    {
      head: texts.heads.seen,
      cell: ({ last_seen_at: at }) => (at === null ? texts.never : agoOf(speech, at, now)),
    },
    { head: texts.heads.added, kind: 'wide', cell: ({ created_at: at }) => dayOf(speech, at) },
    { head: '', cell: (one) => (one.name === own ? '' : buttons(texts, one)) },
  ],
  people,
  { caption: texts.caption, isCaptionHidden: true },
)}
<p><a href="/tokens">${texts.account.tokens}</a></p>`,
    });
  },
};

function pathOf(name: string): string {
  return `/people/${encodeURIComponent(name)}`;
}

function buttons(texts: PeopleTexts, { name, status }: PersonView): PageHtml {
  const path = pathOf(name);
  return status === 'enabled'
    ? html`<div class="actions">${linkButton(`${path}/invite`, texts.invite)}${linkButton(`${path}/role`, texts.setRole)}${linkButton(`${path}/disable`, texts.disable)}</div>`
    : linkButton(`${path}/enable`, texts.enable);
}

function nameOf(context: WebContext): string {
  return context.req.param('name') ?? '';
}

function roleField({ t }: Speech, texts: PeopleTexts, value: PersonView['role']): Field {
  return {
    ...{ name: 'role', label: texts.addForm.role, kind: 'choice', value },
    choices: ROLE_NAMES.map((one) => ({ value: one, text: t.roles[one], help: texts.roles[one] })),
  };
}

/** It is in no address, and no cache keeps the page. */
function linkPage(context: WebContext, { name, link, code, expires_at: until }: InvitationView): PageHtml {
  const speech = speechOf(context);
  const { link: texts } = peopleTexts(speech);
  return layout(context, {
    ...{ title: texts.title(name), here: 'system' },
    main: html`${notice(texts.once, 'warn')}
${card(texts.qr, html`<div class="qr" role="img" aria-label="${texts.qr}">${raw(renderSVG(link, { border: 2 }))}</div>`)}
${facts([
  [texts.link, copyable(speech, link)],
  [texts.code, copyable(speech, code)],
  [texts.until, timeOf(speech, until)],
])}
<p>${linkButton('/people', texts.back)}</p>`,
  });
}

const lead = (text: string) => html`<p class="lead">${text}</p>`;

export const peoplePages: readonly PageRoute[] = [
  listPage,
  ...changeForm({
    path: '/people/new',
    operation: addOnePerson,
    form: (_context, speech) => {
      const texts = peopleTexts(speech);
      const { addForm } = texts;
      return {
        ...{ title: addForm.title, here: 'system', submit: addForm.submit },
        fields: [
          { name: 'name', label: addForm.name, help: addForm.nameHelp },
          roleField(speech, texts, 'operator'),
        ],
      };
    },
    input: (_context, { name = '', role = '' }) => ({ name, role }),
    done: (view, _typed, context) => linkPage(context, view as InvitationView),
  }),
  ...changeForm({
    path: '/people/:name/invite',
    operation: invitePerson,
    form: (context, speech) => {
      const { inviteForm: texts } = peopleTexts(speech);
      return {
        ...{ title: texts.title(nameOf(context)), here: 'system', submit: texts.submit },
        ...{ lead: lead(texts.lead), fields: [] },
      };
    },
    input: (context) => ({ name: nameOf(context) }),
    done: (view, _typed, context) => linkPage(context, view as InvitationView),
  }),
  ...changeForm({
    path: '/people/:name/role',
    operation: setPersonRole,
    form: async (context, speech) => {
      const texts = peopleTexts(speech);
      const name = nameOf(context);
      const people = await performFor(context, listPeople, {});
      const role = people.find((one) => one.name === name)?.role ?? 'bookkeeper';
      return {
        ...{ title: texts.setForm.title(name), here: 'system', lead: lead(texts.setForm.lead) },
        fields: [roleField(speech, texts, role)],
      };
    },
    input: (context, { role = '' }) => ({ name: nameOf(context), role }),
    done: () => '/people?done=set',
  }),
  ...changeForm({
    path: '/people/:name/disable',
    operation: disableOnePerson,
    form: (context, speech) => {
      const { disableForm: texts } = peopleTexts(speech);
      return {
        ...{ title: texts.title(nameOf(context)), here: 'system', submit: texts.submit, danger: true },
        ...{ lead: lead(texts.lead), fields: [] },
      };
    },
    input: (context) => ({ name: nameOf(context) }),
    done: () => '/people?done=disabled',
  }),
  ...changeForm({
    path: '/people/:name/enable',
    operation: enableOnePerson,
    form: (context, speech) => {
      const { enableForm: texts } = peopleTexts(speech);
      return {
        ...{ title: texts.title(nameOf(context)), here: 'system', submit: texts.submit },
        ...{ lead: lead(texts.lead), fields: [] },
      };
    },
    input: (context) => ({ name: nameOf(context) }),
    done: () => '/people?done=enabled',
  }),
];
