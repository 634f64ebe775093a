import { html } from 'hono/html';
import { machineText } from '../../../lib/machine-label.ts';
import { listCashOuts } from '../../../operations/cash-outs.ts';
import type { CashOutView } from '../../../views/cash-outs.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { cashOutsEn } from '../../text/en/admin-cash-outs.ts';
import { cashOutsEs } from '../../text/es/admin-cash-outs.ts';
import { money, satsNumber, timeOf } from '../../view/amounts.ts';
import { badge, empty, linkButton } from '../../view/components.ts';
import type { PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { cashOutLink, machineLink } from '../../view/links.ts';
import { htmlTable, pageOfList, pager, pathWith, type TableColumn } from '../../view/lists.ts';
import type { PageRoute } from '../page-route.ts';
import { machinesOf } from './cash-fields.ts';
import { filterForm, ROWS, refusedFilter } from './filters.ts';

/* What was read of Lamassu and divided: each row's parts add up to what the layperson paid. */

export const cashOutTexts = { en: cashOutsEn, es: cashOutsEs };

export const cashOutListRoute: PageRoute = {
  method: 'GET',
  path: '/cash-outs',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsIn(speech, cashOutTexts);
    const { machine, client, from, to, after } = context.req.query();
    const asked = { machine, client, from, to };
    const chosen = Object.fromEntries(Object.entries(asked).filter(([, value]) => !!value));
    const read = await refusedFilter(
      performFor(context, listCashOuts, { ...chosen, limit: `${ROWS + 1}`, ...(after && { after }) }),
    );
    const machines = await machinesOf(context);
    const { filters } = texts;
    const form = filterForm(speech, '/cash-outs', [
      {
        ...{ name: 'machine', label: filters.machine, value: machine },
        choices: [
          { value: '', text: filters.all },
          ...machines.map((one) => ({ value: one.machine, text: machineText(one.machine, one.name) })),
        ],
      },
      { name: 'client', label: filters.client, value: client },
      { name: 'from', label: filters.from, value: from, kind: 'date' },
      { name: 'to', label: filters.to, value: to, kind: 'date' },
    ]);
    const exported = pathWith('/api/v1/exports/cash-outs', { format: 'csv', from, to });
    const page = { title: speech.t.nav.cashOuts, here: 'cashOuts' } as const;
    if ('refused' in read) return layout(context, { ...page, main: html`${form}${read.refused(speech)}` });
    const { total } = read.done;
    if (total === 0) {
      const isFiltered = Object.keys(chosen).length > 0;
      const main = isFiltered
        ? html`${form}${empty(texts.nothingFound, html`<a href="/cash-outs">${texts.showAll}</a>`)}`
        : empty(texts.emptyTitle, texts.empty);
      return layout(context, { ...page, main });
    }
    const { rows, after: next } = pageOfList(read.done.rows, ROWS, ({ id }) => id);
    return layout(context, {
      ...{ ...page, actions: linkButton(exported, texts.download) },
      main: html`${form}<p class="quiet">${texts.count(speech.f.count(total))}</p>
${cashOutTable(speech, rows)}${pager(speech, '/cash-outs', { ...chosen, ...(after && { after }) }, next)}`,
    });
  },
};

function cashOutTable(speech: Speech, rows: readonly CashOutView[]): PageHtml {
  const texts = textsIn(speech, cashOutTexts);
  const { heads } = texts;
  const sats = (value: bigint) => satsNumber(speech, value);
  const hasUndelivered = rows.some((one) => one.undelivered_sats > 0n);
  const columns: TableColumn<CashOutView>[] = [
    {
      ...{ head: heads.id, isHead: true },
      cell: ({ id, origin }) => [cashOutLink(id), origin !== 'lamassu' && [' ', badge(texts.byHand)]],
    },
    { head: heads.time, cell: ({ confirmed_at: at }) => timeOf(speech, at) },
    { head: heads.machine, kind: 'wide', cell: (one) => machineLink(one.machine, one.machine_name) },
    { head: heads.cash, kind: 'num', cell: ({ fiat, currency }) => money(speech, fiat, currency) },
    { head: heads.gross, kind: 'num', cell: (one) => html`<strong>${sats(one.gross_sats)}</strong>` },
    { head: heads.net, kind: 'num wide', cell: (one) => sats(one.net_sats) },
    { head: heads.commission, kind: 'num wide', cell: (one) => sats(one.commission_sats) },
    { head: heads.own, kind: 'num wide', cell: (one) => sats(one.own_sats) },
    ...(hasUndelivered
      ? [
          {
            ...({ head: heads.undelivered, kind: 'num wide' } as const),
            cell: (one: CashOutView) => sats(one.undelivered_sats),
          },
        ]
      : []),
  ];
  return htmlTable(speech, columns, rows, { caption: texts.caption });
}
