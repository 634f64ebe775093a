import { html } from 'hono/html';
import { parseDecimal } from '../../../dca/money.ts';
import { listAllFundings, showFunding } from '../../../operations/fundings.ts';
import type { FundingView, ShownFundingView } from '../../../views/fundings.ts';
import { performFor } from '../../request/visitor.ts';
import { textOf } from '../../text/texts.ts';
import { dayOf, money, satsNumber, timeOf } from '../../view/amounts.ts';
import { bar, card, empty, facts, fundingBadge } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { htmlTable } from '../../view/lists.ts';
import type { PageRoute } from '../page-route.ts';
import { type OwnSpeech, ownSpeech } from './own.ts';

/** Each lump of cash with what is left of it, newest first. */
export const cashPage: PageRoute = {
  method: 'GET',
  path: '/cash',
  show: async (context) => {
    const speech = ownSpeech(context);
    const { x } = speech;
    const fundings = await performFor(context, listAllFundings, {});
    const list = fundings
      .toReversed()
      .map((one) =>
        card(
          html`<a href="/cash/${one.id}">${x.cash.funding(one.id)}</a>`,
          lump(speech, one),
          fundingBadge(speech, one.status),
        ),
      );
    return layout(context, {
      ...{ title: x.cash.title, here: 'cash', live: true },
      main: html`<p class="lead">${x.cash.lead}</p><div id="cash" data-live class="stack">${
        fundings.length === 0 ? empty(x.cash.none, x.cash.noneHint) : list
      }</div>`,
    });
  },
};

function lump(speech: OwnSpeech, one: FundingView): PageHtml {
  const { x, f, hidden } = speech;
  const left = x.cash.left(f.money(one.remaining, one.currency), f.money(one.amount, one.currency));
  const part = partOf(one);
  const share = hidden ? 0 : Number(part) / 1_000;
  return html`${bar(share, left)}
<p><strong>${money(speech, one.remaining, one.currency)}</strong> <span class="quiet">/ ${money(speech, one.amount, one.currency)}</span></p>
<p class="quiet">${one.deposited_at === null ? html`${x.cash.entered} ${dayOf(speech, one.created_at)}` : html`${x.cash.deposited} ${dayOf(speech, one.deposited_at)}`} · ${machineOf(speech, one)}</p>`;
}

/** What is left of it, in thousandths. */
function partOf({ amount, remaining }: FundingView): bigint {
  const digits = amount.split('.')[1]?.length ?? 0;
  const all = parseDecimal(amount, digits);
  return all > 0n ? (parseDecimal(remaining, digits) * 1_000n) / all : 0n;
}

function machineOf({ t }: OwnSpeech, one: FundingView): string {
  return one.machine_name ?? one.machine ?? t.anyMachine;
}

/** How many purchases the history of a lump shows; the rest is on the page of purchases. */
const MOST_SPENT = 50;

/** A lump of cash: what happened to it, and a receipt to print. */
export const lumpPage: PageRoute = {
  method: 'GET',
  path: '/cash/:id',
  show: async (context) => {
    const speech = ownSpeech(context);
    const { x, t, name } = speech;
    const one = await performFor(context, showFunding, { id: context.req.param('id') ?? '' });
    const counted = countedBy(one);
    const [announced] = one.history.flatMap((entry) => ('after' in entry ? amountIn(entry.after) : []));
    const differs = announced !== undefined && announced !== one.amount;
    return layout(context, {
      ...{ title: x.cash.funding(one.id), here: 'cash' },
      actions: html`<button type="button" data-print hidden>${t.print}</button>`,
      main: html`<p class="no-print"><a href="/cash">← ${x.cash.title}</a></p>
${card(
  x.cash.receipt,
  html`<p>${x.cash.receiptOf(name)}</p>${lump(speech, one)}${facts([
    [x.cash.amount, money(speech, one.amount, one.currency)],
    [x.cash.entered, timeOf(speech, one.created_at)],
    one.deposited_at !== null && [x.cash.deposited, timeOf(speech, one.deposited_at)],
    counted !== null && [x.cash.by, counted],
    [x.cash.machine, machineOf(speech, one)],
    [x.cash.spent, money(speech, one.spent, one.currency)],
    /[1-9]/.test(one.withdrawn) && [x.cash.withdrawn, money(speech, one.withdrawn, one.currency)],
    [x.cash.remaining, money(speech, one.remaining, one.currency)],
    one.rate !== null && [x.cash.rate, speech.f.percent(one.rate)],
  ])}${differs ? html`<p>${x.cash.counted(speech.f.money(announced, one.currency), speech.f.money(one.amount, one.currency))}</p>` : ''}`,
  fundingBadge(speech, one.status),
)}
${card(x.cash.history, history(speech, one))}`,
    });
  },
};

type LumpEntry = ShownFundingView['history'][number];

/** Who entered the cash as being in the machine. */
function countedBy({ history }: ShownFundingView): string | null {
  const entry = history.findLast((one) => 'actor' in one && /^funding (confirm|add)$/.test(one.action));
  return entry && 'actor' in entry ? entry.actor : null;
}

/** The amount in what the log has of a change. */
function amountIn(after: unknown): string[] {
  if (typeof after !== 'object' || after === null || !('amount' in after)) return [];
  const { amount } = after;
  return typeof amount === 'string' && /^\d+(\.\d+)?$/.test(amount) ? [amount] : [];
}

function history(speech: OwnSpeech, one: ShownFundingView): PageHtml {
  const { x } = speech;
  const entries = one.history.toReversed();
  const shown = entries.slice(0, MOST_SPENT);
  return html`${htmlTable(
    speech,
    [
      { ...{ head: x.purchases.when, isHead: true }, cell: (entry: LumpEntry) => timeOf(speech, entry.at) },
      { head: x.cash.what, cell: (entry) => whatOf(speech, entry) },
      {
        ...{ head: x.purchases.cash, kind: 'num' },
        cell: (entry) => ('fiat' in entry ? money(speech, `-${entry.fiat}`, one.currency) : ''),
      },
      {
        ...{ head: x.purchases.sats, kind: 'num wide' },
        cell: (entry) => ('net_sats' in entry ? satsNumber(speech, entry.net_sats) : ''),
      },
    ],
    shown,
    { caption: x.cash.history, isCaptionHidden: true },
  )}${entries.length > shown.length ? html`<p class="quiet">${x.cash.spentShown(MOST_SPENT)}</p>` : ''}`;
}

function whatOf(speech: OwnSpeech, entry: LumpEntry): HtmlContent {
  const { x } = speech;
  const what = textOf(x.cash.actions, entry.action);
  if ('cash_out' in entry)
    return html`<a href="/purchases/${encodeURIComponent(entry.cash_out)}">${what}</a>`;
  return html`${what} <span class="quiet">· ${entry.actor}${entry.reason === null ? '' : html` · ${entry.reason}`}</span>`;
}
