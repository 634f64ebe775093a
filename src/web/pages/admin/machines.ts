import { html } from 'hono/html';
import { machineText } from '../../../lib/machine-label.ts';
import { examine } from '../../../operations/doctor.ts';
import { listAllFundings } from '../../../operations/fundings.ts';
import { replaceMachineBy, setMachineSettings, showMachine } from '../../../operations/machines.ts';
import type { FundingView } from '../../../views/fundings.ts';
import type { MachineView, ShownMachineView } from '../../../views/machines.ts';
import { mayHere } from '../../request/rights.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { machinesEn } from '../../text/en/admin-machines.ts';
import { machinesEs } from '../../text/es/admin-machines.ts';
import { dayOf, money, timeOf } from '../../view/amounts.ts';
import { copyable, empty, facts, linkButton, notice } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { machineLink, pathTo } from '../../view/links.ts';
import { htmlTable, pathWith } from '../../view/lists.ts';
import { doneNotice } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { machinesOf } from './cash-fields.ts';
import { fundingTable } from './funding-table.ts';

/* The machines, and whose cash is in each. */

export const machineTexts = { en: machinesEn, es: machinesEs };

const textsOf = (speech: Speech) => textsIn(speech, machineTexts);

/** By currency, each on its line. */
export function cashByCurrency(speech: Speech, amounts: Record<string, string>): HtmlContent {
  const all = Object.entries(amounts);
  if (all.length === 0) return speech.t.none;
  return all.map(([currency, amount]) => html`<div>${money(speech, amount, currency)}</div>`);
}

export const machineListRoute: PageRoute = {
  method: 'GET',
  path: '/machines',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech);
    const all = await machinesOf(context);
    const check = mayHere(context, examine) ? html`<a href="/doctor">${texts.check}</a>` : '';
    return layout(context, {
      ...{ title: speech.t.nav.machines, here: 'machines' },
      main:
        all.length === 0 ? empty(texts.emptyTitle, html`${texts.empty} ${check}`) : machineTable(speech, all),
    });
  },
};

function machineTable(speech: Speech, all: readonly MachineView[]): PageHtml {
  const texts = textsOf(speech);
  const { heads } = texts;
  return htmlTable(
    speech,
    [
      { head: heads.machine, isHead: true, cell: (one) => machineLink(one.machine, one.name) },
      { head: heads.currency, kind: 'wide', cell: ({ currency }) => currency ?? texts.notSet },
      {
        ...{ head: heads.rate, kind: 'num wide' },
        cell: ({ commission_rate: rate }) => (rate === null ? texts.byLamassu : speech.f.percent(rate)),
      },
      { head: heads.cash, kind: 'num', cell: (one) => cashByCurrency(speech, one.remaining) },
      {
        ...{ head: heads.cashAny, kind: 'num wide' },
        cell: (one) => cashByCurrency(speech, one.remaining_any_machine),
      },
      {
        head: heads.last,
        cell: ({ last_cash_out: at }) => (at === null ? texts.facts.never : dayOf(speech, at)),
      },
    ],
    all,
    { caption: texts.caption },
  );
}

/** Of the path. */
export function machineOf(context: WebContext): Promise<ShownMachineView> {
  return performFor(context, showMachine, { machine: context.req.param('machine') ?? '' });
}

/** The cash in machines that serves this one alone. */
export async function cashIn(context: WebContext, { machine }: MachineView): Promise<FundingView[]> {
  const all = await performFor(context, listAllFundings, { status: 'deposited' });
  return all.filter((one) => one.machine === machine);
}

export const machineRoute: PageRoute = {
  method: 'GET',
  path: '/machines/:machine',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsOf(speech);
    const one = await machineOf(context);
    const path = pathTo.machine(one.machine);
    const { replaced_by: next, replaced_at: at } = one;
    const actions = [
      linkButton(`${path}/count`, texts.sheet),
      mayHere(context, setMachineSettings) && linkButton(`${path}/settings`, texts.settings),
      mayHere(context, replaceMachineBy) && linkButton(`${path}/replace`, texts.replace),
    ];
    return layout(context, {
      ...{ title: machineText(one.machine, one.name), here: 'machines', actions },
      main: html`${doneNotice(context, { set: texts.form.done, replaced: texts.replacing.done })}
${
  next === null || at === null
    ? ''
    : notice(
        html`<p>${texts.replacedBy(speech.f.time(at))} ${machineLink(next, one.replaced_by_name)}</p>`,
        'warn',
      )
}
${settingsOf(speech, one)}
${fundingTable(speech, await cashIn(context, one), {
  ...{ caption: texts.cash.caption, without: ['machine', 'state'] },
  empty: html`<p>${texts.cash.empty}</p>`,
})}
<p><a href="${pathWith('/cash-outs', { machine: one.machine })}">${texts.cashOuts}</a> · <a href="${pathWith('/log', { subject: one.machine })}">${speech.t.nav.log}</a></p>`,
    });
  },
};

function settingsOf(speech: Speech, one: ShownMachineView): PageHtml {
  const names = textsOf(speech).facts;
  const { f } = speech;
  const { min_rate: min, max_rate: max, commission_rate: rate, last_cash_out: last } = one;
  return facts([
    [names.device, copyable(speech, one.machine)],
    [names.name, one.name ?? names.noName],
    [names.currency, one.currency ?? names.anyCurrency],
    [names.known, timeOf(speech, one.first_seen)],
    [names.rate, rate === null ? textsOf(speech).byLamassu : f.percent(rate)],
    [
      names.range,
      min === null && max === null
        ? names.noRange
        : names.rangeOf(min === null ? '0 %' : f.percent(min), max === null ? '50 %' : f.percent(max)),
    ],
    [names.cash, cashByCurrency(speech, one.remaining)],
    [names.cashAny, cashByCurrency(speech, one.remaining_any_machine)],
    [names.last, last === null ? names.never : timeOf(speech, last)],
  ]);
}
