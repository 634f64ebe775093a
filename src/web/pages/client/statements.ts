import { html } from 'hono/html';
import { formatDecimal, parseDecimal } from '../../../dca/money.ts';
import { exportRows } from '../../../operations/export.ts';
import { sumPurchases } from '../../../operations/purchases.ts';
import { showStatement } from '../../../operations/statements.ts';
import { addMonths } from '../../../typed/months.ts';
import type { StatementView } from '../../../views/statements.ts';
import { exportResponse } from '../../api/streams.ts';
import { monthNow } from '../../request/month-now.ts';
import type { WebContext } from '../../request/site-context.ts';
import { performFor } from '../../request/visitor.ts';
import { dayAndClock, money, satsNumber, satsOf } from '../../view/amounts.ts';
import { card, facts, linkButton } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { htmlTable, pathWith } from '../../view/lists.ts';
import type { PageRoute } from '../page-route.ts';
import { type OwnSpeech, ownSpeech } from './own.ts';

/* The account of a month or a year, on screen and on paper, and the same as a file. */

type OwnAccount = StatementView['currencies'][number];

const chooserPage: PageRoute = {
  method: 'GET',
  path: '/statement',
  show: async (context) => {
    const speech = ownSpeech(context);
    const { x, f } = speech;
    const months = await monthsOf(context);
    const years = [...new Set(months.map((month) => month.slice(0, 4)))];
    const links = (spans: readonly string[], text: (span: string) => string) =>
      html`<div class="actions">${spans.map((span) => linkButton(`/statement/${span}`, text(span)))}</div>`;
    return layout(context, {
      ...{ title: x.statement.title, here: 'settings' },
      main: html`${card(x.statement.month, links(months.slice(0, 12), f.month))}
${card(
  x.statement.year,
  links(years, (year) => year),
)}
${card(x.statement.exportTitle, exportForm(speech, months))}`,
    });
  },
};

/** From the newest month to the one of the first purchase. */
async function monthsOf(context: WebContext): Promise<string[]> {
  const sums = await performFor(context, sumPurchases, { by: 'month' });
  const newest = monthNow(context);
  const months: string[] = [];
  for (let month = newest; month >= (sums[0]?.of ?? newest); month = addMonths(month, -1)) months.push(month);
  return months;
}

function exportForm({ x, f, t }: OwnSpeech, months: readonly string[]): PageHtml {
  const select = (name: string, label: string, options: readonly (readonly [string, string])[]) =>
    html`<div class="field"><label for="${name}">${label}</label><select id="${name}" name="${name}">${options.map(([value, text]) => html`<option value="${value}">${text}</option>`)}</select></div>`;
  return html`<form method="get" action="/export" class="filters">
${select('kind', x.statement.what, Object.entries(x.statement.kindsOf))}
${select('format', x.statement.format, Object.entries(x.statement.formats))}
${select('month', x.statement.span, [['', x.statement.all], ...months.map((month) => [month, f.month(month)] as const)])}
<button class="primary">${t.download}</button>
</form><p class="quiet">${x.statement.exportNote}</p>`;
}

/** The file itself; what cannot be written so is an error that says so. */
const exportFile: PageRoute = {
  method: 'GET',
  path: '/export',
  show: (context) => {
    const { name } = ownSpeech(context);
    const { kind = 'allocations', format = 'csv', month } = context.req.query();
    return exportResponse(context, exportRows, { kind, format, client: name, ...(month && { month }) });
  },
};

const statementPage: PageRoute = {
  method: 'GET',
  path: '/statement/:span',
  show: async (context) => {
    const span = context.req.param('span') ?? '';
    return /^\d{4}$/.test(span) ? yearPage(context, span) : monthPage(context, span);
  },
};

async function monthPage(context: WebContext, month: string): Promise<PageHtml> {
  const speech = ownSpeech(context);
  const { x, f, name, t } = speech;
  const statement = await performFor(context, showStatement, { name, month });
  return layout(context, {
    ...{ title: x.statement.of(name, f.month(month)), here: 'settings' },
    actions: html`<button type="button" data-print hidden>${t.print}</button>`,
    main: html`${back(speech)}
${statement.as_of === null ? '' : html`<p>${x.statement.asOf(f.time(statement.as_of))}</p>`}
${statement.currencies.length === 0 ? html`<p>${x.statement.nothing}</p>` : statement.currencies.map((one) => monthIn(speech, one))}
${linkButton(pathWith('/export', { kind: 'allocations', format: 'csv', month }), `${t.download} (CSV)`)}`,
  });
}

function back({ x }: OwnSpeech): PageHtml {
  return html`<p class="no-print"><a href="/statement">← ${x.statement.title}</a></p>`;
}

function monthIn(speech: OwnSpeech, one: OwnAccount): PageHtml {
  const { x } = speech;
  return html`<div class="columns two">${cashOf(speech, one.currency, one.cash)}${satsIn(speech, one)}</div>
${one.purchases.length === 0 ? '' : card(x.statement.purchases, purchasesIn(speech, one))}
${one.movements.length === 0 ? '' : card(x.statement.movements, movementsIn(speech, one))}
${one.payments.length === 0 ? '' : card(x.statement.payments, paymentsIn(speech, one))}`;
}

function cashOf(speech: OwnSpeech, currency: string, cash: Omit<OwnAccount['cash'], 'machines'>): PageHtml {
  const { x } = speech;
  const line = (name: string, amount: string): readonly [HtmlContent, HtmlContent] => [
    name,
    money(speech, amount, currency),
  ];
  return card(
    `${x.statement.cash} · ${currency}`,
    facts([
      line(x.statement.opening, cash.opening),
      line(`+ ${x.statement.added}`, cash.added),
      line(`− ${x.statement.withdrawn}`, cash.withdrawn),
      /[1-9]/.test(cash.adjusted) && line(`± ${x.statement.adjusted}`, cash.adjusted),
      line(`− ${x.statement.spent}`, cash.spent),
      [
        html`<strong>= ${x.statement.closing}</strong>`,
        html`<strong>${money(speech, cash.closing, currency)}</strong>`,
      ],
      /[1-9]/.test(cash.in_flight) && line(x.statement.inFlight, cash.in_flight),
    ]),
  );
}

function satsIn(
  speech: OwnSpeech,
  { sats, average_price: average, currency }: Pick<OwnAccount, 'sats' | 'average_price' | 'currency'>,
): PageHtml {
  const { x } = speech;
  return card(
    x.statement.sats,
    facts([
      [x.statement.satsOpening, satsNumber(speech, sats.opening)],
      [`+ ${x.statement.bought}`, satsNumber(speech, sats.bought)],
      [`− ${x.statement.paid}`, satsNumber(speech, sats.paid)],
      [
        html`<strong>= ${x.statement.satsClosing}</strong>`,
        html`<strong>${satsNumber(speech, sats.closing)}</strong>`,
      ],
      average !== null && [x.statement.average, money(speech, average, currency)],
    ]),
  );
}

function purchasesIn(
  speech: OwnSpeech,
  { purchases, totals, currency, average_price: average }: OwnAccount,
): PageHtml {
  const { x } = speech;
  const cash = (decimal: string | null) => (decimal === null ? '–' : money(speech, decimal, currency));
  return htmlTable(
    speech,
    [
      {
        ...{ head: x.purchases.when, isHead: true },
        cell: (one) =>
          html`<a href="/purchases/${encodeURIComponent(one.cash_out)}">${dayAndClock(speech, one.at)}</a>`,
      },
      { ...{ head: x.purchases.cash, kind: 'num', total: cash(totals.fiat) }, cell: (one) => cash(one.fiat) },
      {
        ...{ head: x.statement.gross, kind: 'num wide', total: satsNumber(speech, totals.gross_sats) },
        cell: (one) => satsNumber(speech, one.gross_sats),
      },
      {
        ...{
          head: x.statement.commission,
          kind: 'num wide',
          total: satsNumber(speech, totals.commission_sats),
        },
        cell: (one) => satsNumber(speech, one.commission_sats),
      },
      {
        ...{ head: x.statement.net, kind: 'num', total: satsNumber(speech, totals.net_sats) },
        cell: (one) => satsNumber(speech, one.net_sats),
      },
      {
        ...{ head: x.statement.price, kind: 'num wide', total: cash(average) },
        cell: (one) => cash(one.price),
      },
      {
        ...{ head: x.statement.arrived, kind: 'wide' },
        cell: (one) => (one.paid_at === null ? x.statement.waits : dayAndClock(speech, one.paid_at)),
      },
    ],
    purchases,
    { caption: x.statement.purchases, isCaptionHidden: true },
  );
}

function movementsIn(speech: OwnSpeech, { movements, currency }: OwnAccount): PageHtml {
  const { x } = speech;
  return htmlTable(
    speech,
    [
      { ...{ head: x.purchases.when, isHead: true }, cell: (one) => dayAndClock(speech, one.at) },
      {
        head: x.cash.what,
        cell: (one) => html`${x.statement.kinds[one.kind]} <a href="/cash/${one.funding}">${one.funding}</a>`,
      },
      { ...{ head: x.purchases.cash, kind: 'num' }, cell: (one) => money(speech, one.fiat, currency) },
    ],
    movements,
    { caption: x.statement.movements, isCaptionHidden: true },
  );
}

function paymentsIn(speech: OwnSpeech, { payments, sats }: OwnAccount): PageHtml {
  const { x } = speech;
  return htmlTable(
    speech,
    [
      { ...{ head: x.purchases.when, isHead: true }, cell: (one) => dayAndClock(speech, one.at) },
      { head: x.statement.payout, cell: (one) => one.payout },
      {
        ...{ head: x.purchases.sats, kind: 'num', total: satsOf(speech, sats.paid) },
        cell: (one) => satsNumber(speech, one.sats),
      },
    ],
    payments,
    { caption: x.statement.payments, isCaptionHidden: true },
  );
}

interface MonthOfYear {
  month: string;
  one: OwnAccount;
}

/** The months of a year with their sums, which add up to those of the year. */
async function yearPage(context: WebContext, year: string): Promise<PageHtml> {
  const speech = ownSpeech(context);
  const { x, t, name } = speech;
  const newest = speech.f.isoDay(context.get('site').serving.clock.now()).slice(0, 7);
  const months = Array.from(
    { length: 12 },
    (_, index) => `${year}-${`${index + 1}`.padStart(2, '0')}`,
  ).filter((month) => month <= newest || month.endsWith('-01'));
  const all: MonthOfYear[] = [];
  for (const month of months) {
    const { currencies } = await performFor(context, showStatement, { name, month });
    all.push(...currencies.map((one) => ({ month, one })));
  }
  const byCurrency = Map.groupBy(all, ({ one }) => one.currency);
  return layout(context, {
    ...{ title: x.statement.of(name, year), here: 'settings' },
    actions: html`<button type="button" data-print hidden>${t.print}</button>`,
    main: html`${back(speech)}<p class="quiet no-print">${x.statement.yearNote}</p>
${byCurrency.size === 0 ? html`<p>${x.statement.nothing}</p>` : [...byCurrency].map(([currency, of]) => yearIn(speech, currency, of))}`,
  });
}

function yearIn(speech: OwnSpeech, currency: string, months: readonly MonthOfYear[]): PageHtml {
  const { x, f } = speech;
  const [first, last] = [months[0]?.one, months.at(-1)?.one];
  if (!first || !last) return html``;
  const digits = first.cash.opening.split('.')[1]?.length ?? 0;
  const cash = (of: (one: OwnAccount) => string) =>
    formatDecimal(
      months.reduce((all, { one }) => all + parseDecimal(of(one), digits), 0n),
      digits,
    );
  const sats = (of: (one: OwnAccount) => bigint) => months.reduce((all, { one }) => all + of(one), 0n);
  const ofYear = {
    ...{ opening: first.cash.opening, closing: last.cash.closing, in_flight: last.cash.in_flight },
    ...{ added: cash((one) => one.cash.added), withdrawn: cash((one) => one.cash.withdrawn) },
    ...{ adjusted: cash((one) => one.cash.adjusted), spent: cash((one) => one.cash.spent) },
  };
  const satsOfYear = {
    ...{ opening: first.sats.opening, closing: last.sats.closing },
    ...{ bought: sats((one) => one.sats.bought), paid: sats((one) => one.sats.paid) },
  };
  return html`<div class="columns two">${cashOf(speech, currency, ofYear)}${satsIn(speech, { sats: satsOfYear, average_price: null, currency })}</div>
${card(
  x.purchases.byMonth,
  htmlTable(
    speech,
    [
      {
        ...{ head: x.statement.month, isHead: true },
        cell: ({ month }) => html`<a href="/statement/${month}">${f.month(month)}</a>`,
      },
      {
        ...{ head: x.statement.added, kind: 'num wide', total: money(speech, ofYear.added, currency) },
        cell: ({ one }) => money(speech, one.cash.added, currency),
      },
      {
        ...{ head: x.statement.spent, kind: 'num', total: money(speech, ofYear.spent, currency) },
        cell: ({ one }) => money(speech, one.cash.spent, currency),
      },
      {
        ...{ head: x.statement.bought, kind: 'num', total: satsNumber(speech, satsOfYear.bought) },
        cell: ({ one }) => satsNumber(speech, one.sats.bought),
      },
      {
        ...{ head: x.statement.average, kind: 'num wide' },
        cell: ({ one }) => (one.average_price === null ? '–' : money(speech, one.average_price, currency)),
      },
    ],
    months,
    { caption: x.purchases.byMonth, isCaptionHidden: true },
  ),
)}`;
}

export const statementPages: readonly PageRoute[] = [chooserPage, exportFile, statementPage];
