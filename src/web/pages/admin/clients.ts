import { html } from 'hono/html';
import { addNewClient, listClients, listSetClients } from '../../../operations/clients.ts';
import type { ClientView } from '../../../views/clients.ts';
import { mayHere } from '../../request/rights.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { dayOf, money, satsNumber } from '../../view/amounts.ts';
import { badge, empty, linkButton, type Tone } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { clientLink } from '../../view/links.ts';
import { htmlTable, pager } from '../../view/lists.ts';
import type { PageRoute } from '../page-route.ts';
import { clientTexts } from './client-tabs.ts';
import { filterForm, pageOfAll } from './filters.ts';

/* All clients, with what each has and got. */

const STATES = ['active', 'paused', 'closing', 'closed'] as const;

const TONES: Record<ClientView['status'], Tone> = {
  ...{ active: 'good', paused: 'warn', closing: 'warn', closed: 'quiet' },
};

export function clientBadge({ t }: Speech, status: ClientView['status']): PageHtml {
  return badge(t.clientStates[status], TONES[status]);
}

export const clientListRoute: PageRoute = {
  method: 'GET',
  path: '/clients',
  show: async (context) => {
    const speech = speechOf(context);
    const { t } = speech;
    const texts = textsIn(speech, clientTexts);
    const { list } = texts;
    const { q = '', status = '', after } = context.req.query();
    const all = await performFor(context, listSetClients, {});
    const found = all.filter(
      (one) =>
        one.name.toLowerCase().includes(q.trim().toLowerCase()) && (status === '' || one.status === status),
    );
    const page = pageOfAll(found, after, ({ name }) => name);
    const rows = await performFor(context, listClients, { name: page.rows.map(({ name }) => name) });
    const add = mayHere(context, addNewClient) ? linkButton('/add-client', list.add, 'primary') : '';
    const main =
      all.length === 0
        ? empty(list.emptyTitle, list.empty)
        : html`${filterForm(speech, '/clients', [
            { name: 'q', label: list.search, value: q },
            {
              ...{ name: 'status', label: list.state, value: status },
              choices: [
                { value: '', text: list.all },
                ...STATES.map((value) => ({ value, text: t.clientStates[value] })),
              ],
            },
          ])}${
            found.length === 0
              ? empty(list.nothingFound, html`<a href="/clients">${list.showAll}</a>`)
              : html`${clientTable(speech, rows)}${pager(speech, '/clients', { q, status, ...(after && { after }) }, page.next)}`
          }`;
    return layout(context, { title: t.nav.clients, here: 'clients', actions: add, main });
  },
};

function clientTable(speech: Speech, rows: readonly ClientView[]): PageHtml {
  const { heads, list } = textsIn(speech, clientTexts);
  const { t } = speech;
  const each = (cells: readonly HtmlContent[]) => cells.map((cell) => html`<div>${cell}</div>`);
  const unit = html` <span class="unit">${t.sats}</span>`;
  return htmlTable(
    speech,
    [
      {
        head: heads.client,
        isHead: true,
        cell: ({ name, status }) => [
          clientLink(name),
          status !== 'active' && html` <span class="narrow-only">${clientBadge(speech, status)}</span>`,
        ],
      },
      {
        head: heads.state,
        // On a phone it stands only where it is not as usual.
        kind: 'wide',
        cell: ({ status }) => clientBadge(speech, status),
      },
      { head: heads.mode, kind: 'wide', cell: ({ mode }) => t.modes[mode] },
      {
        head: heads.limit,
        kind: 'num wide',
        cell: ({ daily_limits: limits }) =>
          each(Object.entries(limits).map(([currency, limit]) => money(speech, limit, currency))),
      },
      {
        head: heads.cash,
        kind: 'num',
        cell: ({ balances }) => each(balances.map((one) => money(speech, one.remaining, one.currency))),
      },
      {
        head: heads.onTheWay,
        kind: 'num wide',
        cell: ({ balances }) =>
          each(
            balances.map((one) =>
              /[1-9]/.test(one.in_flight) ? money(speech, one.in_flight, one.currency) : '',
            ),
          ),
      },
      {
        head: [heads.received, unit],
        kind: 'num',
        cell: ({ metrics }) =>
          each(Object.values(metrics).map((one) => satsNumber(speech, one.sats_stacked))),
      },
      {
        head: [heads.waiting, unit],
        kind: 'num wide',
        cell: ({ metrics }) =>
          each(Object.values(metrics).map((one) => satsNumber(speech, one.waiting_sats))),
      },
      {
        head: heads.last,
        kind: 'wide',
        cell: ({ metrics }) =>
          each(Object.values(metrics).map(({ last_at: at }) => (at === null ? '' : dayOf(speech, at)))),
      },
    ],
    rows,
    { caption: list.caption, isCaptionHidden: true },
  );
}
