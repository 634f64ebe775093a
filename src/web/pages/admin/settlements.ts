import { html } from 'hono/html';
import { machineText } from '../../../lib/machine-label.ts';
import { listMachines } from '../../../operations/machines.ts';
import {
  previewExternal,
  previewSettle,
  settleCashOut,
  settleExternal,
} from '../../../operations/settlements.ts';
import { previewVoid, voidSettled } from '../../../operations/void-settlement.ts';
import type { SettlementView, VoidedView } from '../../../views/settlements.ts';
import type { WebContext } from '../../request/site-context.ts';
import type { Speech } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import type { ReviewTexts } from '../../text/en/admin-review.ts';
import { money, satsNumber, satsOf, timeOf } from '../../view/amounts.ts';
import { card, facts, notice } from '../../view/components.ts';
import type { Field, Typed } from '../../view/forms.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { clientLink, fundingLink, pathTo, shortCashOut } from '../../view/links.ts';
import { htmlTable } from '../../view/lists.ts';
import { changeForm } from '../change-pages.ts';
import type { PageRoute } from '../page-route.ts';
import { reasonField } from './payout-changes.ts';
import { reviewTexts } from './review.ts';

/* Settling by hand: what is known is typed, the whole division is shown, and exactly that is written. */

function idOf(context: WebContext): string {
  return context.req.param('id') ?? '';
}

/** The inputs of a settlement that were typed; what is empty is left to Lamassu, or follows. */
function figures(typed: Typed): Record<string, unknown> {
  const names = ['machine', 'at', 'fiat', 'commission', 'rate', 'price', 'gross'];
  const given = names.flatMap((name) => {
    const text = typed[name]?.trim();
    return text ? [[name, text] as const] : [];
  });
  return { ...Object.fromEntries(given), credit: typed.credit === 'on' };
}

/** Of `settle`: how the page of a field is called, and whether Lamassu can tell it. */
async function fieldsOf(context: WebContext, speech: Speech, isExternal: boolean): Promise<Field[]> {
  const { settle: texts } = reviewTexts(speech);
  const machines = await performFor(context, listMachines, {});
  const optional = isExternal ? {} : { optional: true as const };
  const { creditSource } = context.get('site').serving.config.lnbits;
  const all = machines.map(({ machine, name }) => ({ value: machine, text: machineText(machine, name) }));
  return [
    ...(isExternal
      ? [{ name: 'reference', label: texts.reference, help: texts.referenceHelp } satisfies Field]
      : []),
    {
      ...{ name: 'machine', label: texts.machine, kind: 'select', ...optional },
      ...(isExternal ? {} : { help: texts.machineHelp }),
      choices: isExternal ? all : [{ value: '', text: texts.machineNone }, ...all],
    },
    { name: 'at', label: texts.at, help: isExternal ? texts.externalAtHelp : texts.atHelp, ...optional },
    {
      name: 'fiat',
      label: texts.fiat,
      help: isExternal ? texts.externalFiatHelp : texts.fiatHelp,
      ...optional,
    },
    {
      ...{ name: 'gross', label: texts.gross, kind: 'amount', unit: speech.t.sats, optional: true },
      help: isExternal ? texts.externalGrossHelp : texts.grossHelp,
    },
    {
      ...{ name: 'commission', label: texts.commission, kind: 'amount', unit: speech.t.sats, optional: true },
      help: isExternal ? texts.externalCharge : texts.charge,
    },
    { name: 'rate', label: texts.rate, help: texts.rateHelp, kind: 'amount', optional: true },
    { name: 'price', label: texts.price, help: texts.priceHelp, optional: true },
    ...(creditSource
      ? [
          {
            name: 'credit',
            label: texts.credit,
            help: texts.creditHelp,
            kind: 'check' as const,
            optional: true as const,
          },
        ]
      : []),
    reasonField(speech),
  ];
}

/** What would be written, to the sat. */
function proposal(speech: Speech, view: SettlementView): PageHtml {
  const { settle: texts } = reviewTexts(speech);
  const { f } = speech;
  const { proposal: figure, currency } = view;
  if (figure === null) return html`${notice(texts.before, 'good')}${divisionTable(speech, view)}`;
  const { currency_doubt: doubt, price } = figure;
  return html`${lamassuCard(speech, view)}
${overridesNotice(speech, view)}
${doubt === null ? '' : notice(html`<p><strong>${texts.doubt}</strong></p><p lang="en">${doubt}</p>`, 'warn')}
${facts([
  [texts.division.rate, f.percent(figure.commission_rate)],
  price !== null && [texts.division.price, money(speech, price, currency)],
])}
${divisionTable(speech, view)}`;
}

function lamassuCard(speech: Speech, { proposal: figure, currency }: SettlementView): HtmlContent {
  const { settle } = reviewTexts(speech);
  const { lamassu: texts } = settle;
  const said = figure?.lamassu;
  if (!said) return '';
  const cash = (amount: string | null) => (amount === null ? texts.unknown : money(speech, amount, currency));
  return card(
    texts.title,
    facts([
      [texts.says, html`<span lang="en">${said.says}</span>`],
      [texts.asked, cash(said.asked_fiat)],
      [texts.paid, said.paid_sats === null ? texts.unknown : satsOf(speech, said.paid_sats)],
      [texts.out, cash(said.dispensed_fiat)],
      [texts.when[said.at_from], timeOf(speech, said.at)],
      said.dispenses.length > 1 && [
        texts.dispenses,
        html`<ul class="plain" lang="en">${said.dispenses.map((one) => html`<li>${one}</li>`)}</ul>`,
      ],
    ]),
  );
}

function overridesNotice(speech: Speech, view: SettlementView): HtmlContent {
  const { settle: texts } = reviewTexts(speech);
  const { f } = speech;
  const { proposal: figure, fiat, currency, gross_sats: gross } = view;
  if (!figure) return '';
  const { overrides } = figure;
  const all = [
    overrides.fiat !== null && texts.otherFiat(f.money(fiat, currency), f.money(overrides.fiat, currency)),
    overrides.gross_sats !== null && texts.otherGross(f.sats(gross), f.sats(overrides.gross_sats)),
    overrides.commission && texts.otherCommission,
  ].filter((one) => one !== false);
  if (all.length === 0) return '';
  return notice(
    html`<p><strong>${texts.overrides}</strong></p><ul>${all.map((one) => html`<li>${one}</li>`)}</ul>`,
    'warn',
  );
}

/** Whose the cash and the sats are; the last line is all that was paid. */
function divisionTable(speech: Speech, view: SettlementView | VoidedView['was']): PageHtml {
  const { settle } = reviewTexts(speech);
  const { division: texts } = settle;
  const { currency } = view;
  interface Part {
    whose: HtmlContent;
    fiat: string | null;
    commission: bigint | null;
    net: bigint;
  }
  const ofClients = view.allocations.reduce((sum, one) => sum + one.commission_sats, 0n);
  const parts: Part[] = [
    ...view.allocations.map((one) => ({
      whose: html`${clientLink(one.client)} ${fundingLink(one.funding)}`,
      ...{ fiat: one.fiat, commission: one.commission_sats, net: one.net_sats },
    })),
    ...(/[1-9]/.test(view.own_fiat)
      ? [
          {
            ...{ whose: texts.own, fiat: view.own_fiat, net: view.own_sats },
            commission: view.commission_sats - ofClients,
          },
        ]
      : []),
    ...(view.undelivered_sats > 0n
      ? [{ whose: texts.undelivered, fiat: null, commission: null, net: view.undelivered_sats }]
      : []),
  ];
  const of = (amount: bigint | null) => (amount === null ? '' : satsNumber(speech, amount));
  return htmlTable(
    speech,
    [
      { head: texts.parts, isHead: true, cell: ({ whose }) => whose, total: texts.all },
      {
        ...{ head: texts.cash, kind: 'num', total: money(speech, view.fiat, currency) },
        cell: ({ fiat }) => (fiat === null ? '' : money(speech, fiat, currency)),
      },
      {
        ...{ head: texts.commission, kind: 'num', total: of(view.commission_sats) },
        cell: ({ commission }) => of(commission),
      },
      {
        ...{ head: texts.net, kind: 'num', total: of(view.net_sats + view.own_sats + view.undelivered_sats) },
        cell: ({ net }) => of(net),
      },
    ],
    parts,
    { caption: texts.title },
  );
}

const afterSettling = (view: unknown) =>
  (view as SettlementView).already_settled ? 'settledBefore' : 'settled';

export const settlementPages: readonly PageRoute[] = [
  ...changeForm({
    path: '/review/:id/settle',
    operation: settleCashOut,
    preview: { operation: previewSettle },
    form: async (context, speech) => {
      const { settle: texts } = reviewTexts(speech);
      return {
        ...{ title: texts.title(shortCashOut(idOf(context))), here: 'review' },
        lead: html`<p class="lead">${texts.lead}</p>`,
        fields: await fieldsOf(context, speech, false),
      };
    },
    input: (context, typed) => ({ id: idOf(context), ...figures(typed) }),
    agree: (_context, speech, _typed, view) => ({
      content: proposal(speech, view as SettlementView),
      submit: reviewTexts(speech).settle.confirm,
    }),
    done: (view) => `${pathTo.review((view as SettlementView).id)}?done=${afterSettling(view)}`,
  }),
  ...changeForm({
    path: '/settle',
    operation: settleExternal,
    preview: { operation: previewExternal },
    form: async (context, speech) => {
      const { settle: texts } = reviewTexts(speech);
      return {
        ...{ title: texts.externalTitle, here: 'review' },
        lead: html`<p class="lead">${texts.externalLead}</p>`,
        fields: await fieldsOf(context, speech, true),
      };
    },
    input: (_context, typed) => ({
      ...{ reference: typed.reference ?? '', ...figures(typed) },
      ...(typed.new_currency === 'on' && { new_currency: true }),
    }),
    agree: (_context, speech, _typed, view) => {
      const settlement = view as SettlementView;
      const { settle: texts } = reviewTexts(speech);
      const hasDoubt = settlement.proposal?.currency_doubt != null;
      const fields: Field[] = hasDoubt
        ? [{ name: 'new_currency', label: texts.newCurrency, kind: 'check' }]
        : [];
      return { content: proposal(speech, settlement), fields, submit: texts.confirm };
    },
    done: (view) => `/review?done=${afterSettling(view)}`,
  }),
  ...changeForm({
    path: '/cash-outs/:id/void',
    operation: voidSettled,
    preview: { operation: previewVoid },
    form: (context, speech) => {
      const { voidForm: texts } = reviewTexts(speech);
      return {
        ...{ title: texts.title(shortCashOut(idOf(context))), here: 'cashOuts', danger: true },
        ...{ lead: html`<p class="lead">${texts.lead}</p>`, fields: [reasonField(speech)] },
      };
    },
    input: (context) => ({ id: idOf(context) }),
    agree: (_context, speech, _typed, view) => ({
      content: voidContent(speech, view as VoidedView),
      submit: reviewTexts(speech).voidForm.submit,
    }),
    done: () => '/review?done=voided',
  }),
];

function voidContent(speech: Speech, { was, fundings, back }: VoidedView): PageHtml {
  const { voidForm: texts }: Pick<ReviewTexts, 'voidForm'> = reviewTexts(speech);
  const { settlement, currency } = was;
  const closing = new Set(fundings.filter((one) => one.client_closing).map(({ client }) => client));
  return html`${
    settlement === null
      ? ''
      : html`<p>${texts.settledBy} ${timeOf(speech, settlement.at)}, ${settlement.actor}: ${settlement.reason}</p>`
  }${divisionTable(speech, was)}${htmlTable(
    speech,
    [
      {
        head: '',
        isHead: true,
        cell: ({ client, funding }) => html`${clientLink(client)} ${fundingLink(funding)}`,
      },
      { head: texts.back, kind: 'num', cell: ({ fiat }) => money(speech, fiat, currency) },
      { head: texts.remains, kind: 'num', cell: ({ remaining }) => money(speech, remaining, currency) },
    ],
    fundings,
    { caption: texts.back, isCaptionHidden: true },
  )}${[...closing].map((client) => notice(texts.closing(client), 'warn'))}<p>${texts.row[back]}</p>`;
}
