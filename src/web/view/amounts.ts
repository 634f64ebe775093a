import { html } from 'hono/html';
import type { Instant } from '../../time.ts';
import type { Speech } from '../request/speech.ts';
import type { PageHtml } from './html.ts';

/* Amounts, times and rates in a page: as people read them, and beside that as programs do. */

/** Cash: `Q 3,000.00`. */
export function money({ f, hidden }: Speech, decimal: string, currency: string): PageHtml {
  if (hidden) return html`<span class="num">${f.money(decimal, currency)}</span>`;
  return html`<data class="num" value="${decimal} ${currency}">${f.money(decimal, currency)}</data>`;
}

/** `135,000 sats` */
export function satsOf(speech: Speech, amount: bigint): PageHtml {
  return html`${satsNumber(speech, amount)} <span class="unit">${speech.t.sats}</span>`;
}

/** `135,000`, for a column that has the unit in its head. */
export function satsNumber({ f, hidden }: Speech, amount: bigint): PageHtml {
  if (hidden) return html`<span class="num">${f.sats(amount)}</span>`;
  return html`<data class="num" value="${amount}">${f.sats(amount)}</data>`;
}

/** `Nov 21, 2026, 5:32 AM` */
export function timeOf({ f }: Speech, at: Instant): PageHtml {
  return html`<time datetime="${isoOf(at)}">${f.time(at)}</time>`;
}

/** `Nov 21` and `5:32 AM` below it: for lists that say the year. */
export function dayAndClock({ f }: Speech, at: Instant): PageHtml {
  return html`<time class="stamp" datetime="${isoOf(at)}" title="${f.time(at)}"><span>${f.shortDay(at)}</span> <small>${f.clock(at)}</small></time>`;
}

/** `Nov 21, 2026` */
export function dayOf({ f }: Speech, at: Instant): PageHtml {
  return html`<time datetime="${isoOf(at)}" title="${f.time(at)}">${f.day(at)}</time>`;
}

/** `2 hours ago`, with the time beside it. */
export function agoOf({ f }: Speech, at: Instant, now: Instant): PageHtml {
  return html`<time datetime="${isoOf(at)}" title="${f.time(at)}">${f.relative(at, now)}</time>`;
}

/** HTML has milliseconds at most. */
function isoOf(at: Instant): string {
  return `${at.slice(0, 23)}Z`;
}
