import { html } from 'hono/html';
import type { Speech } from '../request/speech.ts';
import type { HtmlContent, PageHtml } from './html.ts';

/* Lists as tables, and how one gets from page to page of them. */

export interface TableColumn<Row> {
  head: HtmlContent;
  /**
   * `num`: to the right, with figures below each other. `wide`: left out on a phone. `words`: sentences, so it is not
   * as narrow as its longest word.
   */
  kind?: 'num' | 'wide' | 'num wide' | 'words' | 'words wide';
  /** Its cells name the row. One column of a table does. */
  isHead?: true;
  cell(row: Row): HtmlContent;
  /** What stands in the last line. */
  total?: HtmlContent;
}

export interface TableOptions {
  caption: string;
  /** A caption that only those hear who do not see the page. */
  isCaptionHidden?: boolean;
  /** What stands there without rows. */
  empty?: HtmlContent;
}

/**
 * What is too wide for a phone scrolls in itself, by the keys, too; columns that are `wide` are left out there.
 */
export function htmlTable<Row>(
  { t }: Speech,
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
  { caption, isCaptionHidden = false, empty }: TableOptions,
): PageHtml {
  if (rows.length === 0) return html`<div class="empty">${empty ?? html`<p>${t.table.nothing}</p>`}</div>`;
  const hasTotal = columns.some(({ total }) => total !== undefined);
  return html`<div class="scroll" role="group" aria-label="${caption}" tabindex="0"><table>
<caption${isCaptionHidden ? html` class="hear-only"` : ''}>${caption}</caption>
<thead><tr>${columns.map(({ head, kind }) =>
    // A column without a name, as one of buttons, has no heading to read out.
    head === '' ? html`<td${classOf(kind)}></td>` : html`<th scope="col"${classOf(kind)}>${head}</th>`,
  )}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${columns.map((column) => cellOf(column, row))}</tr>`)}</tbody>
${
  hasTotal
    ? html`<tfoot><tr>${columns.map(({ total, kind }, index) =>
        index === 0
          ? html`<th scope="row">${total ?? t.table.total}</th>`
          : html`<td${classOf(kind)}>${total ?? ''}</td>`,
      )}</tr></tfoot>`
    : ''
}
</table></div>`;
}

function cellOf<Row>({ kind, isHead, cell }: TableColumn<Row>, row: Row): PageHtml {
  const content = cell(row);
  return isHead
    ? html`<th scope="row"${classOf(kind)}>${content}</th>`
    : html`<td${classOf(kind)}>${content}</td>`;
}

function classOf(kind: string | undefined): HtmlContent {
  return kind === undefined ? '' : html` class="${kind}"`;
}

/** To the older rows, by the key of the last one that is shown, and back to the newest. */
export function pager(
  { t }: Speech,
  path: string,
  query: Record<string, string | undefined>,
  after: string | null,
): PageHtml {
  const isFirst = query.after === undefined;
  if (isFirst && after === null) return html``;
  return html`<nav class="pager" aria-label="${t.table.next}">
${isFirst ? '' : html`<a class="button plain" rel="first" href="${pathWith(path, { ...query, after: undefined })}">${t.table.first}</a>`}
${after === null ? '' : html`<a class="button plain" rel="next" href="${pathWith(path, { ...query, after })}">${t.table.next} →</a>`}
</nav>`;
}

/** A path with a query; what is undefined or empty is left out. */
export function pathWith(path: string, query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((one): one is [string, string] => !!one[1]);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

/** The rows of a page, where one more was asked for, and the key of the last one if there are more. */
export function pageOfList<Row>(rows: readonly Row[], size: number, key: (row: Row) => string) {
  const shown = rows.slice(0, size);
  const last = shown.at(-1);
  return { rows: shown, after: rows.length > size && last !== undefined ? key(last) : null };
}
