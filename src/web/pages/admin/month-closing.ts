import { html } from 'hono/html';
import { sumExport } from '../../../operations/export.ts';
import { addMonths, isMonth } from '../../../typed/months.ts';
import type { ExportView } from '../../../views/export.ts';
import { monthNow } from '../../request/month-now.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { money, satsNumber, satsOf } from '../../view/amounts.ts';
import { notice } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { htmlTable, pathWith } from '../../view/lists.ts';
import type { PageRoute } from '../page-route.ts';
import { kindTexts, reportTexts } from './reports.ts';

/* The sums of a month by currency: those of the files, so both agree. */

const CLOSED = ['cash-outs', 'allocations', 'commission', 'fundings', 'payouts'] as const;

type ExportTotalsView = ExportView['totals'];

export const monthRoute: PageRoute = {
  method: 'GET',
  path: '/reports/month',
  show: async (context) => {
    const speech = speechOf(context);
    const { f, t } = speech;
    const texts = textsIn(speech, reportTexts).closing;
    const { month: asked } = context.req.query();
    const now = monthNow(context);
    const month = isMonth(asked) ? asked : now;
    const parts: { kind: (typeof CLOSED)[number]; totals: ExportTotalsView }[] = [];
    for (const kind of CLOSED) {
      const { totals } = await performFor(context, sumExport, { kind, month });
      parts.push({ kind, totals });
    }
    const shown = parts.filter(({ totals }) => Object.keys(totals).length > 0);
    const [before, after] = [addMonths(month, -1), addMonths(month, 1)];
    const to = (other: string, text: string) =>
      html`<a class="button plain" href="${pathWith('/reports/month', { month: other })}">${text}</a>`;
    return layout(context, {
      ...{ title: texts.of(f.month(month)), here: 'reports' },
      actions: html`<button type="button" class="plain" data-print hidden>${t.print}</button>`,
      main: html`<p class="lead">${texts.lead}</p>
${month >= now ? notice(texts.running) : ''}
${shown.length === 0 ? html`<p>${texts.none}</p>` : shown.map(({ kind, totals }) => closingTable(speech, kind, totals))}
<nav class="pager no-print" aria-label="${textsIn(speech, reportTexts).month}">${to(before, `← ${f.month(before)}`)}${
        month < now ? to(after, `${f.month(after)} →`) : ''
      }</nav>`,
    });
  },
};

/** One line for each sum, one column for each currency. */
function closingTable(speech: Speech, kind: (typeof CLOSED)[number], totals: ExportTotalsView): PageHtml {
  const texts = textsIn(speech, reportTexts).closing;
  const currencies = Object.keys(totals).toSorted((a, b) => (a < b ? -1 : 1));
  const names = [...new Set(currencies.flatMap((one) => Object.keys(totals[one] ?? {})))];
  const [title] = kindTexts(speech, kind);
  return htmlTable<string>(
    speech,
    [
      {
        head: title,
        isHead: true,
        cell: (name) => (name === 'rows' ? texts.rows : (texts.columns[name] ?? name)),
      },
      ...currencies.map((currency) => ({
        ...({ head: currency, kind: 'num' } as const),
        cell: (name: string) => sumOf(speech, totals[currency]?.[name], currency, name),
      })),
    ],
    names,
    { caption: title, isCaptionHidden: true },
  );
}

function sumOf(
  speech: Speech,
  value: ExportTotalsView[string][string] | undefined,
  currency: string,
  name: string,
): HtmlContent {
  if (value === undefined) return '';
  if (typeof value === 'string') return money(speech, value, currency);
  if (name === 'rows') return speech.f.count(value);
  return name.endsWith('sats') ? satsOf(speech, BigInt(value)) : satsNumber(speech, BigInt(value));
}
