import { html } from 'hono/html';
import { dismissReview, listReview, releaseReview, showReview } from '../../../operations/reviews.ts';
import { settleExternal } from '../../../operations/settlements.ts';
import type {
  DismissedView,
  ReleasedView,
  ReviewDetailView,
  ReviewView,
  UnseenRowView,
} from '../../../views/review.ts';
import { mayHere } from '../../request/rights.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { type ReviewTexts, reviewEn } from '../../text/en/admin-review.ts';
import { reviewEs } from '../../text/es/admin-review.ts';
import { textOf } from '../../text/texts.ts';
import { agoOf, timeOf } from '../../view/amounts.ts';
import { badge, card, copyable, empty, facts, linkButton, notice, tabs } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { cashOutLink, machineLink, pathTo, reviewLink, shortCashOut } from '../../view/links.ts';
import { htmlTable, pageOfList, pager, pathWith } from '../../view/lists.ts';
import { callLink, messageOf } from '../../view/messages.ts';
import { changeForm, doneNotice } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { ROWS } from './filters.ts';
import { reasonField } from './payout-changes.ts';

/* Cash-outs that are not paid by themselves: what Lamassu said then and says now, and what can be done. */

export function reviewTexts(speech: Speech): ReviewTexts {
  return textsIn(speech, { en: reviewEn, es: reviewEs });
}

const reviewsPage: PageRoute = {
  method: 'GET',
  path: '/review',
  show: async (context) => {
    const speech = speechOf(context);
    const { t } = speech;
    const texts = reviewTexts(speech);
    const now = context.get('site').serving.clock.now();
    const { after, which } = context.req.query();
    const all = which === 'all';
    const view = await performFor(context, listReview, {
      ...{ all, limit: `${ROWS + 1}` },
      ...(after && { after }),
    });
    const page = pageOfList(view.rows, ROWS, ({ id }) => id);
    return layout(context, {
      ...{ title: t.nav.review, here: 'review', live: true },
      actions: mayHere(context, settleExternal) ? linkButton('/settle', texts.external) : '',
      main: html`${doneNotice(context, texts.done)}
${tabs(texts.tabs, [
  { href: '/review', text: texts.open, isHere: !all },
  { href: pathWith('/review', { which: 'all' }), text: texts.all, isHere: all },
])}
<div id="review" data-live class="stack">
${htmlTable(
  speech,
  [
    { head: texts.heads.row, isHead: true, cell: ({ id }) => reviewLink(id) },
    { head: texts.heads.since, cell: ({ since }) => agoOf(speech, since, now) },
    { head: texts.heads.machine, cell: (one) => machineOf(one) },
    { head: texts.heads.why, kind: 'words', cell: ({ reason }) => textOf(t.reviewReasons, reason) },
    { head: texts.heads.state, cell: (one) => stateBadge(texts, one) },
  ],
  page.rows,
  { caption: texts.caption, isCaptionHidden: true, empty: empty(texts.emptyTitle, texts.empty) },
)}
${pager(speech, '/review', { which, after }, page.after)}
</div>`,
    });
  },
};

function machineOf({
  machine,
  machine_name: name,
}: Pick<ReviewView, 'machine' | 'machine_name'>): HtmlContent {
  return machine === null ? '' : machineLink(machine, name);
}

function stateBadge({ states }: Pick<ReviewTexts, 'states'>, { state }: Pick<ReviewView, 'state'>): PageHtml {
  return badge(states[state], state === 'open' ? 'warn' : 'quiet');
}

const detailPage: PageRoute = {
  method: 'GET',
  path: '/review/:id',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = reviewTexts(speech);
    const view = await performFor(context, showReview, { id: context.req.param('id') ?? '' });
    return layout(context, {
      ...{ title: texts.detail.title(shortCashOut(view.id)), here: 'review' },
      main: html`${doneNotice(context, texts.done)}
${view.state === null ? unseenFacts(speech, view) : reviewFacts(speech, view)}
${nextCard(context, speech, view)}
${view.state === null ? rowTable(speech, view.lamassu, null) : thenAndNow(speech, view)}`,
    });
  },
};

function reviewFacts(speech: Speech, view: ReviewDetailView): PageHtml {
  const { t, f } = speech;
  const { detail: texts, ...all } = reviewTexts(speech);
  const { ledger, released, closed_at: closedAt, closed_by: closedBy, closed_reason: closedReason } = view;
  const { cash_out: cashOut, watched_since: watched } = ledger;
  return card(
    textOf(t.reviewReasons, view.reason),
    facts([
      [texts.id, copyable(speech, view.id)],
      [texts.state, stateBadge(all, view)],
      [texts.since, timeOf(speech, view.since)],
      view.machine !== null && [texts.machine, machineOf(view)],
      [texts.before, html`<span lang="en">${view.detail}</span>`],
      [texts.now, html`<span lang="en">${messageOf(speech, view.lamassu_says)}</span>`],
      released !== null && [
        texts.released,
        html`${timeOf(speech, released.at)} ${texts.by(released.by)}${released.reason === null ? '' : `: ${released.reason}`}`,
      ],
      closedAt !== null && [
        texts.closed,
        html`${timeOf(speech, closedAt)} ${texts.by(closedBy ?? '')}: ${closedReason}`,
      ],
      watched !== null && [texts.watched, timeOf(speech, watched)],
      [
        texts.divided,
        cashOut === null
          ? texts.nothingDivided
          : html`${cashOutLink(cashOut.id)} ${texts.dividedAs(f.money(cashOut.fiat, cashOut.currency), f.sats(cashOut.gross_sats))}`,
      ],
    ]),
  );
}

function unseenFacts(speech: Speech, view: UnseenRowView): PageHtml {
  const { detail: texts } = reviewTexts(speech);
  const { reason, detail } = view;
  return card(
    reason === null ? texts.eligible : textOf(speech.t.reviewReasons, reason),
    html`<p>${texts.never}</p>${facts([
      [texts.id, copyable(speech, view.id)],
      view.machine !== null && [texts.machine, machineOf(view)],
      detail !== null && [texts.now, html`<span lang="en">${detail}</span>`],
    ])}`,
  );
}

/** The operations that whoever asks may do. */
function nextCard(
  context: WebContext,
  speech: Speech,
  { next }: ReviewDetailView | UnseenRowView,
): HtmlContent {
  if (!mayHere(context, releaseReview)) return '';
  const { detail: texts } = reviewTexts(speech);
  return card(
    texts.next,
    html`<ol>${next.map(
      ({ after, ...call }) =>
        html`<li>${callLink(speech, call)}${
          after === undefined ? '' : html` <span class="quiet" lang="en">(${texts.after(after)})</span>`
        }</li>`,
    )}</ol>`,
  );
}

function thenAndNow(speech: Speech, view: ReviewDetailView): PageHtml {
  const { detail: texts } = reviewTexts(speech);
  const { lamassu: now, ledger } = view;
  const then = withActions(ledger.lamassu_said, ledger.lamassu_said_actions);
  if (now === null) return html`${notice(texts.notAsked)}${rowTable(speech, then, null)}`;
  const today = withActions(now, view.lamassu_actions);
  const names = [...new Set([...Object.keys(then), ...Object.keys(today)])];
  const isSame = names.every((name) => written(then[name]) === written(today[name]));
  return html`${isSame ? notice(texts.isSame, 'good') : ''}${rowTable(speech, then, isSame ? null : today)}`;
}

/** With its dispenses in words, in the place of Lamassu's own. */
function withActions(row: Record<string, unknown>, actions: readonly string[]): Record<string, unknown> {
  return 'actions' in row || actions.length > 0 ? { ...row, actions: actions.join('; ') } : row;
}

function written(value: unknown): string {
  return value === null || value === undefined
    ? ''
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}

/** Lamassu's row, column by column; those that differ now are marked by what they are now. */
function rowTable(
  speech: Speech,
  then: Record<string, unknown>,
  now: Record<string, unknown> | null,
): PageHtml {
  const { detail: texts } = reviewTexts(speech);
  const names = [...new Set([...Object.keys(then), ...Object.keys(now ?? {})])];
  const rows = names.filter((name) => written(then[name]) !== '' || written(now?.[name]) !== '');
  const column = {
    head: texts.column,
    isHead: true as const,
    cell: (name: string) => html`<code>${name}</code>`,
  };
  const before = { head: texts.lamassuThen, cell: (name: string) => written(then[name]) };
  const today = {
    head: texts.lamassuNow,
    cell: (name: string) =>
      written(now?.[name]) === written(then[name])
        ? html`<span class="quiet">${texts.same}</span>`
        : html`<strong>${written(now?.[name]) || texts.nothing}</strong>`,
  };
  return htmlTable(speech, now === null ? [column, before] : [column, before, today], rows, {
    caption: texts.columns,
  });
}

function idOf(context: WebContext): string {
  return context.req.param('id') ?? '';
}

const changes: readonly PageRoute[] = [
  ...changeForm({
    path: '/review/:id/release',
    operation: releaseReview,
    // What Lamassu says now is what is agreed to.
    preview: { operation: showReview },
    form: (context, speech) => {
      const { releaseForm: texts } = reviewTexts(speech);
      return {
        ...{ title: texts.title(shortCashOut(idOf(context))), here: 'review' },
        lead: html`<p class="lead">${texts.lead}</p>`,
        fields: [{ ...reasonField(speech), optional: true }],
      };
    },
    input: (context) => ({ id: idOf(context) }),
    agree: (_context, speech, _typed, view) => {
      const seen = view as ReviewDetailView | UnseenRowView;
      const { releaseForm: texts } = reviewTexts(speech);
      const content =
        seen.state === null
          ? html`${unseenFacts(speech, seen)}${rowTable(speech, seen.lamassu, null)}`
          : html`${reviewFacts(speech, seen)}${thenAndNow(speech, seen)}`;
      return { content, submit: texts.submit };
    },
    done: (view, _typed, context) =>
      `${pathTo.review(idOf(context))}?done=${(view as ReleasedView).written ? 'released' : 'releasedBefore'}`,
  }),
  ...changeForm({
    path: '/review/:id/dismiss',
    operation: dismissReview,
    form: (context, speech) => {
      const { dismissForm: texts } = reviewTexts(speech);
      return {
        ...{ title: texts.title(shortCashOut(idOf(context))), here: 'review' },
        ...{
          lead: html`<p class="lead">${texts.lead}</p>`,
          fields: [reasonField(speech)],
          submit: texts.submit,
        },
      };
    },
    input: (context) => ({ id: idOf(context) }),
    done: (view, _typed, context) => {
      const { written: isNew, accepted } = view as DismissedView;
      const done = !isNew ? 'dismissedBefore' : accepted === null ? 'dismissed' : 'accepted';
      return `${pathTo.review(idOf(context))}?done=${done}`;
    },
  }),
];

export const reviewPages: readonly PageRoute[] = [reviewsPage, ...changes, detailPage];
