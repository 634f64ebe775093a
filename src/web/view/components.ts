import { html } from 'hono/html';
import type { FundingView } from '../../views/fundings.ts';
import type { PayoutView } from '../../views/payouts.ts';
import type { Speech } from '../request/speech.ts';
import type { HtmlContent, PageHtml } from './html.ts';

/* The small parts of which pages are made. */

export type Tone = 'good' | 'warn' | 'bad' | 'quiet';

/** A state in a word. Its colour says nothing that the word does not say. */
export function badge(text: string, tone: Tone = 'quiet'): PageHtml {
  return html`<span class="badge ${tone}">${text}</span>`;
}

const PAYOUT_TONES: Record<PayoutView['state'], Tone> = {
  ...{ planned: 'quiet', paying: 'quiet', deferred: 'warn', unknown: 'warn', held: 'bad', settled: 'good' },
};

export function payoutBadge({ t }: Speech, state: PayoutView['state']): PageHtml {
  return badge(t.payoutStates[state], PAYOUT_TONES[state]);
}

const FUNDING_TONES: Record<FundingView['status'], Tone> = {
  ...{ in_flight: 'warn', deposited: 'good', exhausted: 'quiet', cancelled: 'quiet', withdrawn: 'quiet' },
};

export function fundingBadge({ t }: Speech, status: FundingView['status']): PageHtml {
  return badge(t.fundingStates[status], FUNDING_TONES[status]);
}

/** Something to know before the rest of the page. `alert` is read out at once. */
export function notice(
  content: HtmlContent,
  tone: Tone = 'quiet',
  role: 'note' | 'status' | 'alert' = 'note',
): PageHtml {
  return html`<div class="notice ${tone}" role="${role}">${content}</div>`;
}

/** A part of a page with its heading. */
export function card(title: HtmlContent, content: HtmlContent, more: HtmlContent = ''): PageHtml {
  return html`<section class="card"><div class="card-head"><h2>${title}</h2>${more}</div>${content}</section>`;
}

/** One figure with its name, and below it what belongs to it. */
export interface Tile {
  name: HtmlContent;
  value: HtmlContent;
  below?: HtmlContent;
}

export function tiles(all: readonly Tile[]): PageHtml {
  return html`<dl class="tiles">${all.map(
    ({ name, value, below }) =>
      html`<div class="tile"><dt>${name}</dt><dd>${value}</dd>${
        below ? html`<dd class="below">${below}</dd>` : ''
      }</div>`,
  )}</dl>`;
}

/** Names with their values, one a line. */
export function facts(all: readonly (readonly [HtmlContent, HtmlContent] | false)[]): PageHtml {
  const shown = all.filter((one) => one !== false);
  return html`<dl class="facts">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** What will be here, and the first step. */
export function empty(title: string, content: HtmlContent = ''): PageHtml {
  return html`<div class="empty"><p><strong>${title}</strong></p>${content && html`<p>${content}</p>`}</div>`;
}

/** A link that looks like a button. `href` is a path of this site, never data from elsewhere. */
export function linkButton(
  href: string,
  text: HtmlContent,
  kind: 'primary' | 'plain' | 'danger' = 'plain',
): PageHtml {
  return html`<a class="button ${kind}" href="${href}">${text}</a>`;
}

/** A text with a button that copies it. */
export function copyable({ t }: Speech, text: string): PageHtml {
  return html`<span class="copyable"><code>${text}</code><button type="button" class="small" data-copy="${text}" data-copied="${t.copied}" hidden>${t.copy}</button></span>`;
}

/** How much of something is there. The amounts stand beside it in words. */
export function bar(part: number, label: string): PageHtml {
  const width = Math.floor(Math.max(0, Math.min(1, part)) * 1_000) / 10;
  return html`<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="${label}"><rect class="bar-all" width="100" height="6"/><rect class="bar-part" width="${width}" height="6"/></svg>`;
}

/** Pages beside each other, the present one marked. */
export function tabs(
  label: string,
  all: readonly { href: string; text: HtmlContent; isHere: boolean }[],
): PageHtml {
  return html`<nav class="tabs" aria-label="${label}"><ul>${all.map(
    ({ href, text, isHere }) =>
      html`<li><a href="${href}"${isHere ? html` aria-current="page"` : ''}>${text}</a></li>`,
  )}</ul></nav>`;
}
