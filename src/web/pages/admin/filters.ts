import { html } from 'hono/html';
import { BridgeError, invalid } from '../../../errors.ts';
import type { Speech } from '../../request/speech.ts';
import { notice } from '../../view/components.ts';
import { type FieldChoice, sentenceOf } from '../../view/forms.ts';
import type { PageHtml } from '../../view/html.ts';
import { pageOfList } from '../../view/lists.ts';

/* Filters of lists: they stand in the URL, so a list can be kept and sent on. */

export interface Filter {
  name: string;
  label: string;
  value: string | undefined;
  /** With choices it is a list to choose from. */
  choices?: readonly FieldChoice[];
  kind?: 'text' | 'date' | 'month';
  help?: string;
  /** Why the value cannot be used. */
  wrong?: string | undefined;
}

/** `keep`: what stands in the URL besides; `submit`: the words of the button. */
export function filterForm(
  { t }: Speech,
  action: string,
  filters: readonly Filter[],
  keep: Readonly<Record<string, string>> = {},
  submit: string = t.form.show,
): PageHtml {
  return html`<form method="get" action="${action}" class="filters">${Object.entries(keep).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}${filters.map(({ name, label, value = '', choices, kind = 'text', help, wrong }) => {
    const id = `filter-${name}`;
    const by = wrong === undefined ? '' : html` aria-invalid="true" aria-describedby="${id}-error"`;
    const control =
      choices === undefined
        ? html`<input id="${id}" name="${name}" type="${kind}" value="${value}" autocomplete="off"${help === undefined ? '' : html` placeholder="${help}"`}${by}>`
        : html`<select id="${id}" name="${name}">${choices.map(
            (one) =>
              html`<option value="${one.value}"${one.value === value ? html` selected` : ''}>${one.text}</option>`,
          )}</select>`;
    return html`<div class="field"><label for="${id}">${label}</label>${control}${
      wrong === undefined ? '' : html`<p class="field-error" id="${id}-error">${wrong}</p>`
    }</div>`;
  })}<button class="plain">${submit}</button></form>`;
}

/**
 * What was read, or what is to be said of a filter that cannot be used: the filters stay, so that one word of them can
 * be changed.
 */
export async function refusedFilter<Read>(
  reading: Promise<Read>,
): Promise<{ done: Read } | { refused: (speech: Speech) => PageHtml }> {
  try {
    return { done: await reading };
  } catch (error) {
    if (!(error instanceof BridgeError) || error.code !== 'usage/invalid') throw error;
    return {
      refused: (speech) =>
        notice(
          html`<p><strong>${speech.t.errors[error.code]}</strong></p>${sentenceOf(speech, error)}`,
          'bad',
          'alert',
        ),
    };
  }
}

/** As many rows as a page of a list has. */
export const ROWS = 25;

/** One page of rows that are all there, behind the row with this key. Throws `usage/invalid` if that row is gone. */
export function pageOfAll<Row>(
  all: readonly Row[],
  after: string | undefined,
  key: (row: Row) => string,
): { rows: readonly Row[]; next: string | null } {
  const at = after === undefined ? -1 : all.findIndex((row) => key(row) === after);
  if (after !== undefined && at < 0) {
    throw invalid('after', 'the row is not there any more', 'Begin at the first page again.');
  }
  const { rows, after: next } = pageOfList(all.slice(at + 1), ROWS, key);
  return { rows, next };
}
