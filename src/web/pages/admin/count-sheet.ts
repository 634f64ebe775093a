import { html } from 'hono/html';
import { machineText } from '../../../lib/machine-label.ts';
import type { FundingView } from '../../../views/fundings.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { money, timeOf } from '../../view/amounts.ts';
import { facts } from '../../view/components.ts';
import type { PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { clientLink, fundingLink } from '../../view/links.ts';
import { htmlTable } from '../../view/lists.ts';
import type { PageRoute } from '../page-route.ts';
import { cashByCurrency, cashIn, machineOf, machineTexts } from './machines.ts';

/** As many cassettes as a machine has at most. */
const CASSETTES = 4;

const LINE = html`<span class="write-here"></span>`;

/** To be printed and taken along: the books beside what is counted, in writing. */
export const countSheet: PageRoute = {
  method: 'GET',
  path: '/machines/:machine/count',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsIn(speech, machineTexts).count;
    const one = await machineOf(context);
    const now = context.get('site').serving.clock.now();
    const print = html`<button type="button" class="plain" data-print hidden>${speech.t.print}</button>`;
    return layout(context, {
      ...{ title: texts.title(machineText(one.machine, one.name)), here: 'machines', actions: print },
      main: html`<p class="lead">${texts.lead}</p>
${facts([
  [texts.at, timeOf(speech, now)],
  [texts.clients, html`<strong>${cashByCurrency(speech, one.remaining)}</strong>`],
  [texts.ofAny, cashByCurrency(speech, one.remaining_any_machine)],
])}
${byClient(speech, await cashIn(context, one))}
${cassettes(speech)}
${facts([
  [texts.total, LINE],
  [texts.own, LINE],
  [texts.difference, LINE],
  [texts.who, LINE],
  [texts.witness, LINE],
  [texts.when, LINE],
])}
<p class="quiet">${texts.explain}</p>`,
    });
  },
};

function byClient(speech: Speech, rows: readonly FundingView[]): PageHtml {
  const texts = textsIn(speech, machineTexts);
  const sorted = rows.toSorted((a, b) => (a.client < b.client ? -1 : a.client > b.client ? 1 : 0));
  return htmlTable(
    speech,
    [
      { head: texts.replacing.heads.client, isHead: true, cell: ({ client }) => clientLink(client) },
      { head: texts.replacing.heads.funding, cell: ({ id }) => fundingLink(id) },
      {
        ...{ head: texts.count.books, kind: 'num' },
        cell: ({ remaining, currency }) => money(speech, remaining, currency),
      },
    ],
    sorted,
    { caption: texts.count.byClient, empty: html`<p>${texts.cash.empty}</p>` },
  );
}

function cassettes(speech: Speech): PageHtml {
  const texts = textsIn(speech, machineTexts).count;
  return htmlTable(
    speech,
    [
      { head: '', isHead: true, cell: (number) => texts.cassette(number) },
      { head: texts.notes, cell: () => LINE },
      { head: texts.pieces, cell: () => LINE },
      { head: texts.amount, cell: () => LINE },
    ],
    Array.from({ length: CASSETTES }, (_, index) => index + 1),
    { caption: texts.counted },
  );
}
