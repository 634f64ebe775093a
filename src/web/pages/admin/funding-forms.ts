import { html } from 'hono/html';
import { listSetClients } from '../../../operations/clients.ts';
import {
  addOneFunding,
  confirmOneFunding,
  previewAddFunding,
  previewConfirmFunding,
} from '../../../operations/enter-funding.ts';
import {
  adjustOneFunding,
  cancelOneFunding,
  moveOneFunding,
  showFunding,
} from '../../../operations/fundings.ts';
import { previewWithdrawal, withdrawFromFunding } from '../../../operations/withdraw-funding.ts';
import type {
  FundingView,
  PastView,
  PreviewedWithdrawalView,
  ShownFundingView,
} from '../../../views/fundings.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { money, timeOf } from '../../view/amounts.ts';
import { facts, notice } from '../../view/components.ts';
import type { Field, Typed } from '../../view/forms.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { pathTo } from '../../view/links.ts';
import { messageOf } from '../../view/messages.ts';
import { type Agreement, changeForm, type FormView } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import {
  figuresOf,
  machineChoices,
  machinesOf,
  onlyCurrency,
  readAmount,
  withCurrency,
  wordsOfAmount,
} from './cash-fields.ts';
import { fundingMachine, fundingTexts } from './funding-table.ts';
import { pastOf } from './late-cash.ts';

/* What can be done with cash: each form, what it would do in words and figures, and then the cash as it is. */

const ANY = 'any';

const textsOf = (speech: Speech) => textsIn(speech, fundingTexts);

function idOf(context: WebContext): string {
  return context.req.param('id') ?? '';
}

function fundingOf(context: WebContext): Promise<ShownFundingView> {
  return performFor(context, showFunding, { id: idOf(context) });
}

/** The one that a form is about, with its currency for amounts that are typed without one. */
async function formOf(
  context: WebContext,
  speech: Speech,
  make: (
    one: ShownFundingView,
    cash: (amount: string) => string,
  ) => Omit<FormView, 'here' | 'hidden' | 'lead'> & { lead: string },
): Promise<FormView> {
  const one = await fundingOf(context);
  const { lead, ...rest } = make(one, (amount) => speech.f.money(amount, one.currency));
  return {
    ...{ here: 'fundings', lead: html`<p class="lead">${lead}</p>`, ...rest },
    hidden: { currency: one.currency },
  };
}

const reasonField = (speech: Speech, optional = false): Field => ({
  ...{ name: 'reason', label: textsOf(speech).form.reason, help: textsOf(speech).form.reasonHelp },
  ...(optional && { optional: true }),
});

/** In figures and in words. */
function amountFacts(
  context: WebContext,
  name: string,
  text: string,
  isDifference = false,
): (readonly [HtmlContent, HtmlContent] | false)[] {
  const speech = speechOf(context);
  const amount = readAmount(context, text, isDifference);
  if (amount === null) return [[name, text]];
  return [
    [name, html`<strong>${figuresOf(speech, amount)}</strong>`],
    [textsOf(speech).agree.inWords, html`<strong>${wordsOfAmount(speech, amount)}</strong>`],
  ];
}

/* Adding */

function additionOf(context: WebContext, words: Typed): Record<string, unknown> {
  const { client = '', machine, rate = '', at = '', past, new_currency: newCurrency } = words;
  const isInside = context.req.path.endsWith('/new-inside');
  return {
    ...{ client, amount: withCurrency(words, 'amount') },
    ...(machine === ANY ? { any_machine: true } : machine ? { machine } : {}),
    ...(rate.trim() && { rate }),
    ...(newCurrency === 'on' && { new_currency: true }),
    ...(isInside && { deposited: true, ...(at.trim() && { at: at.trim() }), ...choiceOf(past) }),
  };
}

/** What happens to cash-outs from before it was entered. */
function choiceOf(past: string | undefined): Record<string, unknown> {
  return past === 'from_own' ? { from_own: true } : past === 'leave' ? { no_past: true } : {};
}

async function additionForm(context: WebContext, speech: Speech, isInside: boolean): Promise<FormView> {
  const texts = textsOf(speech).form;
  const clients = await performFor(context, listSetClients, {});
  const machines = await machinesOf(context);
  const currency = onlyCurrency(machines);
  const open = clients.filter(({ status }) => status === 'active' || status === 'paused');
  const choices = machineChoices(machines);
  const more = html` <a href="/fundings/new-inside">${texts.more}</a>`;
  return {
    ...{ title: isInside ? texts.addInsideTitle : texts.addTitle, here: 'fundings' },
    lead: html`<p class="lead">${isInside ? texts.addInsideLead : texts.addLead}${isInside ? '' : more}</p>`,
    fields: [
      {
        ...{ name: 'client', label: texts.client, kind: 'select' },
        choices: [
          { value: '', text: texts.chooseClient },
          ...open.map(({ name }) => ({ value: name, text: name })),
        ],
      },
      {
        ...{ name: 'amount', label: texts.amount, kind: 'amount', inputs: ['new_currency'] },
        help: currency === undefined ? texts.amountCurrencyHelp : texts.amountHelp,
        ...(currency !== undefined && { unit: currency }),
      },
      {
        ...{ name: 'machine', label: texts.machine, kind: 'select', inputs: ['any_machine'] },
        // Nobody's cash is taken for that of another machine because nothing was chosen.
        choices: [
          ...(choices.length > 1 ? [{ value: '', text: texts.chooseMachine }] : []),
          ...choices,
          { value: ANY, text: texts.anyMachine },
        ],
      },
      ...(isInside
        ? ([
            atField(context, speech),
            { name: 'rate', label: texts.rate, help: texts.rateHelp, optional: true },
            { name: 'new_currency', label: texts.newCurrency, kind: 'check', optional: true },
            reasonField(speech, true),
          ] satisfies Field[])
        : []),
    ],
    hidden: currency === undefined ? {} : { currency },
  };
}

function atField(context: WebContext, speech: Speech): Field {
  const texts = textsOf(speech).form;
  const now = context.get('site').serving.clock.now();
  const example = `${speech.f.isoDay(now)} 14:30`;
  return {
    ...{ name: 'at', label: texts.at, help: texts.atHelp(example), optional: true },
    inputs: ['from_own', 'no_past', 'deposited'],
  };
}

async function additionAgreement(
  context: WebContext,
  speech: Speech,
  words: Typed,
  view: unknown,
): Promise<Agreement> {
  const texts = textsOf(speech).agree;
  const isInside = context.req.path.endsWith('/new-inside');
  const machines = await machinesOf(context);
  const machine = machines.find((one) => one.machine === words.machine);
  const past = pastOf(speech, isInside ? (view as PastView) : null);
  return {
    content: html`${facts([
      [texts.client, words.client],
      ...amountFacts(context, texts.amount, withCurrency(words, 'amount')),
      [texts.machine, words.machine === ANY ? speech.t.anyMachine : (machine?.name ?? words.machine)],
      [texts.state, isInside ? sinceText(speech, words) : texts.onItsWay],
      !!words.rate && [texts.rate, words.rate],
      !!words.reason && [texts.reason, words.reason],
    ])}${past.content}`,
    fields: past.fields,
  };
}

function sinceText(speech: Speech, { at = '' }: Typed): string {
  const texts = textsOf(speech).agree;
  return at.trim() === '' ? texts.insideNow : texts.insideSince(at.trim());
}

const additions = [false, true].flatMap((isInside) =>
  changeForm({
    path: isInside ? '/fundings/new-inside' : '/fundings/new',
    operation: addOneFunding,
    form: (context, speech) => additionForm(context, speech, isInside),
    input: additionOf,
    preview: { operation: previewAddFunding },
    agree: additionAgreement,
    done: (view) => `${pathTo.funding((view as FundingView).id)}?done=${isInside ? 'inside' : 'added'}`,
  }),
);

/* Confirming */

const confirming = changeForm({
  path: '/fundings/:id/confirm',
  operation: confirmOneFunding,
  form: (context, speech) =>
    formOf(context, speech, ({ id, client, amount, currency }, cash) => {
      const texts = textsOf(speech).form;
      return {
        ...{ title: texts.confirmTitle(id), lead: texts.confirmLead(client, cash(amount)) },
        fields: [
          { name: 'counted', label: texts.counted, kind: 'amount', help: texts.amountHelp, unit: currency },
          atField(context, speech),
          reasonField(speech, true),
        ],
      };
    }),
  input: (context, words) => {
    const { at = '', past } = words;
    const counted = withCurrency(words, 'counted');
    return {
      ...{ id: idOf(context), ...(counted !== '' && { counted }) },
      ...{ ...(at.trim() && { at: at.trim() }), ...choiceOf(past) },
    };
  },
  preview: { operation: previewConfirmFunding },
  agree: async (context, speech, words, view) => {
    const texts = textsOf(speech).agree;
    const one = await fundingOf(context);
    const past = pastOf(speech, view as PastView);
    return {
      content: html`${facts([
        [texts.client, one.client],
        [texts.machine, fundingMachine(speech, one)],
        [texts.announced, money(speech, one.amount, one.currency)],
        ...amountFacts(context, texts.counted, withCurrency(words, 'counted')),
        [texts.state, sinceText(speech, words)],
        !!words.reason && [texts.reason, words.reason],
      ])}${past.content}`,
      fields: past.fields,
    };
  },
  done: (view) => `${pathTo.funding((view as FundingView).id)}?done=confirmed`,
});

/* Taking out */

function lamassuNotice(speech: Speech, { lamassu }: PreviewedWithdrawalView): PageHtml {
  const texts = textsOf(speech).agree;
  const { problem, read_at: at } = lamassu;
  if (problem === null) return notice(texts.lamassuRead, 'good');
  const last = at === null ? texts.lamassuNever : texts.lamassuLast(speech.f.time(at));
  return notice(
    html`<p><strong>${texts.lamassuFailed}</strong></p><p lang="en">${messageOf(speech, problem.message)}</p><p>${last}</p>`,
    'warn',
  );
}

const withdrawing = changeForm({
  path: '/fundings/:id/withdraw',
  operation: withdrawFromFunding,
  form: (context, speech) =>
    formOf(context, speech, ({ id, remaining, currency }, cash) => {
      const texts = textsOf(speech).form;
      return {
        ...{ title: texts.withdrawTitle(id), lead: texts.withdrawLead(cash(remaining)) },
        fields: [
          {
            ...{ name: 'amount', label: texts.withdrawAmount, kind: 'amount', help: texts.withdrawHelp },
            ...{ unit: currency, optional: true, inputs: ['id'] },
          },
          reasonField(speech),
        ],
      };
    }),
  input: (context, words) => {
    const amount = withCurrency(words, 'amount');
    return { id: idOf(context), ...(amount !== '' && { amount }) };
  },
  preview: { operation: previewWithdrawal },
  agree: (context, speech, words, given) => {
    const texts = textsOf(speech).agree;
    const view = given as PreviewedWithdrawalView;
    return {
      content: html`${lamassuNotice(speech, view)}${facts([
        [texts.client, view.client],
        [texts.machine, fundingMachine(speech, view)],
        ...amountFacts(context, texts.amount, `${view.taken} ${view.currency}`),
        [texts.remaining, money(speech, view.remaining, view.currency)],
        [texts.reason, words.reason],
      ])}`,
    };
  },
  done: (view) => `${pathTo.funding((view as FundingView).id)}?done=withdrawn`,
});

/* Correcting */

const adjusting = changeForm({
  path: '/fundings/:id/adjust',
  operation: adjustOneFunding,
  form: (context, speech) =>
    formOf(context, speech, ({ id, remaining, currency }, cash) => {
      const texts = textsOf(speech).form;
      return {
        ...{ title: texts.adjustTitle(id), lead: texts.adjustLead(cash(remaining)) },
        fields: [
          { name: 'amount', label: texts.adjustBy, kind: 'amount', help: texts.adjustHelp, unit: currency },
          reasonField(speech),
        ],
      };
    }),
  input: (context, words) => ({ id: idOf(context), amount: withCurrency(words, 'amount') }),
  agree: async (context, speech, words) => {
    const texts = textsOf(speech).agree;
    const one = await fundingOf(context);
    return {
      content: facts([
        [texts.client, one.client],
        [texts.machine, fundingMachine(speech, one)],
        ...amountFacts(context, texts.difference, withCurrency(words, 'amount'), true),
        [textsOf(speech).detail.remaining, money(speech, one.remaining, one.currency)],
        [texts.reason, words.reason],
      ]),
    };
  },
  done: (view) => `${pathTo.funding((view as FundingView).id)}?done=adjusted`,
});

const moving = changeForm({
  path: '/fundings/:id/move',
  operation: moveOneFunding,
  form: async (context, speech) => {
    const texts = textsOf(speech).form;
    const one = await fundingOf(context);
    const machines = await machinesOf(context);
    return {
      ...{
        title: texts.moveTitle(one.id),
        here: 'fundings',
        lead: html`<p class="lead">${texts.moveLead}</p>`,
      },
      fields: [
        {
          ...{ name: 'machine', label: texts.machine, kind: 'select', inputs: ['any_machine', 'id'] },
          choices: [...machineChoices(machines), { value: ANY, text: texts.anyMachine }],
          value: one.machine ?? ANY,
        },
        reasonField(speech, true),
      ],
    };
  },
  input: (context, { machine }) => ({
    ...{ id: idOf(context), ...(machine === ANY ? { any_machine: true } : machine ? { machine } : {}) },
  }),
  done: (view) => `${pathTo.funding((view as FundingView).id)}?done=moved`,
});

const cancelling = changeForm({
  path: '/fundings/:id/cancel',
  operation: cancelOneFunding,
  form: async (context, speech) => {
    const texts = textsOf(speech);
    const one = await fundingOf(context);
    return {
      ...{ title: texts.form.cancelTitle(one.id), here: 'fundings', danger: true, submit: texts.do.cancel },
      lead: html`<p class="lead">${texts.form.cancelLead}</p>${facts([
        [texts.agree.client, one.client],
        [texts.agree.amount, money(speech, one.amount, one.currency)],
        [texts.detail.created, timeOf(speech, one.created_at)],
      ])}`,
      fields: [reasonField(speech, true)],
    };
  },
  input: (context) => ({ id: idOf(context) }),
  done: (view) => `${pathTo.funding((view as FundingView).id)}?done=cancelled`,
});

export const fundingForms: readonly PageRoute[] = [
  ...additions,
  ...confirming,
  ...withdrawing,
  ...adjusting,
  ...moving,
  ...cancelling,
];
