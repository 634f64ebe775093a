import { html } from 'hono/html';
import { listSetClients } from '../../../operations/clients.ts';
import { exportRows } from '../../../operations/export.ts';
import { showStatement } from '../../../operations/statements.ts';
import { isMonth } from '../../../typed/months.ts';
import { FILE_FORMATS } from '../../../views/export-formats.ts';
import { monthNow } from '../../request/month-now.ts';
import { type Speech, speechOf, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { reportsEn } from '../../text/en/admin-reports.ts';
import { reportsEs } from '../../text/es/admin-reports.ts';
import { card, linkButton } from '../../view/components.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { layout } from '../../view/layout.ts';
import { clientLink, pathTo } from '../../view/links.ts';
import { htmlTable, pager, pathWith } from '../../view/lists.ts';
import type { PageRoute } from '../page-route.ts';
import { filterForm, pageOfAll } from './filters.ts';

/* Files for bookkeeping, statements of clients, and the closing of a month. */

export const reportTexts = { en: reportsEn, es: reportsEs };

/** What can be exported. */
export const EXPORT_KINDS = exportRows.input.shape.kind.options;
type ExportName = (typeof EXPORT_KINDS)[number];

export function kindTexts(speech: Speech, kind: ExportName): readonly [string, string] {
  return textsIn(speech, reportTexts).kinds[kind] ?? [kind, ''];
}

export const reportsRoute: PageRoute = {
  method: 'GET',
  path: '/reports',
  show: async (context) => {
    const speech = speechOf(context);
    const texts = textsIn(speech, reportTexts);
    const asked = context.req.query();
    const newest = monthNow(context);
    const month = isMonth(asked.month) ? asked.month : undefined;
    const hasBegun = month === undefined || month <= newest;
    // A month stands alone.
    const { from, to } = month === undefined ? asked : {};
    const { client, after } = asked;
    const clients = await performFor(context, listSetClients, {});
    const closing = month !== undefined && hasBegun ? month : newest;
    const ofClients = clients.map(({ name }) => name).filter((name) => !client || name === client);
    const { rows, next } = pageOfAll(ofClients, after, (name) => name);
    const query = { month, from, to, client };
    return layout(context, {
      ...{ title: speech.t.nav.reports, here: 'reports' },
      actions: linkButton(pathWith('/reports/month', { month: closing }), texts.closing.choose, 'primary'),
      main: html`<p class="lead">${texts.exports.lead}</p>
${filterForm(speech, '/reports', [
  {
    ...{ name: 'month', label: texts.month, value: month, kind: 'month' },
    wrong: hasBegun ? undefined : texts.notBegun(speech.f.month(newest)),
  },
  { name: 'from', label: texts.from, value: from, kind: 'date' },
  { name: 'to', label: texts.to, value: to, kind: 'date' },
  {
    ...{ name: 'client', label: texts.client, value: client },
    choices: [
      { value: '', text: texts.everyone },
      ...clients.map(({ name }) => ({ value: name, text: name })),
    ],
  },
])}
${
  hasBegun
    ? html`${filesTable(speech, query)}
${card(
  texts.statements.title,
  html`<p>${texts.statements.lead}</p>${statementsTable(speech, rows, closing)}${pager(speech, '/reports', { ...query, after }, next)}`,
)}`
    : ''
}`,
    });
  },
};

type ExportRange = Record<'month' | 'from' | 'to' | 'client', string | undefined>;

function filesTable(speech: Speech, range: ExportRange): PageHtml {
  const texts = textsIn(speech, reportTexts);
  const { month, from, to, client } = range;
  const shown =
    month !== undefined
      ? speech.f.month(month)
      : from || to
        ? texts.range.days(from ?? '…', to ?? '…')
        : texts.range.all;
  // The commission goes to its recipients, not to clients.
  const isOfClients = (kind: ExportName) => kind !== 'commission';
  return htmlTable<ExportName>(
    speech,
    [
      { head: texts.exports.what, isHead: true, cell: (kind) => kindTexts(speech, kind)[0] },
      { head: texts.exports.has, kind: 'wide', cell: (kind) => kindTexts(speech, kind)[1] },
      {
        head: texts.exports.files,
        cell: (kind): HtmlContent =>
          client && !isOfClients(kind)
            ? html`<span class="quiet">${texts.noClient}</span>`
            : FILE_FORMATS.map(
                (format) =>
                  html`<a href="${pathWith(`/api/v1/exports/${kind}`, { format, ...range })}" download>${format.toUpperCase()}</a> `,
              ),
      },
    ],
    EXPORT_KINDS,
    { caption: texts.exports.caption(shown) },
  );
}

function statementsTable(speech: Speech, names: readonly string[], month: string): PageHtml {
  const texts = textsIn(speech, reportTexts);
  const path = (name: string, format: string) =>
    pathWith(`${pathTo.client(name)}/statement`, { month, format });
  return htmlTable(
    speech,
    [
      { head: texts.client, isHead: true, cell: (name) => clientLink(name) },
      {
        head: texts.exports.files,
        cell: (name) =>
          ['html', 'csv', 'text'].map(
            (format) => html`<a href="${path(name, format)}" download>${format.toUpperCase()}</a> `,
          ),
      },
    ],
    names,
    { caption: speech.f.month(month) },
  );
}

const STATEMENT_TYPES = {
  html: ['text/html; charset=utf-8', 'html'],
  csv: ['text/csv; charset=utf-8', 'csv'],
  text: ['text/plain; charset=utf-8', 'txt'],
} as const;

/** A statement as a file, in the language of the visitor. */
export const statementFile: PageRoute = {
  method: 'GET',
  path: '/clients/:name/statement',
  show: async (context) => {
    const speech = speechOf(context);
    const { month = monthNow(context), format = 'html' } = context.req.query();
    const chosen = format === 'csv' || format === 'text' ? format : 'html';
    const { client, document } = await performFor(context, showStatement, {
      ...{ name: context.req.param('name') ?? '', month, format: chosen, lang: speech.language },
    });
    const [type, extension] = STATEMENT_TYPES[chosen];
    return context.body(document ?? '', 200, {
      'content-type': type,
      // Never shown here: its style would be refused.
      'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(`${client}-${month}.${extension}`)}`,
    });
  },
};
