import { html } from 'hono/html';
import { listSetClients } from '../../../operations/clients.ts';
import { showConfig } from '../../../operations/config.ts';
import { examine } from '../../../operations/doctor.ts';
import { listAllFundings } from '../../../operations/fundings.ts';
import { listMachines } from '../../../operations/machines.ts';
import { resumePayouts } from '../../../operations/payouts.ts';
import { pollOnce } from '../../../operations/poll.ts';
import { showStatus } from '../../../operations/status.ts';
import type { StatusView } from '../../../views/status.ts';
import { mayHere } from '../../request/rights.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor, type RoutedOperation } from '../../request/visitor.ts';
import { type OverviewTexts, overviewEn } from '../../text/en/admin-overview.ts';
import { overviewEs } from '../../text/es/admin-overview.ts';
import { agoOf, money, satsNumber, satsOf, timeOf } from '../../view/amounts.ts';
import { badge, card, facts, linkButton, notice, tiles } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { machineLink, subjectLink } from '../../view/links.ts';
import { htmlTable } from '../../view/lists.ts';
import { doneNotice } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { inProgramsWords, kindText, outcomeBadge, waitsTable } from './run-parts.ts';

/* What needs somebody, each with its one action; then how things are. */

export const overviewPage: PageRoute = {
  method: 'GET',
  path: '/',
  show: async (context) => {
    const speech = speechOf(context);
    const { t } = speech;
    const texts = textsIn(speech, { en: overviewEn, es: overviewEs });
    const status = await performFor(context, showStatus, {});
    const { done: stopped, resumed, already } = t.stop;
    const mayRun = mayHere(context, pollOnce);
    return layout(context, {
      ...{ title: t.nav.overview, here: 'overview', live: true },
      actions: mayRun
        ? html`${linkButton('/run/dry', texts.run.dry)}${linkButton('/run', texts.run.now, 'primary')}`
        : '',
      main: html`${doneNotice(context, { stopped, resumed, already })}
<div id="needs" data-live class="stack">${needsCard(context, speech, texts, status)}</div>
${status.last_success_at === null && mayRun ? await firstSteps(context, speech, texts, status) : ''}
<div id="state" data-live class="stack">
${moneyTiles(speech, texts, status)}
<div class="columns two">${runCard(speech, texts, status)}${monthsTable(speech, texts, status)}</div>
${machinesTable(speech, texts, status)}
${waitingPart(speech, texts, status)}
</div>`,
    });
  },
};

/** Where a need is met; without an operation, everybody may go there. */
interface NeedAction {
  path: string;
  label: keyof OverviewTexts['needs']['actions'];
  operation?: RoutedOperation;
}

const CHECK: NeedAction = { path: '/doctor', label: 'check', operation: examine };
const RUN: NeedAction = { path: '/run', label: 'run', operation: pollOnce };
const RUNS: NeedAction = { path: '/runs', label: 'runs' };
const CLOCKS: NeedAction = { path: '/clocks', label: 'clocks' };

const ACTIONS: Readonly<Record<StatusView['needs'][number]['code'], NeedAction>> = {
  review: { path: '/review', label: 'look' },
  held: { path: '/payouts?state=held', label: 'decide' },
  unknown: { path: '/payouts?state=unknown', label: 'look' },
  refused: CHECK,
  defect: RUNS,
  'wallet-full': CHECK,
  start: { path: '/system', label: 'configuration', operation: showConfig },
  'broken-off': RUN,
  stale: CHECK,
  overrun: RUNS,
  clock: CLOCKS,
  entry: CLOCKS,
  'credits-doubtful': { path: '/credits', label: 'decide' },
  'credits-not-made': { path: '/credits?state=intended', label: 'decide' },
  contradicted: { path: '/books', label: 'books' },
  aged: { path: '/payouts?state=open', label: 'look' },
  overdue: RUN,
  short: { path: '/payouts?state=open', label: 'topUp' },
};

const RESUME: NeedAction = { path: '/resume', label: 'resume', operation: resumePayouts };

function needsCard(
  context: WebContext,
  speech: Speech,
  { needs: texts }: OverviewTexts,
  status: StatusView,
): PageHtml {
  const { needs, at: now, source_wallet: wallet, waits, paused } = status;
  if (needs.length === 0) {
    const retries = waits.some(({ reason }) => reason === 'deferred' || reason === 'balance');
    const text = wallet === null ? texts.unseen : `${texts.nothing}${retries ? ` ${texts.nothingYet}` : ''}`;
    return notice(html`<p>${text}</p>`, wallet === null ? 'quiet' : 'good');
  }
  // What has no beginning stands behind what has one.
  const oldest = needs.toSorted((a, b) => ((a.since ?? '9') < (b.since ?? '9') ? -1 : 1));
  return card(
    texts.title,
    html`<ul class="plain rows">${oldest.map((need) => {
      const { path, label, operation } = need.code === 'overdue' && paused ? RESUME : ACTIONS[need.code];
      const may = operation === undefined || mayHere(context, operation);
      const since =
        need.since === null ? '' : html` <span class="quiet">${agoOf(speech, need.since, now)}</span>`;
      return html`<li><div><strong>${needText(speech, texts, need)}</strong>${since}</div>${
        may ? linkButton(path, texts.actions[label]) : ''
      }</li>`;
    })}</ul>`,
    badge(`${needs.length}`, 'bad'),
  );
}

function needText(
  { f }: Speech,
  { codes }: OverviewTexts['needs'],
  { code, count, subject }: StatusView['needs'][number],
): HtmlContent {
  // Sats are an amount, which can be hidden.
  const isSats = code === 'overdue' || code === 'short';
  const written = count === null ? '' : isSats ? f.sats(count) : f.count(count);
  const text = codes[code]({ count: written, isOne: count === 1n, subject: SUBJECT });
  const [before = '', after] = text.split(SUBJECT);
  return after === undefined ? before : html`${before}${subjectLink(subject ?? '')}${after}`;
}

/** Where a text names what it is about. */
const SUBJECT = '\u0000';

function moneyTiles(speech: Speech, { money: texts }: OverviewTexts, status: StatusView): PageHtml {
  const { f } = speech;
  const { owed, source_wallet: wallet, credits, paid_today: today } = status;
  const coming = credits.to_come_sats === 0n ? '' : ` ${texts.toCome(f.sats(credits.to_come_sats))}`;
  const commission =
    today.commission_sats === 0n ? '' : html`<br>${texts.commission(f.sats(today.commission_sats))}`;
  return tiles([
    {
      ...{ name: texts.owed, value: satsOf(speech, owed.sats) },
      below: texts.openPayouts(f.count(owed.payouts), owed.payouts === 1n),
    },
    { name: texts.waiting, value: satsOf(speech, owed.waiting_sats) },
    {
      name: texts.source,
      value: wallet === null ? texts.unknown : satsOf(speech, wallet.balance_sats),
      below: html`${sourceBelow(speech, texts, status)}${coming}`,
    },
    {
      ...{ name: texts.paidToday, value: satsOf(speech, today.client_sats + today.commission_sats) },
      below: html`${texts.payouts(f.count(today.payouts), today.payouts === 1n)}${commission}`,
    },
  ]);
}

function sourceBelow(speech: Speech, texts: OverviewTexts['money'], status: StatusView): HtmlContent {
  const { source_wallet: wallet, source_wallet_problem: problem, lnbits_wants_more: wantsMore } = status;
  if (wallet === null) return problem === null ? '' : inProgramsWords(speech, `${problem}`);
  const { short_sats: short } = wallet;
  if (short === 0n) return texts.enough;
  // A shortfall of unknown size is stored as 1 sat.
  return short === 1n && wantsMore ? texts.wantsMore : texts.short(speech.f.sats(short));
}

function runCard(speech: Speech, { run: texts }: OverviewTexts, status: StatusView): PageHtml {
  const { at: now, last_success_at: success, last_run: last, next_run_at: next, running, mark } = status;
  return card(
    texts.title,
    facts([
      [texts.lastSuccess, success === null ? texts.never : agoOf(speech, success, now)],
      last !== null && [
        texts.last,
        html`${outcomeBadge(speech, last.outcome)} ${last.run}, ${agoOf(speech, last.finished_at, now)}`,
      ],
      [
        texts.going,
        running === null
          ? texts.notGoing
          : texts.goingBy(running.run, kindText(speech, running.kind), running.actor),
      ],
      next !== null && [html`${texts.next}<br><small>${texts.nextHelp}</small>`, timeOf(speech, next)],
      [texts.readUpTo, mark === null ? texts.nothingRead : timeOf(speech, mark.confirmed_at)],
    ]),
    html`<a href="/runs">${texts.all}</a>`,
  );
}

function monthsTable(speech: Speech, { months: texts }: OverviewTexts, { months }: StatusView): HtmlContent {
  const { f } = speech;
  const [now, before] = months;
  if (!now || !before) return '';
  type Month = typeof now;
  const rows: { name: string; of(month: Month): HtmlContent }[] = [
    { name: texts.cashOuts, of: (one) => f.count(one.cash_outs) },
    { name: texts.clients, of: (one) => satsNumber(speech, one.net_sats) },
    { name: texts.commission, of: (one) => satsNumber(speech, one.commission_sats) },
    { name: texts.own, of: (one) => satsNumber(speech, one.own_sats) },
  ];
  return htmlTable(
    speech,
    [
      { head: texts.what, isHead: true, cell: ({ name }) => name },
      { head: texts.soFar(f.month(now.month)), kind: 'num', cell: ({ of }) => of(now) },
      { head: f.month(before.month), kind: 'num', cell: ({ of }) => of(before) },
    ],
    rows,
    { caption: texts.title },
  );
}

function machinesTable(speech: Speech, { machines: texts }: OverviewTexts, status: StatusView): PageHtml {
  const { t, f } = speech;
  const { cash, paused_cash: paused } = status;
  const each = paused.map((one) => `${one.client} ${f.money(one.remaining, one.currency)}`);
  return html`${htmlTable(
    speech,
    [
      {
        ...{ head: texts.machine, isHead: true },
        cell: (one) => (one.machine === null ? t.anyMachine : machineLink(one.machine, one.machine_name)),
      },
      { head: texts.left, kind: 'num', cell: (one) => money(speech, one.remaining, one.currency) },
      { head: texts.onTheWay, kind: 'num', cell: (one) => money(speech, one.in_flight, one.currency) },
      { head: texts.clients, kind: 'num wide', cell: (one) => f.count(one.clients) },
      { head: texts.out, kind: 'num', cell: (one) => money(speech, one.dispensed_7_days, one.currency) },
      { head: texts.own, kind: 'num', cell: (one) => money(speech, one.own_7_days, one.currency) },
    ],
    cash,
    { caption: texts.title, empty: html`<p>${texts.none}</p>` },
  )}${each.length === 0 ? '' : html`<p class="quiet">${texts.paused(f.list(each))}</p>`}`;
}

const WAITS_SHOWN = 10;

function waitingPart(speech: Speech, { waits: texts }: OverviewTexts, { waits }: StatusView): PageHtml {
  if (waits.length === 0) return html`<p class="quiet">${texts.none}</p>`;
  const more = waits.length - WAITS_SHOWN;
  return html`${waitsTable(speech, waits.slice(0, WAITS_SHOWN), texts.title)}${
    more > 0 ? html`<p><a href="/payouts?state=open">${texts.more(speech.f.count(more))}</a></p>` : ''
  }`;
}

/** What has to be done once, each with whether it is done. */
async function firstSteps(
  context: WebContext,
  { f }: Speech,
  { first: texts }: OverviewTexts,
  { last_run: last }: StatusView,
): Promise<PageHtml> {
  // A check records the machines that Lamassu knows.
  const machines = await performFor(context, listMachines, {});
  const clients = await performFor(context, listSetClients, {});
  const fundings = await performFor(context, listAllFundings, {});
  const steps: [text: string, path: string | null, isDone: boolean][] = [
    [texts.doctor, '/doctor', machines.length > 0],
    [texts.client, '/add-client', clients.length > 0],
    [texts.funding, '/fundings/new', fundings.length > 0],
    [texts.dry, '/run/dry', last !== null],
    [texts.timer, null, false],
  ];
  return card(
    texts.title,
    html`<p class="quiet">${texts.lead}</p><ol class="plain rows">${steps.map(
      ([text, path, isDone], index) =>
        html`<li><div>${f.count(index + 1)}. ${
          path === null
            ? html`${text}<br><span class="quiet">${texts.timerHelp}</span>`
            : html`<a href="${path}">${text}</a>`
        }</div>${isDone ? badge(texts.done, 'good') : badge(texts.open)}</li>`,
    )}</ol>`,
  );
}
