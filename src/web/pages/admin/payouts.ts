import { html } from 'hono/html';
import { recordOverpaid } from '../../../operations/overpaid.ts';
import {
  holdAllPayouts,
  holdPayout,
  listPayouts,
  releaseAllPayouts,
  releasePayoutById,
  retryPayoutById,
  showPayout,
} from '../../../operations/payouts.ts';
import { resolvePayout } from '../../../operations/resolve-payout.ts';
import type { PayoutDetailView, PayoutView } from '../../../views/payouts.ts';
import { PAYOUT_STATES } from '../../../views/states.ts';
import { mayHere } from '../../request/rights.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { type PayoutsTexts, payoutsEn } from '../../text/en/admin-payouts.ts';
import { payoutsEs } from '../../text/es/admin-payouts.ts';
import { satsNumber, satsOf, timeOf } from '../../view/amounts.ts';
import { badge, card, copyable, empty, facts, linkButton, payoutBadge, tabs } from '../../view/components.ts';
import type { PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { cashOutLink, pathTo, payoutLink, subjectLink } from '../../view/links.ts';
import { htmlTable, pageOfList, pager, pathWith } from '../../view/lists.ts';
import { doneNotice } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { filterForm, ROWS } from './filters.ts';

/* Payouts: by state with how many there are, and each with its payments in order. */

export function payoutTexts(speech: Speech): PayoutsTexts {
  return textsIn(speech, { en: payoutsEn, es: payoutsEs });
}

/** What a tab shows; `open`: whatever has not arrived. */
const TABS = ['open', ...PAYOUT_STATES, 'all'] as const;
type Tab = (typeof TABS)[number];

export const payoutsPage: PageRoute = {
  method: 'GET',
  path: '/payouts',
  show: async (context) => {
    const speech = speechOf(context);
    const { t, f } = speech;
    const texts = payoutTexts(speech);
    const { client = '', after, state } = context.req.query();
    const here = TABS.find((one) => one === state) ?? 'open';
    const asked = (tab: Tab) => ({ ...wanted(tab), ...(client && { client }) });
    const view = await performFor(context, listPayouts, {
      ...{ ...asked(here), limit: `${ROWS + 1}` },
      ...(after && { after }),
    });
    const counts = await Promise.all(
      TABS.map((tab) => performFor(context, listPayouts, { ...asked(tab), limit: '1' })),
    );
    const page = pageOfList(view.rows, ROWS, ({ id }) => id);
    const query = { state: here, client };
    return layout(context, {
      ...{ title: t.nav.payouts, here: 'payouts', live: true },
      actions: html`${mayHere(context, holdAllPayouts) ? linkButton('/payouts/hold', texts.holdAll) : ''}${
        mayHere(context, releaseAllPayouts) ? linkButton('/payouts/release', texts.releaseAll) : ''
      }`,
      main: html`${doneNotice(context, texts.done)}
${filterForm(speech, '/payouts', [{ name: 'client', label: texts.recipient, value: client }], { state: here })}
<div id="payouts" data-live class="stack">
${tabs(
  texts.tabs,
  TABS.map((tab, index) => ({
    href: pathWith('/payouts', { state: tab, client }),
    text: html`${tab === 'open' || tab === 'all' ? texts[tab] : t.payoutStates[tab]} ${badge(f.count(counts[index]?.total ?? 0))}`,
    isHere: tab === here,
  })),
)}
${payoutTable(speech, page.rows, {
  empty: here === 'all' && client === '' ? empty(texts.emptyTitle, texts.empty) : empty(texts.nothingFound),
})}
${pager(speech, '/payouts', { ...query, after }, page.after)}
</div>`,
    });
  },
};

function wanted(tab: Tab): { state?: PayoutView['state']; open?: true } {
  if (tab === 'all') return {};
  return tab === 'open' ? { open: true } : { state: tab };
}

function payoutTable(speech: Speech, rows: readonly PayoutView[], more: { empty: PageHtml }): PageHtml {
  const { t } = speech;
  const { heads, caption } = payoutTexts(speech);
  return htmlTable(
    speech,
    [
      { head: heads.payout, isHead: true, cell: ({ id }) => payoutLink(id) },
      { head: heads.to, cell: ({ kind, recipient }) => subjectLink(`${kind} ${recipient}`) },
      { head: heads.state, cell: ({ state }) => payoutBadge(speech, state) },
      { head: t.sats, kind: 'num', cell: ({ sats }) => satsNumber(speech, sats) },
      { head: heads.arrived, kind: 'num wide', cell: ({ settled_sats: sats }) => satsNumber(speech, sats) },
      { head: heads.formed, cell: ({ created_at: at }) => timeOf(speech, at) },
      { head: heads.why, kind: 'words wide', cell: ({ reason }) => reasonOf(reason) },
    ],
    rows,
    { caption, isCaptionHidden: true, ...more },
  );
}

/** The reason of a state, in the program's words. */
function reasonOf(reason: string | null) {
  return reason === null ? '' : html`<span lang="en">${reason}</span>`;
}

export const onePayoutPage: PageRoute = {
  method: 'GET',
  path: '/payouts/:id',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = payoutTexts(speech);
    const payout = await performFor(context, showPayout, { id: context.req.param('id') ?? '' });
    const { id, state } = payout;
    return layout(context, {
      ...{ title: texts.detail.title(id), here: 'payouts', live: true },
      main: html`${doneNotice(context, texts.done)}
<div id="payout" data-live class="stack">
${payoutFacts(speech, payout)}
<p>${texts.detail.next[state]}</p>
<div class="actions">${buttonsOf(context, speech, payout)}</div>
<h2>${texts.detail.payments}</h2>
${payout.payments.length === 0 ? html`<p class="quiet">${texts.detail.noPayments}</p>` : ''}
${payout.payments.map((one) => paymentCard(context, speech, one))}
</div>`,
    });
  },
};

const CASH_OUTS_NAMED = 30;

function payoutFacts(speech: Speech, payout: PayoutDetailView): PageHtml {
  const { f } = speech;
  const { detail: texts } = payoutTexts(speech);
  const { kind, recipient, state, reason, sats, fiat, currency, cash_outs: cashOuts } = payout;
  const more = cashOuts.length - CASH_OUTS_NAMED;
  return card(
    html`${satsOf(speech, sats)} → ${subjectLink(`${kind} ${recipient}`)}`,
    facts([
      [texts.what, kind === 'client' ? texts.forCash(f.money(fiat, currency)) : texts.ofCommission],
      [texts.state, html`${payoutBadge(speech, state)} ${reasonOf(reason)}`],
      [texts.arrived, satsOf(speech, payout.settled_sats)],
      payout.fee_msat > 0n && [texts.fee, html`${f.sats(payout.fee_msat)} ${texts.msat}`],
      [texts.formed, timeOf(speech, payout.created_at)],
      payout.settled_at !== null && [texts.settled, timeOf(speech, payout.settled_at)],
      [
        texts.cashOuts,
        html`${cashOuts.slice(0, CASH_OUTS_NAMED).map((id) => html`${cashOutLink(id)} `)}${more > 0 ? `+ ${f.count(more)}` : ''}`,
      ],
    ]),
  );
}

function buttonsOf(context: WebContext, speech: Speech, payout: PayoutDetailView): PageHtml {
  const texts = payoutTexts(speech);
  const { id, state, payments } = payout;
  const path = pathTo.payout(id);
  const isOpen = payments.some((one) => one.state !== 'settled' && one.state !== 'dead');
  const isHeld = state === 'held';
  const buttons = [
    isHeld && mayHere(context, releasePayoutById) && linkButton(`${path}/release`, texts.release, 'primary'),
    (isHeld || state === 'unknown') &&
      isOpen &&
      mayHere(context, resolvePayout) &&
      linkButton(`${path}/resolve`, texts.resolve),
    state === 'deferred' && mayHere(context, retryPayoutById) && linkButton(`${path}/retry`, texts.retry),
    !isHeld && state !== 'settled' && mayHere(context, holdPayout) && linkButton(`${path}/hold`, texts.hold),
    state === 'settled' && mayHere(context, recordOverpaid) && linkButton(`${path}/overpaid`, texts.overpaid),
  ];
  return html`${buttons}`;
}

/** As many characters of a wallet's id as those see who only read. */
const WALLET_SHOWN = 8;

function paymentCard(
  context: WebContext,
  speech: Speech,
  payment: PayoutDetailView['payments'][number],
): PageHtml {
  const { f } = speech;
  const { detail: texts } = payoutTexts(speech);
  const {
    payment_hash: hash,
    wallet_id: wallet,
    state,
    reason,
    sent_at: sent,
    settled_at: settled,
  } = payment;
  const tone = state === 'settled' ? 'good' : state === 'unknown' ? 'warn' : 'quiet';
  return card(
    texts.part(f.count(payment.part), f.count(payment.attempt)),
    facts([
      [texts.payment, copyable(speech, hash)],
      [texts.what, satsOf(speech, payment.sats)],
      [texts.state, html`${badge(texts.states[state], tone)} ${reasonOf(reason)}`],
      [
        texts.wallet,
        mayHere(context, resolvePayout)
          ? html`<code>${wallet}</code>`
          : html`<code>${wallet.slice(0, WALLET_SHOWN)}…</code>`,
      ],
      [texts.invoiced, timeOf(speech, payment.created_at)],
      sent !== null && [texts.sent, timeOf(speech, sent)],
      settled !== null && [texts.settled, timeOf(speech, settled)],
      payment.fee_msat > 0n && [texts.fee, html`${f.sats(payment.fee_msat)} ${texts.msat}`],
    ]),
  );
}
