import { html } from 'hono/html';
import { invalid } from '../../../errors.ts';
import { type LoggedChange, listLog } from '../../../operations/log.ts';
import { type Instant, isInstant } from '../../../time.ts';
import type { WebContext } from '../../request/site-context.ts';
import { type Speech, textsIn } from '../../request/speech.ts';
import { performFor } from '../../request/visitor.ts';
import { actionsEn } from '../../text/en/actions.ts';
import { logEn } from '../../text/en/admin-log.ts';
import { actionsEs } from '../../text/es/actions.ts';
import { logEs } from '../../text/es/admin-log.ts';
import { textOf } from '../../text/texts.ts';
import { timeOf } from '../../view/amounts.ts';
import type { HtmlContent, PageHtml } from '../../view/html.ts';
import { subjectLink } from '../../view/links.ts';
import { htmlTable } from '../../view/lists.ts';

export const logTexts = { en: logEn, es: logEs };

export interface LogAsked {
  subject?: string | undefined;
  actor?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** The time of the last change that was shown, with how many of that time were. */
  after?: string | undefined;
}

export interface LogPage {
  /** Newest first. */
  rows: LoggedChange[];
  /** Where the next page begins; null: there is no more. */
  next: string | null;
}

/** A change takes several lines. */
const LOG_ROWS = 15;

/** The newest changes of what is asked for. */
export async function readLog(context: WebContext, asked: LogAsked): Promise<LogPage> {
  const { subject, actor, from, to, after } = asked;
  const place = after === undefined ? undefined : placeOf(after);
  // Of the time of the last one that was shown, as many are left out as were shown.
  const skipped = place?.shown ?? 0;
  const until = place?.at ?? to;
  const read: LoggedChange[] = [];
  const input = {
    ...{ ...(subject && { subject }), ...(actor && { actor }), newest_first: true },
    ...{ ...(from && { from }), ...(until && { to: until }) },
  };
  await performFor(context, listLog, input, {
    take: async ({ pages }) => {
      for await (const page of pages) {
        read.push(...page);
        // One more than is shown says whether there is a next page.
        if (read.length > skipped + LOG_ROWS) break;
      }
      return true;
    },
  });
  const rest = read.slice(skipped);
  const rows = rest.slice(0, LOG_ROWS);
  const last = rows.at(-1);
  if (last === undefined || rest.length <= LOG_ROWS) return { rows, next: null };
  const same = rows.filter(({ at }) => at === last.at).length + (last.at === place?.at ? skipped : 0);
  return { rows, next: `${last.at} ${same}` };
}

function placeOf(after: string): { at: Instant; shown: number } {
  const [at = '', count = ''] = after.split(' ');
  if (isInstant(at) && /^\d{1,4}$/.test(count)) return { at, shown: Number(count) };
  throw invalid('after', 'it is no place of this list', 'Begin at the first page again.');
}

export function logTable(speech: Speech, rows: readonly LoggedChange[]): PageHtml {
  const texts = textsIn(speech, logTexts);
  const actions = textsIn(speech, { en: actionsEn, es: actionsEs });
  const { heads } = texts;
  return htmlTable(
    speech,
    [
      { head: heads.at, isHead: true, cell: ({ at }) => timeOf(speech, `${at}`) },
      {
        head: heads.by,
        cell: ({ actor, run }) => [
          `${actor ?? ''}`,
          run !== null && html` <small class="quiet">${texts.run(`r${run}`)}</small>`,
        ],
      },
      {
        head: heads.what,
        cell: ({ action, subject, reason }) => [
          html`<strong>${textOf(actions, `${action}`)}</strong> ${subjectLink(`${subject}`)}`,
          reason !== null && html`<br><span class="quiet">${reason}</span>`,
        ],
      },
      {
        head: heads.change,
        kind: 'wide',
        cell: ({ before = null, after = null }) => changesOf(speech, before, after),
      },
    ],
    rows,
    { caption: texts.caption },
  );
}

/** Each member that differs: `mode: flow → fixed`. */
function changesOf(speech: Speech, before: unknown, after: unknown): HtmlContent {
  const { nothing, members } = textsIn(speech, logTexts);
  const [was, is] = [memberTexts(speech, before), memberTexts(speech, after)];
  const names = [...new Set([...was.keys(), ...is.keys()])];
  const lines = names.flatMap((name) => {
    const [old, value] = [was.get(name), is.get(name)];
    if (old === value) return [];
    const label = name === '' ? '' : html`<code>${name}</code> `;
    if (before === null) return html`<div>${label}${value}</div>`;
    return html`<div>${label}${old ?? nothing} → <strong>${value ?? nothing}</strong></div>`;
  });
  if (lines.length <= LINES) return lines;
  return html`<details><summary>${members(lines.length)}</summary>${lines}</details>`;
}

/** As many members of a change as are shown unasked. */
const LINES = 4;

function memberTexts(speech: Speech, json: unknown): Map<string, string> {
  if (typeof json !== 'string') return new Map();
  const value: unknown = JSON.parse(json);
  const whole = value instanceof Object && !Array.isArray(value) ? value : { '': value };
  const texts = Object.entries(whole).map(([name, part]) => [name, valueText(speech, part)] as const);
  return new Map(texts.filter(([, text]) => text !== ''));
}

function valueText(speech: Speech, value: unknown): string {
  if (value === null) return '';
  if (Array.isArray(value)) return value.map((part) => valueText(speech, part)).join('; ');
  if (typeof value === 'object') {
    const parts = Object.entries(value).map(([name, part]) => [name, valueText(speech, part)] as const);
    return parts.flatMap(([name, text]) => (text === '' ? [] : [`${name} ${text}`])).join(', ');
  }
  const text = `${value}`;
  if (isInstant(text)) return speech.f.time(text);
  return speech.hidden && /^-?\d+([.]\d+)?$/.test(text) ? '•••' : text;
}
