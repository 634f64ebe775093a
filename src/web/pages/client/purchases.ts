import { html } from 'hono/html';
import { showPayout } from '../../../operations/payouts.ts';
import { listPurchases, showPurchase, sumPurchases } from '../../../operations/purchases.ts';
import type { PayoutDetailView } from '../../../views/payouts.ts';
import type { PurchaseDetailView, PurchaseSumView, PurchaseView } from '../../../views/purchases.ts';
import type { WebContext } from '../../request/site-context.ts';
import { performFor } from '../../request/visitor.ts';
import { money, satsNumber, satsOf, timeOf } from '../../view/amounts.ts';
import { card, copyable, empty, facts, linkButton, payoutBadge } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { htmlTable, pageOfList, pager } from '../../view/lists.ts';
import type { PageRoute } from '../page-route.ts';
import { type OwnSpeech, ownSpeech } from './own.ts';
import { purchaseBadge, purchaseColumns } from './own-figures.ts';

const PAGE = 25;

/** Month by month, newest first, with the sums of each month. */
export const purchasesPage: PageRoute = {
  method: 'GET',
  path: '/purchases',
  show: async (context) => {
    const speech = ownSpeech(context);
    const { x } = speech;
    const { month, state, after } = chosen(context);
    const { rows } = await performFor(context, listPurchases, {
      ...{ month, after, limit: `${PAGE + 1}` },
      ...(state !== undefined && { state }),
    });
    const sums = await performFor(context, sumPurchases, { by: 'month' });
    const page = pageOfList(rows, PAGE, ({ id }) => id);
    const byMonth = Map.groupBy(page.rows, (one) => speech.f.isoDay(one.confirmed_at).slice(0, 7));
    const list =
      page.rows.length === 0
        ? empty(x.purchases.none, x.purchases.noneHint)
        : html`${[...byMonth].map(([of, purchases]) => monthOf(speech, of, purchases, sums))}`;
    return layout(context, {
      ...{ title: x.purchases.title, here: 'purchases' },
      actions: linkButton('/statement', x.purchases.export),
      main: html`${sums.length === 0 ? '' : filters(speech, sums, { month, state })}${list}${pager(
        speech,
        '/purchases',
        { month, state, after },
        page.after,
      )}`,
    });
  },
};

interface Chosen {
  month: string | undefined;
  state: PurchaseView['state'] | undefined;
}

/** What is chosen in a form comes as empty text where nothing is. */
function chosen(context: WebContext): Chosen & { after: string | undefined } {
  const { month, state, after } = context.req.query();
  return {
    ...{ month: month || undefined, after: after || undefined },
    state: state === 'paid' || state === 'waiting' ? state : undefined,
  };
}

function filters({ x, f }: OwnSpeech, sums: readonly PurchaseSumView[], { month, state }: Chosen): PageHtml {
  const months = [...new Set(sums.map(({ of }) => of))].toReversed();
  const option = (value: string, text: string, now: string | undefined) =>
    html`<option value="${value}"${value === (now ?? '') ? html` selected` : ''}>${text}</option>`;
  return html`<form class="filters" method="get" action="/purchases">
<div class="field"><label for="month">${x.purchases.month}</label><select id="month" name="month">${option('', x.purchases.allMonths, month)}${months.map((one) => option(one, f.month(one), month))}</select></div>
<div class="field"><label for="state">${x.purchases.state}</label><select id="state" name="state">${option('', x.purchases.allStates, state)}${(['paid', 'waiting'] as const).map((one) => option(one, x.purchaseStates[one], state))}</select></div>
<button>${x.purchases.show}</button>
</form>`;
}

function monthOf(
  speech: OwnSpeech,
  month: string,
  purchases: readonly PurchaseView[],
  sums: readonly PurchaseSumView[],
): PageHtml {
  const { x, f } = speech;
  const title = f.month(month);
  const own = sums.filter(({ of }) => of === month);
  return html`<section class="stack">
<div class="card-head"><h2>${title}</h2><p class="quiet">${own.map(
    (one) =>
      html`<span class="sum">${x.purchases.sums(one.purchases)} · ${money(speech, one.fiat, one.currency)} · ${satsOf(speech, one.net_sats)}</span> `,
  )}</p></div>
${htmlTable(speech, purchaseColumns(speech), purchases, { caption: x.purchases.caption(title), isCaptionHidden: true })}
</section>`;
}

/** Where each sat comes from, and how it was paid. */
export const purchaseProofPage: PageRoute = {
  method: 'GET',
  path: '/purchases/:id',
  show: async (context) => {
    const speech = ownSpeech(context);
    const { x } = speech;
    const one = await performFor(context, showPurchase, { id: context.req.param('id') ?? '' });
    const payouts: PayoutDetailView[] = [];
    for (const { id } of one.payouts) payouts.push(await performFor(context, showPayout, { id }));
    return layout(context, {
      ...{ title: x.purchase.title, here: 'purchases' },
      main: html`<p><a href="/purchases">← ${x.purchases.title}</a></p>
${card(x.purchase.proof, proof(speech, one), purchaseBadge(speech, one))}
${one.allocations.length < 2 ? '' : parts(speech, one)}
${payouts.length === 0 ? card(x.purchase.payouts, html`<p class="quiet">${x.purchase.notYet}</p>`) : payouts.map((payout) => paymentOf(speech, one, payout))}`,
    });
  },
};

function proof(speech: OwnSpeech, one: PurchaseDetailView): PageHtml {
  const { x } = speech;
  return html`${facts([
    [x.purchase.time, timeOf(speech, one.confirmed_at)],
    [x.purchase.machine, one.machine_name ?? one.machine],
    [x.purchase.yourCash, money(speech, one.fiat, one.currency)],
    [x.purchase.gross, satsOf(speech, one.gross_sats)],
    [x.purchase.commission, html`− ${satsOf(speech, one.commission_sats)}`],
    [html`<strong>${x.purchase.net}</strong>`, html`<strong>= ${satsOf(speech, one.net_sats)}</strong>`],
    one.price !== null && [x.purchase.price, money(speech, one.price, one.currency)],
    [x.purchase.cashOut, copyable(speech, one.id)],
  ])}<p class="quiet">${x.purchase.rule}</p>`;
}

function parts(speech: OwnSpeech, one: PurchaseDetailView): PageHtml {
  const { x } = speech;
  return card(
    x.purchase.fundings,
    htmlTable(
      speech,
      [
        {
          ...{ head: x.purchase.funding, isHead: true },
          cell: (part) => html`<a href="/cash/${part.funding}">${part.funding}</a>`,
        },
        {
          ...{ head: x.purchases.cash, kind: 'num', total: money(speech, one.fiat, one.currency) },
          cell: (part) => money(speech, part.fiat, one.currency),
        },
        {
          ...{ head: x.purchase.gross, kind: 'num wide', total: satsNumber(speech, one.gross_sats) },
          cell: (part) => satsNumber(speech, part.gross_sats),
        },
        {
          ...{ head: x.purchase.commission, kind: 'num', total: satsNumber(speech, one.commission_sats) },
          cell: (part) => satsNumber(speech, part.commission_sats),
        },
        {
          ...{ head: x.purchase.net, kind: 'num', total: satsNumber(speech, one.net_sats) },
          cell: (part) => satsNumber(speech, part.net_sats),
        },
      ],
      one.allocations,
      { caption: x.purchase.fundings, isCaptionHidden: true },
    ),
  );
}

/** What was sent for it. A payout may pay several purchases together. */
function paymentOf(speech: OwnSpeech, purchase: PurchaseDetailView, payout: PayoutDetailView): PageHtml {
  const { x } = speech;
  const payments = payout.payments.filter(({ state }) => state !== 'dead');
  const rows = payments.flatMap((one): (readonly [HtmlContent, HtmlContent] | false)[] => [
    payments.length > 1 && [x.purchase.part(`${one.part}`), satsOf(speech, one.sats)],
    [x.purchase.hash, copyable(speech, one.payment_hash)],
    one.sent_at !== null && [x.purchase.sent, timeOf(speech, one.sent_at)],
    one.settled_at !== null && [x.purchase.arrived, timeOf(speech, one.settled_at)],
  ]);
  const isShared = payout.sats !== purchase.net_sats;
  return card(
    `${x.purchase.payouts} ${payout.id}`,
    html`${isShared ? html`<p>${x.purchase.together(speech.f.sats(payout.sats))}</p>` : ''}${facts(rows)}<p class="quiet">${x.purchase.search}</p>`,
    payoutBadge(speech, payout.state),
  );
}
