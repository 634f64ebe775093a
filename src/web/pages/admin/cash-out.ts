import { html } from 'hono/html';
import { sum } from '../../../dca/money.ts';
import { showCashOut } from '../../../operations/cash-outs.ts';
import { voidSettled } from '../../../operations/void-settlement.ts';
import type { CashOutDetailView } from '../../../views/cash-outs.ts';
import type { CausesView } from '../../../views/own-share.ts';
import { mayHere } from '../../request/rights.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { money, satsNumber, satsOf, timeOf } from '../../view/amounts.ts';
import { card, copyable, facts } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { clientLink, fundingLink, machineLink, pathTo, payoutLink, shortCashOut } from '../../view/links.ts';
import { htmlTable } from '../../view/lists.ts';
import type { PageRoute } from '../page-route.ts';
import { cashOutTexts } from './cash-outs.ts';
import { reviewTexts } from './review.ts';

/* One cash-out, to the sat: what was paid, how it was divided, and why. */

const textsOf = (speech: Speech) => textsIn(speech, cashOutTexts);

export const cashOutRoute: PageRoute = {
  method: 'GET',
  path: '/cash-outs/:id',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech);
    const one = await performFor(context, showCashOut, { id: context.req.param('id') ?? '' });
    return layout(context, {
      ...{ title: texts.title(shortCashOut(one.id)), here: 'cashOuts' },
      main: html`${factsOf(speech, one)}
${card(texts.formula.title, formulaOf(speech, one))}
${partsTable(speech, one)}
${card(texts.why.title, whyOf(speech, one))}
<p><a href="/log?subject=${encodeURIComponent(one.id)}">${speech.t.nav.log}</a>${
        one.settlement !== null && mayHere(context, voidSettled)
          ? html` · <a href="${pathTo.cashOut(one.id)}/void">${reviewTexts(speech).voidForm.submit}</a>`
          : ''
      }</p>`,
    });
  },
};

function factsOf(speech: Speech, one: CashOutDetailView): PageHtml {
  const texts = textsOf(speech);
  const names = texts.facts;
  const { settlement, begun_at_machine: begun } = one;
  return facts([
    [names.id, copyable(speech, one.id)],
    [names.confirmed, timeOf(speech, one.confirmed_at)],
    [names.processed, timeOf(speech, one.processed_at)],
    [names.machine, machineLink(one.machine, one.machine_name)],
    begun !== null && [names.begun, machineLink(begun, one.begun_at_machine_name)],
    [names.cash, money(speech, one.fiat, one.currency)],
    one.price !== null && [names.price, money(speech, one.price, one.currency)],
    [names.method, texts.methods[one.commission_method]],
    [names.origin, texts.origins[one.origin]],
    settlement !== null && [
      names.settledBy(settlement.actor),
      html`${settlement.reason} · ${timeOf(speech, settlement.at)}`,
    ],
  ]);
}

/** The sum in lines, as one adds up on paper. */
function formulaOf(speech: Speech, one: CashOutDetailView): PageHtml {
  const texts = textsOf(speech).formula;
  const { f } = speech;
  const line = (sign: string, name: HtmlContent, sats: bigint, isSum = false) =>
    [
      html`${sign} ${name}`,
      html`<span${isSum ? html` class="sum"` : ''}>${satsOf(speech, sats)}</span>`,
    ] as const;
  const worth =
    one.commission_fiat === null
      ? ''
      : html` <small class="quiet">${texts.commissionWorth(f.money(one.commission_fiat, one.currency))}</small>`;
  const bought = one.net_sats + one.own_sats;
  return html`${facts([
    line('', texts.net, one.net_sats),
    line('+', html`${texts.commission}${worth}`, one.commission_sats),
    line('+', texts.own, one.own_sats),
    line('+', texts.undelivered, one.undelivered_sats),
    line('=', html`<strong>${texts.gross}</strong>`, one.gross_sats, true),
  ])}
${
  one.price === null
    ? ''
    : html`<p class="quiet">${texts.priceIs(f.money(one.fiat, one.currency), f.sats(bought), f.money(one.price, one.currency))}</p>`
}`;
}

type PartRow = CashOutDetailView['allocations'][number] | { own: true };

/** The clients' parts, and the own share with its part of the commission, so that each column adds up. */
function partsTable(speech: Speech, one: CashOutDetailView): PageHtml {
  const texts = textsOf(speech).parts;
  const { allocations, currency } = one;
  const hasOwn = /[1-9]/.test(one.own_fiat);
  const ownCommission = one.commission_sats - sum(allocations.map((part) => part.commission_sats));
  const rows: PartRow[] = [...allocations, ...(hasOwn ? [{ own: true } as const] : [])];
  const sats = (value: bigint) => satsNumber(speech, value);
  const cell =
    (own: () => HtmlContent, part: (row: CashOutDetailView['allocations'][number]) => HtmlContent) =>
    (row: PartRow) =>
      'own' in row ? own() : part(row);
  return htmlTable<PartRow>(
    speech,
    [
      {
        ...{ head: texts.client, isHead: true },
        cell: cell(
          () => texts.own,
          ({ client }) => clientLink(client),
        ),
      },
      {
        head: texts.funding,
        cell: cell(
          () => '',
          ({ funding }) => fundingLink(funding),
        ),
      },
      {
        ...{ head: texts.cash, kind: 'num' },
        cell: cell(
          () => money(speech, one.own_fiat, currency),
          ({ fiat }) => money(speech, fiat, currency),
        ),
        total: money(speech, one.fiat, currency),
      },
      {
        ...{ head: texts.gross, kind: 'num wide' },
        cell: cell(
          () => sats(one.own_sats + ownCommission),
          (row) => sats(row.gross_sats),
        ),
        total: sats(one.gross_sats - one.undelivered_sats),
      },
      {
        ...{ head: texts.commission, kind: 'num wide' },
        cell: cell(
          () => sats(ownCommission),
          (row) => sats(row.commission_sats),
        ),
        total: sats(one.commission_sats),
      },
      {
        ...{ head: texts.net, kind: 'num' },
        cell: cell(
          () => sats(one.own_sats),
          (row) => sats(row.net_sats),
        ),
        total: sats(one.net_sats + one.own_sats),
      },
      {
        head: texts.payout,
        cell: cell(
          () => '',
          ({ payout }) =>
            payout === null ? html`<span class="quiet">${texts.waits}</span>` : payoutLink(payout),
        ),
      },
    ],
    rows,
    { caption: texts.caption, empty: texts.none },
  );
}

function whyOf(speech: Speech, { own_reasons: reasons }: CashOutDetailView): PageHtml {
  const texts = textsOf(speech).why;
  const own =
    reasons === null
      ? html`<p><strong>${texts.ownTitle}</strong></p><p>${texts.unknown}</p>`
      : reasons.length === 0
        ? ''
        : html`<p><strong>${texts.ownTitle}</strong></p><ul>${reasons.map((one) => html`<li>${causeText(speech, one)}</li>`)}</ul>`;
  return html`<p>${texts.share}</p>${own}`;
}

/** As many names as a reason has at most. */
const NAMED = 5;

function causeText(speech: Speech, { reason, clients }: CausesView[number]): string {
  const texts = textsOf(speech).why;
  const more = clients.length - NAMED;
  const names = more > 0 ? [...clients.slice(0, NAMED), `+${more}`] : clients;
  const text = texts[reason];
  return typeof text === 'string' ? text : text(speech.f.list(names), clients.length > 1);
}
