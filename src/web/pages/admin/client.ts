import { html } from 'hono/html';
import {
  pauseOneClient,
  resumeOneClient,
  setClientSettings,
  showClient,
} from '../../../operations/clients.ts';
import { addOneFunding } from '../../../operations/enter-funding.ts';
import { listAllFundings } from '../../../operations/fundings.ts';
import { inviteClient } from '../../../operations/invite-client.ts';
import { listPurchases } from '../../../operations/purchases.ts';
import type { ClientView, ShownClientView } from '../../../views/clients.ts';
import type { PurchaseView } from '../../../views/purchases.ts';
import type { WaitView } from '../../../views/waits.ts';
import { mayHere } from '../../request/rights.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { money, satsNumber, satsOf, timeOf } from '../../view/amounts.ts';
import { card, empty, facts, linkButton, type Tile, tiles } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { cashOutLink, machineLink, pathTo, payoutLink } from '../../view/links.ts';
import { htmlTable, pageOfList, pager } from '../../view/lists.ts';
import { doneNotice } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { type ClientTab, clientTabs, clientTexts, shownWallet } from './client-tabs.ts';
import { clientBadge } from './clients.ts';
import { pageOfAll, ROWS } from './filters.ts';
import { fundingTable } from './funding-table.ts';

/* One client: what is there, what was bought, what waits and why. */

const textsOf = (speech: Speech) => textsIn(speech, clientTexts);

export function clientName(context: WebContext): string {
  return context.req.param('name') ?? '';
}

/** The parts of a client that whoever asks gets. */
export function tabsFor(context: WebContext, speech: Speech, name: string, here: ClientTab): PageHtml {
  const can: ClientTab[] = [
    ...(['summary', 'cash', 'purchases'] as const),
    ...(mayHere(context, setClientSettings) ? (['settings'] as const) : []),
    ...(mayHere(context, inviteClient) ? (['access'] as const) : []),
    'log',
  ];
  return clientTabs(speech, name, here, can);
}

export const clientRoute: PageRoute = {
  method: 'GET',
  path: '/clients/:name',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech);
    const client = await performFor(context, showClient, { name: clientName(context) });
    const { name, status } = client;
    const done = {
      ...{ added: texts.add.done, set: texts.settings.done, wallet: texts.settings.walletDone },
      ...{ paused: texts.status.paused, resumed: texts.status.resumed, closed: texts.status.closed },
    };
    return layout(context, {
      ...{ title: name, here: 'clients', actions: actionsOf(context, speech, client) },
      main: html`${tabsFor(context, speech, name, 'summary')}${doneNotice(context, done)}
<p>${clientBadge(speech, status)}</p>
${
  client.balances.length === 0
    ? empty(texts.summary.nothingYet, texts.summary.nothingYetHelp)
    : client.balances.map((one) => figuresIn(speech, client, one))
}
${client.waits.length === 0 ? '' : waitTable(speech, client.waits)}
${card(texts.summary.about, settingsOf(context, speech, client))}`,
    });
  },
};

function actionsOf(context: WebContext, speech: Speech, { name, status }: ClientView): HtmlContent {
  const texts = textsOf(speech);
  const path = pathTo.client(name);
  if (status === 'closed') return '';
  const isPaused = status === 'paused';
  return [
    mayHere(context, addOneFunding) &&
      linkButton(`/fundings/new?${new URLSearchParams({ client: name })}`, texts.summary.addCash, 'primary'),
    mayHere(context, isPaused ? resumeOneClient : pauseOneClient) &&
      linkButton(
        `${path}/${isPaused ? 'resume' : 'pause'}`,
        isPaused ? texts.status.resume : texts.status.pause,
      ),
  ];
}

/** What the cash of one currency bought: the settled amounts, and beside them what waits. */
function figuresIn(speech: Speech, client: ClientView, balance: ClientView['balances'][number]): PageHtml {
  const texts = textsOf(speech).summary;
  const { f } = speech;
  const { currency, remaining, in_flight: onItsWay } = balance;
  const cash = (amount: string) => money(speech, amount, currency);
  const { [currency]: bought } = client.metrics;
  const all: (Tile | false)[] = [
    bought !== undefined && {
      name: texts.received,
      value: satsOf(speech, bought.sats_stacked),
      below: texts.forCash(f.money(bought.fiat_spent, currency)),
    },
    bought !== undefined &&
      bought.average_rate !== null && {
        name: texts.averagePrice,
        value: cash(bought.average_rate),
        below: bought.sats_per_unit !== null && texts.perUnit(f.decimal(bought.sats_per_unit), currency),
      },
    {
      ...{ name: texts.inMachine, value: cash(remaining) },
      below: /[1-9]/.test(onItsWay) ? texts.onTheWay(f.money(onItsWay, currency)) : texts.noneOnTheWay,
    },
    bought !== undefined &&
      bought.waiting_sats > 0n && {
        name: texts.waiting,
        value: satsOf(speech, bought.waiting_sats),
        below: texts.waitingCash(f.money(bought.waiting_fiat, currency)),
      },
    bought !== undefined && {
      name: texts.purchases,
      value: html`<a href="${pathTo.client(client.name)}/purchases">${f.count(bought.purchases)}</a>`,
      below: bought.last_at !== null && texts.lastAt(f.time(bought.last_at)),
    },
  ];
  return tiles(all.filter((one) => one !== false));
}

function waitTable(speech: Speech, waits: readonly WaitView[]): PageHtml {
  const texts = textsOf(speech).summary;
  const { t, f } = speech;
  return htmlTable(
    speech,
    [
      {
        ...{ head: texts.why, isHead: true },
        cell: ({ reason, minimum_sats: minimum, detail }) => [
          reason === 'minimum' && minimum !== null ? texts.minimum(f.sats(minimum)) : t.waits[reason],
          detail !== null && html`<br><small class="quiet" lang="en">${detail}</small>`,
        ],
      },
      { head: texts.until, cell: ({ until }) => (until === null ? texts.noClock : timeOf(speech, until)) },
      { head: texts.payouts, cell: ({ payouts }) => payouts.map((id) => html`${payoutLink(id)} `) },
      { head: t.sats, kind: 'num', cell: ({ sats }) => satsNumber(speech, sats) },
    ],
    waits,
    { caption: texts.waits },
  );
}

function settingsOf(context: WebContext, speech: Speech, client: ShownClientView): PageHtml {
  const texts = textsOf(speech).summary;
  const { f } = speech;
  const limits = Object.entries(client.daily_limits).map(([currency, limit]): [HtmlContent, HtmlContent] => {
    const { [currency]: most } = client.max_daily_limits;
    const bound = most === undefined ? texts.noMaximum : texts.maximum(f.money(most, currency));
    return [
      texts.limit(currency),
      html`${money(speech, limit, currency)} <small class="quiet">${bound}</small>`,
    ];
  });
  return html`<p>${texts.modeMeans[client.mode]}</p>${facts([
    ...limits,
    limits.length === 0 && [texts.noLimit, ''],
    [texts.since, timeOf(speech, client.created_at)],
    [texts.wallet, shownWallet(speech, client.wallet_id, mayHere(context, setClientSettings))],
  ])}`;
}

export const clientCashRoute: PageRoute = {
  method: 'GET',
  path: '/clients/:name/cash',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech).cash;
    const name = clientName(context);
    const { after } = context.req.query();
    const all = (await performFor(context, listAllFundings, { client: name })).toReversed();
    const { rows, next } = pageOfAll(all, after, ({ id }) => id);
    const list = fundingTable(speech, rows, { caption: texts.caption, without: ['client'] });
    return layout(context, {
      ...{ title: name, here: 'clients' },
      main: html`${tabsFor(context, speech, name, 'cash')}${
        all.length === 0 ? empty(texts.emptyTitle, texts.empty) : list
      }${pager(speech, `${pathTo.client(name)}/cash`, { ...(after && { after }) }, next)}`,
    });
  },
};

export const clientPurchasesRoute: PageRoute = {
  method: 'GET',
  path: '/clients/:name/purchases',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech).purchases;
    const name = clientName(context);
    const { after } = context.req.query();
    const query = { ...(after && { after }) };
    const list = await performFor(context, listPurchases, { client: name, limit: `${ROWS + 1}`, ...query });
    const { rows, after: next } = pageOfList(list.rows, ROWS, ({ id }) => id);
    return layout(context, {
      ...{ title: name, here: 'clients' },
      main: html`${tabsFor(context, speech, name, 'purchases')}${
        list.total === 0
          ? empty(texts.emptyTitle, texts.empty)
          : html`<p class="quiet">${texts.count(speech.f.count(list.total))}</p>${purchasesTable(speech, rows)}`
      }${pager(speech, `${pathTo.client(name)}/purchases`, query, next)}`,
    });
  },
};

function purchasesTable(speech: Speech, rows: readonly PurchaseView[]): PageHtml {
  const texts = textsOf(speech).purchases;
  const { heads } = texts;
  return htmlTable(
    speech,
    [
      { head: heads.cashOut, isHead: true, cell: ({ id }) => cashOutLink(id) },
      { head: heads.time, cell: ({ confirmed_at: at }) => timeOf(speech, at) },
      { head: heads.machine, kind: 'wide', cell: (row) => machineLink(row.machine, row.machine_name) },
      { head: heads.cash, kind: 'num', cell: ({ fiat, currency }) => money(speech, fiat, currency) },
      { head: heads.gross, kind: 'num wide', cell: (row) => satsNumber(speech, row.gross_sats) },
      { head: heads.commission, kind: 'num wide', cell: (row) => satsNumber(speech, row.commission_sats) },
      { head: heads.net, kind: 'num', cell: (row) => satsNumber(speech, row.net_sats) },
      {
        head: heads.price,
        kind: 'num wide',
        cell: ({ price, currency }) => price !== null && money(speech, price, currency),
      },
      {
        head: heads.payouts,
        kind: 'wide',
        cell: ({ payouts }) =>
          payouts.length === 0
            ? html`<span class="quiet">${texts.notPaid}</span>`
            : payouts.map(({ id }) => html`${payoutLink(id)} `),
      },
    ],
    rows,
    { caption: texts.caption },
  );
}
