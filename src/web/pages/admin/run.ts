import { html } from 'hono/html';
import { BridgeError } from '../../../errors.ts';
import { listPayouts } from '../../../operations/payouts.ts';
import { pollOnce, previewPoll, runFixed } from '../../../operations/poll.ts';
import { showStatus } from '../../../operations/status.ts';
import type { DryRunView, PaidView, RunView } from '../../../views/run.ts';
import type { StatusView } from '../../../views/status.ts';
import { missingKeys } from '../../request/missing-keys.ts';
import { mayHere } from '../../request/rights.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf } from '../../request/speech.ts';
import { beginTask, findTask, type Task, taskUnderWay, waitAWhile } from '../../request/tasks.ts';
import { performFor } from '../../request/visitor.ts';
import { money, satsNumber, timeOf } from '../../view/amounts.ts';
import { card, linkButton, notice, payoutBadge } from '../../view/components.ts';
import { buttonForm } from '../../view/forms.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import {
  cashOutLink,
  clientLink,
  fundingLink,
  machineLink,
  payoutLink,
  subjectLink,
} from '../../view/links.ts';
import { htmlTable } from '../../view/lists.ts';
import { wordsOf } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import {
  headOf,
  inProgramsWords,
  kindText,
  newsCard,
  ownSharesList,
  paidFacts,
  pauseNotice,
  problemList,
  readFacts,
  runTexts,
  waitsTable,
} from './run-parts.ts';

/*
 * A run that is asked for here goes on when its request is answered: its page shows how far it is, and what it did.
 */

const RUN = 'run';

/** How long a page waits for the end of a run, in ms, before it says that the run goes on. */
const PATIENCE_MS = 1_500;

/** Which run can be asked for. */
const KINDS = { poll: pollOnce, fixed: runFixed };

const choicePage: PageRoute = {
  method: 'GET',
  path: '/run',
  show: async (context) => {
    const speech = speechOf(context);
    const { now: texts, title, dry } = runTexts(speech);
    const { running } = await performFor(context, showStatus, {});
    const keys = missingKeys(context.get('site').serving.config);
    const missing = Object.values(keys).filter((why) => why !== null);
    const canRun = missing.length === 0;
    return layout(context, {
      ...{ title: texts.title, here: 'overview' },
      main: html`${runningNotice(speech, running)}
${canRun ? '' : notice(html`<p>${texts.missing}</p><ul lang="en">${missing.map((why) => html`<li>${why}</li>`)}</ul>`, 'warn')}
<div class="columns two">
${card(
  texts.title,
  html`<p>${texts.lead}</p><div class="actions">${
    canRun && mayHere(context, pollOnce) ? buttonForm('/run', texts.button, { kind: 'poll' }, 'primary') : ''
  }${mayHere(context, previewPoll) ? linkButton('/run/dry', texts.dryFirst) : ''}</div>`,
)}
${card(
  texts.fixed,
  html`<p>${texts.fixedLead}</p><div class="actions">${
    keys.sourceWallet === null && mayHere(context, runFixed)
      ? buttonForm('/run', texts.fixedButton, { kind: 'fixed' })
      : ''
  }</div>`,
)}
</div><p><a href="/runs">${title}</a> · <a href="/run/dry">${dry.title}</a></p>`,
    });
  },
};

/** Begins a run, or leads to the one that this process began. */
const startForm: PageRoute = {
  method: 'POST',
  path: '/run',
  show: async (context) => {
    const { kind } = await wordsOf(context);
    const operation = kind === 'fixed' ? KINDS.fixed : KINDS.poll;
    const task =
      taskUnderWay(context, RUN) ?? beginTask(context, RUN, () => performFor(context, operation, {}));
    await waitAWhile(context, task, PATIENCE_MS);
    const { result } = task;
    // Who may not do it gets the page that says so, and not one of a run.
    if (result !== null && 'error' in result && isForbidden(result.error)) throw result.error;
    return context.redirect(`/run/${task.id}`, 303);
  },
};

function isForbidden(error: unknown): boolean {
  return error instanceof BridgeError && error.code === 'usage/forbidden';
}

const goingPage: PageRoute = {
  method: 'GET',
  path: '/run/:task{[0-9a-f-]{36}}',
  show: async (context) => {
    const task = findTask<RunView | PaidView>(context, RUN, context.req.param('task') ?? '');
    if (!task) return context.redirect('/runs', 303);
    const status = await performFor(context, showStatus, {});
    // Its last change may be seen before it has ended.
    if (status.running === null) await waitAWhile(context, task, PATIENCE_MS);
    return task.result === null ? progressPage(context, task, status) : endPage(context, task.result);
  },
};

async function progressPage(context: WebContext, task: Task, status: StatusView): Promise<PageHtml> {
  const speech = speechOf(context);
  const { f } = speech;
  const { going: texts } = runTexts(speech);
  const { paid_today: today } = status;
  const { rows } = await performFor(context, listPayouts, { open: true, limit: '50' });
  return layout(context, {
    ...{ title: texts.title, here: 'overview', live: true },
    main: html`<div id="progress" data-live class="stack">
${notice(html`<p><strong>${texts.working}</strong> ${texts.since(f.time(task.startedAt), task.actor)}</p>`, 'quiet', 'status')}
<p>${linkButton(context.req.path, texts.refresh, 'primary')}</p>
<p>${texts.paid(f.count(today.payouts), f.sats(today.client_sats + today.commission_sats))}</p>
${htmlTable(
  speech,
  [
    { head: '', isHead: true, cell: ({ id }) => payoutLink(id) },
    {
      head: runTexts(speech).dry.to,
      cell: ({ kind, recipient }) => subjectLink(`${kind} ${recipient}`),
    },
    { head: speech.t.sats, kind: 'num', cell: ({ sats }) => satsNumber(speech, sats) },
    { head: '', cell: ({ state }) => payoutBadge(speech, state) },
  ],
  rows,
  { caption: texts.payouts, empty: html`<p>${texts.none}</p>` },
)}
</div>`,
  });
}

function endPage(
  context: WebContext,
  result: { view: RunView | PaidView } | { error: unknown },
): PageHtml | Promise<PageHtml> {
  const speech = speechOf(context);
  const { ended: texts, title } = runTexts(speech);
  if ('error' in result) return failedPage(context, speech, result.error);
  const { view } = result;
  const { problems } = view;
  const isWhole = 'source' in view;
  return layout(context, {
    ...{ title: texts.title, here: 'overview' },
    actions: linkButton('/run', texts.again),
    // The page of a run that went on replaces this part by the same one of the page of its end.
    main: html`<div id="progress" data-live class="stack">
${headOf(speech, view)}
${view.outcome === 'stopped' ? notice(texts.stopped, 'warn') : ''}
${pauseNotice(speech, view)}
${problems.length === 0 ? notice(texts.noProblems, 'good') : html`<h2>${texts.problems}</h2>${problemList(speech, problems)}`}
<div class="columns two">${isWhole ? card(texts.read, readFacts(speech, view)) : ''}${card(texts.paid, paidFacts(speech, view))}</div>
${isWhole && view.own_shares.length > 0 ? card(texts.ownShares, ownSharesList(speech, view.own_shares)) : ''}
${newsCard(speech, view)}
${waitsTable(speech, view.waits, runTexts(speech).dry.waits)}
<p><a href="/payouts">${texts.toPayouts}</a> · <a href="/runs">${title}</a></p>
</div>`,
  });
}

/** A run that did not begin, or broke off. A defect is told to the log, and not to the page. */
function failedPage(context: WebContext, speech: Speech, error: unknown): PageHtml {
  if (!(error instanceof BridgeError)) throw error;
  const { ended: texts, title } = runTexts(speech);
  const { t } = speech;
  const words = error.hint === undefined ? `${error.text}` : `${error.text} ${error.hint}`;
  return layout(context, {
    ...{ title: texts.title, here: 'overview' },
    actions: linkButton('/run', texts.again),
    main: html`<div id="progress" data-live class="stack">${notice(
      html`<p><strong>${error.code === 'run/busy' ? texts.busy : t.errors[error.code]}</strong></p><p>${texts.failed}</p>${inProgramsWords(
        speech,
        words,
      )}<p class="quiet"><small>${error.code}</small></p>`,
      'bad',
      'alert',
    )}<p><a href="/runs">${title}</a></p></div>`,
  });
}

const dryPage: PageRoute = {
  method: 'GET',
  path: '/run/dry',
  show: async (context) => {
    const speech = speechOf(context);
    const { dry: texts, ended, now } = runTexts(speech);
    const { f } = speech;
    const view = await performFor(context, previewPoll, {});
    const { plan, problems, own_shares: shares } = view;
    const waits = view.waits.filter(({ reason }) => reason !== 'next-run');
    return layout(context, {
      ...{ title: texts.title, here: 'overview' },
      actions: mayHere(context, pollOnce) ? linkButton('/run', now.button, 'primary') : '',
      main: html`${notice(html`<p><strong>${texts.nothing}</strong></p>`, 'good', 'status')}
${plan.no_clients ? notice(html`<p>${texts.noClients}</p>`, 'warn') : ''}
${pauseNotice(speech, view)}
${problems.length === 0 ? '' : html`<h2>${ended.problems}</h2>${problemList(speech, problems)}`}
${card(ended.read, readFacts(speech, view))}
${plannedTable(speech, plan.cash_outs)}
${shares.length === 0 ? '' : card(ended.ownShares, ownSharesList(speech, shares))}
${newsCard(speech, view)}
${plan.credit_sats === 0n ? '' : notice(texts.credit(f.sats(plan.credit_sats)))}
${htmlTable(
  speech,
  [
    { head: texts.to, isHead: true, cell: ({ client }) => client },
    { head: speech.t.sats, kind: 'num', cell: ({ sats }) => satsNumber(speech, sats) },
  ],
  plan.payouts,
  { caption: texts.payouts, empty: html`<p>${texts.nobody}</p>` },
)}
${waitsTable(speech, waits, texts.waits)}`,
    });
  },
};

/** Each cash-out with the parts of it, one a line. */
function plannedTable(speech: Speech, cashOuts: DryRunView['plan']['cash_outs']): PageHtml {
  const { dry: texts } = runTexts(speech);
  type Part = {
    of: (typeof cashOuts)[number];
    whose: HtmlContent;
    fiat: string;
    net: bigint;
    commission: bigint;
  };
  const parts = cashOuts.flatMap((of): Part[] => [
    ...of.allocations.map((one) => ({
      ...{ of, fiat: one.fiat, net: one.net_sats, commission: one.commission_sats },
      whose: html`${one.client === null ? '' : clientLink(one.client)} ${fundingLink(one.funding)}`,
    })),
    ...(of.own_gross_sats > 0n
      ? [
          {
            of,
            whose: texts.ownShare,
            fiat: of.own_fiat,
            net: of.own_sats,
            commission: of.own_commission_sats,
          },
        ]
      : []),
  ]);
  return htmlTable(
    speech,
    [
      {
        ...{ head: texts.cashOut, isHead: true },
        cell: ({ of }) => html`${cashOutLink(of.id)} ${machineLink(of.machine, of.machine_name)}`,
      },
      { head: texts.at, kind: 'wide', cell: ({ of }) => timeOf(speech, of.confirmed_at) },
      { head: texts.whose, cell: ({ whose }) => whose },
      { head: texts.cash, kind: 'num', cell: ({ of, fiat }) => money(speech, fiat, of.currency) },
      { head: texts.net, kind: 'num', cell: ({ net }) => satsNumber(speech, net) },
      { head: texts.commission, kind: 'num', cell: ({ commission }) => satsNumber(speech, commission) },
    ],
    parts,
    { caption: texts.cashOuts, empty: html`<p>${texts.none}</p>` },
  );
}

function runningNotice(speech: Speech, running: StatusView['running']): HtmlContent {
  if (running === null) return '';
  const { now: texts } = runTexts(speech);
  return notice(
    html`<p>${texts.goesOn(`${running.run}, ${kindText(speech, running.kind)}`, running.actor)}</p>`,
    'warn',
  );
}

export const runPages: readonly PageRoute[] = [choicePage, startForm, dryPage, goingPage];
