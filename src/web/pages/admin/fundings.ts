import { html } from 'hono/html';
import { addOneFunding, confirmOneFunding } from '../../../operations/enter-funding.ts';
import {
  adjustOneFunding,
  cancelOneFunding,
  listAllFundings,
  moveOneFunding,
  showFunding,
} from '../../../operations/fundings.ts';
import { withdrawFromFunding } from '../../../operations/withdraw-funding.ts';
import { type FundingView, fundingView, type ShownFundingView } from '../../../views/fundings.ts';
import { mayHere } from '../../request/rights.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor, type RoutedOperation } from '../../request/visitor.ts';
import { actionsEn } from '../../text/en/actions.ts';
import { actionsEs } from '../../text/es/actions.ts';
import { textOf } from '../../text/texts.ts';
import { money, satsNumber, timeOf } from '../../view/amounts.ts';
import { empty, facts, fundingBadge, linkButton } from '../../view/components.ts';
import type { PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { cashOutLink, clientLink, pathTo } from '../../view/links.ts';
import { htmlTable, pager } from '../../view/lists.ts';
import { doneNotice } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { filterForm, pageOfAll } from './filters.ts';
import { fundingMachine, fundingTable, fundingTexts, remainsBar } from './funding-table.ts';

/* Cash of clients: what is on its way, what is in the machines, and the rest. */

type FundingStatus = FundingView['status'];

export const fundingListRoute: PageRoute = {
  method: 'GET',
  path: '/fundings',
  show: async (context) => {
    const speech = speechOf(context);
    const { t } = speech;
    const texts = textsIn(speech, fundingTexts);
    const { client, after } = context.req.query();
    const status = statusOf(context.req.query('status'));
    const all = await performFor(context, listAllFundings, {
      ...(client && { client }),
      ...(status && { status }),
    });
    const filter = filterForm(speech, '/fundings', [
      { name: 'client', label: texts.filters.client, value: client },
      {
        ...{ name: 'status', label: texts.filters.status, value: status },
        choices: [
          { value: '', text: texts.filters.all },
          ...fundingView.shape.status.options.map((value) => ({ value, text: t.fundingStates[value] })),
        ],
      },
    ]);
    const isFiltered = !!client || status !== undefined;
    const add = mayHere(context, addOneFunding) ? linkButton('/fundings/new', texts.add, 'primary') : '';
    const main =
      all.length === 0
        ? isFiltered
          ? html`${filter}${empty(texts.nothingFound)}`
          : empty(texts.emptyTitle, texts.empty)
        : html`${filter}${groups(context, speech, all, { status, client, after })}`;
    return layout(context, { title: t.nav.fundings, here: 'fundings', actions: add, main });
  },
};

function statusOf(text: string | undefined): FundingStatus | undefined {
  return fundingView.shape.status.options.find((one) => one === text);
}

interface FundingsAsked {
  status: FundingStatus | undefined;
  client: string | undefined;
  after: string | undefined;
}

/** What waits for somebody to confirm it comes first; what is over comes last. Page by page. */
function groups(
  context: WebContext,
  speech: Speech,
  all: readonly FundingView[],
  asked: FundingsAsked,
): PageHtml {
  const texts = textsIn(speech, fundingTexts);
  const { status, client, after } = asked;
  const isOver = (one: FundingView) => one.status !== 'in_flight' && one.status !== 'deposited';
  const of = (rows: readonly FundingView[], wanted: FundingStatus) =>
    rows.filter((one) => one.status === wanted);
  const others = all.filter(isOver).toReversed();
  const inOrder = [...of(all, 'in_flight'), ...of(all, 'deposited'), ...others];
  const { rows, next } = pageOfAll(inOrder, after, ({ id }) => id);
  const query = { ...(status && { status }), ...(client && { client }), ...(after && { after }) };
  // That there are none is said once, on the first page.
  const shows = (one: FundingStatus) =>
    of(rows, one).length > 0 ||
    (after === undefined && (status === undefined || status === one) && of(all, one).length === 0);
  const over = rows.filter(isOver);
  return html`${shows('in_flight') ? onItsWayTable(context, speech, of(rows, 'in_flight')) : ''}
${
  shows('deposited')
    ? fundingTable(speech, of(rows, 'deposited'), {
        ...{ caption: texts.caption.deposited, without: ['state'] },
        empty: html`<p>${texts.nothingInMachines}</p>`,
      })
    : ''
}
${over.length === 0 ? '' : fundingTable(speech, over, { caption: texts.caption.others })}
${pager(speech, '/fundings', query, next)}`;
}

function onItsWayTable(context: WebContext, speech: Speech, rows: readonly FundingView[]): PageHtml {
  const texts = textsIn(speech, fundingTexts);
  if (rows.length === 0) return html`<p class="quiet">${texts.nothingOnItsWay}</p>`;
  const may = mayHere(context, confirmOneFunding);
  const { heads } = texts;
  return htmlTable(
    speech,
    [
      { head: heads.id, isHead: true, cell: ({ id }) => html`<a href="${pathTo.funding(id)}">${id}</a>` },
      { head: heads.client, cell: ({ client }) => clientLink(client) },
      { head: heads.machine, kind: 'wide', cell: (row) => fundingMachine(speech, row) },
      { head: heads.amount, kind: 'num', cell: (row) => money(speech, row.amount, row.currency) },
      { head: heads.created, kind: 'wide', cell: (row) => timeOf(speech, row.created_at) },
      ...(may
        ? [
            {
              head: html`<span class="hear-only">${texts.confirmNow}</span>`,
              cell: ({ id }: FundingView) => linkButton(`${pathTo.funding(id)}/confirm`, texts.confirmNow),
            },
          ]
        : []),
    ],
    rows,
    { caption: texts.caption.in_flight },
  );
}

export const fundingRoute: PageRoute = {
  method: 'GET',
  path: '/fundings/:id',
  show: async (context) => {
    const speech = speechOf(context);
    const { t } = speech;
    const texts = textsIn(speech, fundingTexts);
    const { detail } = texts;
    const one = await performFor(context, showFunding, { id: context.req.param('id') ?? '' });
    const cash = (amount: string) => money(speech, amount, one.currency);
    return layout(context, {
      ...{
        title: detail.title(one.id, one.client),
        here: 'fundings',
        actions: whatCanBeDone(context, speech, one),
      },
      main: html`${doneNotice(context, texts.done)}
<p>${fundingBadge(speech, one.status)}</p>
${facts([
  [detail.client, clientLink(one.client)],
  [detail.machine, fundingMachine(speech, one)],
  [detail.amount, cash(one.amount)],
  [detail.remaining, html`${cash(one.remaining)}${remainsBar(speech, one)}`],
  [detail.spent, cash(one.spent)],
  [detail.withdrawn, cash(one.withdrawn)],
  [detail.rate, one.rate === null ? detail.noRate : speech.f.percent(one.rate)],
  [detail.created, timeOf(speech, one.created_at)],
  [detail.since, one.deposited_at === null ? detail.notYet : timeOf(speech, one.deposited_at)],
])}
${historyTable(context, speech, one)}
<p><a href="/log?subject=${one.id}">${t.nav.log}</a></p>`,
    });
  },
};

/** The changes that its state allows, for those who may make them. The operation decides. */
function whatCanBeDone(context: WebContext, speech: Speech, { id, status }: FundingView): PageHtml {
  const texts = textsIn(speech, fundingTexts).do;
  const all: readonly [keyof typeof texts, RoutedOperation, readonly FundingStatus[]][] = [
    ['confirm', confirmOneFunding, ['in_flight']],
    ['withdraw', withdrawFromFunding, ['deposited']],
    ['adjust', adjustOneFunding, ['deposited', 'exhausted', 'withdrawn']],
    ['move', moveOneFunding, ['in_flight', 'deposited']],
    ['cancel', cancelOneFunding, ['in_flight']],
  ];
  return html`${all
    .filter(([, operation, states]) => states.includes(status) && mayHere(context, operation))
    .map(([name]) =>
      linkButton(`${pathTo.funding(id)}/${name}`, texts[name], name === 'confirm' ? 'primary' : 'plain'),
    )}`;
}

type HistoryRow = ShownFundingView['history'][number];

/** Newest first, page by page; a row is known by its place. */
function historyTable(context: WebContext, speech: Speech, one: ShownFundingView): PageHtml {
  const { detail } = textsIn(speech, fundingTexts);
  const actions = textsIn(speech, { en: actionsEn, es: actionsEs });
  const spent = <T>(row: HistoryRow, show: (row: Extract<HistoryRow, { cash_out: string }>) => T) =>
    'cash_out' in row ? show(row) : '';
  const { after } = context.req.query();
  const all = one.history.map((row, index) => ({ ...row, place: `${index}` })).toReversed();
  const { rows, next } = pageOfAll(all, after, ({ place }) => place);
  const shown = htmlTable<HistoryRow>(
    speech,
    [
      { head: detail.at, isHead: true, cell: ({ at }) => timeOf(speech, at) },
      {
        head: detail.what,
        cell: (row) => ('cash_out' in row ? cashOutLink(row.cash_out) : textOf(actions, row.action)),
      },
      {
        head: detail.cash,
        kind: 'num',
        cell: (row) => spent(row, ({ fiat }) => money(speech, fiat, one.currency)),
      },
      {
        head: detail.sats,
        kind: 'num',
        cell: (row) =>
          spent(row, ({ net_sats: net, settled }) => [
            satsNumber(speech, net),
            settled ? '' : html` <small class="quiet">${detail.notSettled}</small>`,
          ]),
      },
      { head: detail.by, kind: 'wide', cell: (row) => ('actor' in row ? row.actor : '') },
      { head: detail.reason, kind: 'wide', cell: (row) => ('reason' in row ? row.reason : '') },
    ],
    rows,
    { caption: detail.history },
  );
  return html`${shown}${pager(speech, pathTo.funding(one.id), { ...(after && { after }) }, next)}`;
}
