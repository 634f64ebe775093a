import { html } from 'hono/html';
import type * as z from 'zod';
import { listCredits, showCredit } from '../../../operations/credits.ts';
import { previewResolveCredit, resolveCredit } from '../../../operations/resolve-credit.ts';
import type { CreditView, resolveCreditPreview } from '../../../views/credits.ts';
import { CREDIT_STATES } from '../../../views/states.ts';
import { mayHere } from '../../request/rights.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { type CreditsTexts, creditsEn } from '../../text/en/admin-credits.ts';
import { creditsEs } from '../../text/es/admin-credits.ts';
import { satsNumber, satsOf, timeOf } from '../../view/amounts.ts';
import { badge, card, copyable, empty, facts, linkButton, notice, tabs } from '../../view/components.ts';
import type { PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { cashOutLink, creditLink, pathTo } from '../../view/links.ts';
import { htmlTable, pageOfList, pager, pathWith } from '../../view/lists.ts';
import { messageOf } from '../../view/messages.ts';
import { changeForm, doneNotice } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { ROWS } from './filters.ts';
import { quietSeconds, reasonField } from './payout-changes.ts';
import { inProgramsWords } from './run-parts.ts';

/* What LNbits' superuser put, or will put, into the source wallet. */

function creditTexts(speech: Speech): CreditsTexts {
  return textsIn(speech, { en: creditsEn, es: creditsEs });
}

function stateBadge({ states }: CreditsTexts, state: CreditView['state']): PageHtml {
  const isOver = state === 'credited' || state === 'dropped';
  return badge(states[state], state === 'credited' ? 'good' : isOver ? 'quiet' : 'warn');
}

const listPage: PageRoute = {
  method: 'GET',
  path: '/credits',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = creditTexts(speech);
    const { heads } = texts;
    const { after, ...query } = context.req.query();
    const state = CREDIT_STATES.find((one) => one === query.state);
    const view = await performFor(context, listCredits, {
      ...{ limit: `${ROWS + 1}`, ...(state && { state }) },
      ...(after && { after }),
    });
    const page = pageOfList(view.rows, ROWS, ({ id }) => id);
    const nothing = state ? empty(texts.nothingFound) : empty(texts.emptyTitle, texts.empty);
    return layout(context, {
      ...{ title: texts.title, here: 'payouts', live: true },
      main: html`<p class="lead">${texts.lead}</p>
${tabs(texts.tabs, [
  { href: '/credits', text: texts.all, isHere: state === undefined },
  ...CREDIT_STATES.map((one) => ({
    ...{ href: pathWith('/credits', { state: one }), text: texts.states[one], isHere: one === state },
  })),
])}
<div id="credits" data-live class="stack">
${htmlTable(
  speech,
  [
    { head: heads.credit, isHead: true, cell: ({ id }) => creditLink(id) },
    { head: heads.state, cell: (one) => stateBadge(texts, one.state) },
    { head: speech.t.sats, kind: 'num', cell: ({ sats }) => satsNumber(speech, sats) },
    { head: heads.made, cell: ({ created_at: at }) => timeOf(speech, at) },
    { head: heads.cashOuts, kind: 'num', cell: ({ cash_outs: count }) => speech.f.count(count) },
    { head: heads.why, kind: 'wide', cell: ({ reason }) => html`<span lang="en">${reason}</span>` },
  ],
  page.rows,
  { caption: texts.caption, isCaptionHidden: true, empty: nothing },
)}
${pager(speech, '/credits', { state, after }, page.after)}
</div>`,
    });
  },
};

function idOf(context: WebContext): string {
  return context.req.param('id') ?? '';
}

const detailPage: PageRoute = {
  method: 'GET',
  path: '/credits/:id',
  show: async (context) => {
    const speech = speechOf(context);
    const all = creditTexts(speech);
    const { detail: texts } = all;
    const view = await performFor(context, showCredit, { id: idOf(context) });
    const { id, state, reason, cash_outs: cashOuts, sent_at: sent, credited_at: credited } = view;
    const isOpen = state !== 'credited';
    return layout(context, {
      ...{ title: texts.title(id), here: 'payouts' },
      main: html`${doneNotice(context, { resolved: all.resolved })}
${card(
  satsOf(speech, view.sats),
  facts([
    [
      texts.state,
      html`${stateBadge(all, state)}${reason === null ? '' : html` <span lang="en">${reason}</span>`}`,
    ],
    mayHere(context, resolveCredit) && [texts.wallet, html`<code>${view.wallet_id}</code>`],
    [texts.made, timeOf(speech, view.created_at)],
    sent !== null && [texts.sent, timeOf(speech, sent)],
    credited !== null && [texts.credited, timeOf(speech, credited)],
    view.payment_hash !== null && [texts.payment, copyable(speech, view.payment_hash)],
    [
      texts.cashOuts,
      cashOuts.length === 0 ? texts.fee : html`${cashOuts.map((one) => html`${cashOutLink(one.id)} `)}`,
    ],
  ]),
)}
${isOpen && mayHere(context, resolveCredit) ? html`<p>${linkButton(`${pathTo.credit(id)}/resolve`, texts.decide)}</p>` : ''}`,
    });
  },
};

export const creditPages: readonly PageRoute[] = [
  listPage,
  detailPage,
  ...changeForm({
    path: '/credits/:id/resolve',
    operation: resolveCredit,
    preview: {
      operation: previewResolveCredit,
      waits: (context, speech) => creditTexts(speech).resolveForm.waits(quietSeconds(context)),
    },
    form: (context, speech) => {
      const { resolveForm: texts } = creditTexts(speech);
      return {
        ...{ title: texts.title(idOf(context)), here: 'payouts' },
        lead: html`<p class="lead">${texts.lead}</p>`,
        fields: [
          {
            ...{ name: 'word', label: texts.word, kind: 'choice', inputs: ['credited', 'not_credited'] },
            choices: [
              { value: 'credited', text: texts.yes, help: texts.yesHelp },
              { value: 'not_credited', text: texts.no, help: texts.noHelp(quietSeconds(context)) },
            ],
          },
          { name: 'payment', label: texts.payment, optional: true },
          reasonField(speech),
        ],
      };
    },
    input: (context, { word, payment }) => ({
      ...{ id: idOf(context), credited: word === 'credited', not_credited: word === 'not_credited' },
      ...(payment && { payment }),
    }),
    agree: (_context, speech, { word }, view) => {
      const { question } = view as z.output<typeof resolveCreditPreview>;
      const { resolveForm: texts } = creditTexts(speech);
      const content = notice(
        html`<p><strong>${word === 'credited' ? texts.yes : texts.no}</strong></p>${inProgramsWords(
          speech,
          messageOf(speech, question),
        )}`,
        'warn',
      );
      return { content, submit: texts.button };
    },
    done: (_view, _typed, context) => `${pathTo.credit(idOf(context))}?done=resolved`,
  }),
];
