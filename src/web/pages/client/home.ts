import { html } from 'hono/html';
import { showClient } from '../../../operations/clients.ts';
import { listAllFundings } from '../../../operations/fundings.ts';
import { listPurchases } from '../../../operations/purchases.ts';
import type { ShownClientView } from '../../../views/clients.ts';
import type { WebContext } from '../../request/site-context.ts';
import { performFor } from '../../request/visitor.ts';
import { money, satsOf } from '../../view/amounts.ts';
import { card, empty, linkButton, notice, type Tile, tiles } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { htmlTable } from '../../view/lists.ts';
import type { PageRoute } from '../page-route.ts';
import { charts } from './charts.ts';
import { type OwnSpeech, ownSpeech } from './own.ts';
import { modeSentences, purchaseColumns, waitsList } from './own-figures.ts';

const NEWEST = '5';

/** What arrived, what is on its way, and why the rest is not paid yet. */
export const homePage: PageRoute = {
  method: 'GET',
  path: '/',
  show: async (context) => {
    const speech = ownSpeech(context);
    const { x, name } = speech;
    const client = await performFor(context, showClient, { name });
    const { rows } = await performFor(context, listPurchases, { limit: NEWEST });
    const { times } = context.get('site').serving.config.fixed;
    const mode = card(
      x.mode.title,
      modeSentences(speech, client, times),
      html`<a href="/settings/mode">${x.mode.change}</a>`,
    );
    if (rows.length === 0) {
      return layout(context, {
        ...{ title: name, here: 'home', live: true },
        main: html`<div id="home" data-live class="stack">${await beginning(context, speech, client)}${mode}</div>`,
      });
    }
    return layout(context, {
      ...{ title: name, here: 'home', live: true },
      main: html`<div id="home" data-live class="stack">
${client.status === 'paused' ? notice(html`<p>${x.mode.paused} <a href="/settings/resume">${x.settings.resume}</a></p>`, 'warn') : ''}
${stoppedNotice(speech, client)}
${Object.entries(client.metrics).map(([currency, metrics]) => headline(speech, currency, metrics))}
${Object.keys(client.metrics).map((currency) => tiles(tilesOf(speech, client, currency)))}
${client.waits.length === 0 ? '' : html`<div id="why">${card(x.home.why, waitsList(speech, client.waits))}</div>`}
</div>
${await charts(context, speech, client)}
${mode}
${card(
  x.home.newest,
  htmlTable(speech, purchaseColumns(speech), rows, { caption: x.home.newest, isCaptionHidden: true }),
  html`<a href="/purchases">${speech.t.more}</a>`,
)}
${linkButton('/if-added', x.ifAdded.title)}`,
    });
  },
};

/** What waits for the operator and for nothing else, on top: no time ends it. */
function stoppedNotice(speech: OwnSpeech, { waits }: ShownClientView): HtmlContent {
  const { x, f } = speech;
  const of = (reason: 'paused' | 'held') =>
    waits.filter((one) => one.reason === reason).reduce((all, { sats }) => all + sats, 0n);
  const [stopped, held] = [of('paused'), of('held')];
  if (stopped + held === 0n) return '';
  return notice(
    html`${stopped === 0n ? '' : html`<p>${x.home.stopped(f.sats(stopped))}</p>`}${
      held === 0n ? '' : html`<p>${x.home.held(f.sats(held))}</p>`
    }<p><a href="#why">${x.home.why}</a></p>`,
    'warn',
  );
}

type OwnMetrics = ShownClientView['metrics'][string];

function headline(speech: OwnSpeech, currency: string, metrics: OwnMetrics): PageHtml {
  const { x, f } = speech;
  const { sats_stacked: received, average_rate: average, sats_per_unit: perUnit } = metrics;
  return html`<section class="card hero">
<h2>${x.home.received}${manyCurrencies(currency)}</h2>
<div class="hero-columns"><div><p class="value">${satsOf(speech, received)}</p>
<p class="quiet">${f.btc(received)} BTC</p></div>
<dl class="facts"><div><dt>${x.home.spent}</dt><dd>${money(speech, metrics.fiat_spent, currency)}</dd></div>
${
  average === null
    ? ''
    : html`<div><dt>${x.home.average}</dt><dd>${money(speech, average, currency)}${
        perUnit === null
          ? ''
          : html`<br><small class="quiet">${x.home.perUnit(f.decimal(perUnit), currency)}</small>`
      }</dd></div>`
}
<div><dt>${x.home.purchases}</dt><dd>${f.count(metrics.purchases)}</dd></div></dl></div>
${milestone(speech, received)}
<details><summary>${x.home.how}</summary><p class="quiet">${x.home.howText}</p></details>
</section>`;
}

/** Which currency the headline is of is said by its amounts. */
function manyCurrencies(currency: string): HtmlContent {
  return html` <span class="quiet">· ${currency}</span>`;
}

/** What is missing to the next round number. */
function milestone({ x, f, hidden, t }: OwnSpeech, received: bigint): HtmlContent {
  if (received === 0n || hidden) return '';
  const scale = 10n ** BigInt(`${received}`.length - 1);
  const next = (received / scale + 1n) * scale;
  return html`<p class="quiet">${x.home.milestone(f.sats(next - received), `${f.sats(next)} ${t.sats}`)}</p>`;
}

function tilesOf(speech: OwnSpeech, client: ShownClientView, currency: string): Tile[] {
  const { x } = speech;
  const { [currency]: metrics } = client.metrics;
  const balance = client.balances.find((one) => one.currency === currency);
  const zero = '0';
  return [
    {
      name: x.home.inMachine,
      value: money(speech, balance?.remaining ?? zero, currency),
      below: x.home.inMachineBelow,
    },
    {
      name: x.home.onItsWay,
      value: money(speech, balance?.in_flight ?? zero, currency),
      below: x.home.onItsWayBelow,
    },
    {
      name: x.home.waiting,
      value: satsOf(speech, metrics?.waiting_sats ?? 0n),
      below: metrics?.waiting_sats ? money(speech, metrics.waiting_fiat, currency) : x.home.nothingWaits,
    },
  ];
}

/** Before the first purchase: what will be here, and when. */
async function beginning(
  context: WebContext,
  { x, f }: OwnSpeech,
  client: ShownClientView,
): Promise<PageHtml> {
  const fundings = await performFor(context, listAllFundings, {});
  if (fundings.length === 0) return empty(x.home.noneTitle, x.home.noCash);
  const of = (which: 'in_flight' | 'remaining') =>
    f.list(
      client.balances
        .filter((one) => !/^[0.]*$/.test(one[which]))
        .map((one) => f.money(one[which], one.currency)),
    );
  const [onItsWay, inMachine] = [of('in_flight'), of('remaining')];
  return html`${inMachine === '' ? '' : empty(x.home.noneTitle, x.home.inMachineEmpty(inMachine))}${
    onItsWay === '' ? '' : empty(x.home.noneTitle, x.home.onItsWayEmpty(onItsWay))
  }`;
}
