import { html } from 'hono/html';
import type { ShownClientView } from '../../../views/clients.ts';
import type { PurchaseView } from '../../../views/purchases.ts';
import type { WaitView } from '../../../views/waits.ts';
import { dayAndClock, money, satsNumber, satsOf } from '../../view/amounts.ts';
import { badge } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import type { TableColumn } from '../../view/lists.ts';
import type { OwnSpeech } from './own.ts';

/* What several pages of the client site show. */

/** Why sats wait, with what ends it. */
export function waitsList(speech: OwnSpeech, waits: readonly WaitView[]): PageHtml {
  const { x } = speech;
  return html`<ul class="plain waits">${waits.map(
    (one) =>
      html`<li><strong>${satsOf(speech, one.sats)}</strong> <span>${waitSentence(speech, one)}</span>${
        one.reason === 'held' ? html` <span class="quiet">${x.waitPayout(one.payouts.join(', '))}</span>` : ''
      }</li>`,
  )}</ul>`;
}

function waitSentence({ x, f }: OwnSpeech, { reason, until, minimum_sats: minimum }: WaitView): string {
  const { [reason]: say } = x.waits;
  if (reason === 'minimum') return say(f.sats(minimum ?? 0n));
  return say(until === null ? x.soon : x.atTime(f.time(until)));
}

/** Mode, limits and times in a sentence for each currency. */
export function modeSentences(
  { t, x, f }: OwnSpeech,
  { mode, status, daily_limits: limits }: Pick<ShownClientView, 'mode' | 'status' | 'daily_limits'>,
  times: readonly string[],
): HtmlContent {
  const said: HtmlContent[] = [];
  if (status === 'paused') said.push(html`<p>${badge(t.clientStates.paused, 'warn')} ${x.mode.paused}</p>`);
  if (status === 'closing') said.push(html`<p>${x.mode.closing}</p>`);
  if (mode === 'flow') return [...said, html`<p>${x.mode.flow}</p>`];
  const when = times.length === 0 ? x.mode.timesNone : x.mode.times(f.list(times));
  const all = Object.entries(limits);
  if (all.length === 0) return [...said, html`<p>${x.mode.fixedNoLimit(when)}</p>`];
  return [
    ...said,
    ...all.map(([currency, limit]) => html`<p>${x.mode.fixed(f.money(limit, currency), when)}</p>`),
  ];
}

export function purchaseBadge({ x }: OwnSpeech, { state }: Pick<PurchaseView, 'state'>): PageHtml {
  return badge(x.purchaseStates[state], state === 'paid' ? 'good' : 'warn');
}

/** The columns of a list of purchases. */
export function purchaseColumns(speech: OwnSpeech): TableColumn<PurchaseView>[] {
  const { x } = speech;
  return [
    {
      ...{ head: x.purchases.when, isHead: true },
      cell: (one) =>
        html`<a href="/purchases/${encodeURIComponent(one.id)}">${dayAndClock(speech, one.confirmed_at)}</a>`,
    },
    { ...{ head: x.purchases.cash, kind: 'num' }, cell: (one) => money(speech, one.fiat, one.currency) },
    { ...{ head: x.purchases.sats, kind: 'num' }, cell: (one) => satsNumber(speech, one.net_sats) },
    {
      ...{ head: x.purchases.price, kind: 'num wide' },
      cell: (one) => (one.price === null ? '–' : money(speech, one.price, one.currency)),
    },
    { ...{ head: x.purchases.machine, kind: 'wide' }, cell: (one) => one.machine_name ?? one.machine },
    { head: x.purchase.state, cell: (one) => purchaseBadge(speech, one) },
  ];
}
