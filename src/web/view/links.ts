import { html } from 'hono/html';
import { machineText } from '../../lib/machine-label.ts';
import type { PageHtml } from './html.ts';

/* The things of the admin site, each with the page that shows it. */

const part = encodeURIComponent;

/** Paths; what is a name or an id of somewhere else is encoded, so it cannot lead out of its place. */
export const pathTo = {
  client: (name: string) => `/clients/${part(name)}`,
  funding: (id: string) => `/fundings/${part(id)}`,
  cashOut: (id: string) => `/cash-outs/${part(id)}`,
  payout: (id: string) => `/payouts/${part(id)}`,
  credit: (id: string) => `/credits/${part(id)}`,
  review: (id: string) => `/review/${part(id)}`,
  machine: (device: string) => `/machines/${part(device)}`,
  recipient: (name: string) => `/commission/${part(name)}`,
};

/** As many characters of a cash-out's id as lists show. */
const SHOWN = 8;

/** Lamassu's ids are UUIDs; an id that the operator gave stays whole. */
export function shortCashOut(id: string): string {
  return /^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(id) ? id.slice(0, SHOWN) : id;
}

export function clientLink(name: string): PageHtml {
  return html`<a href="${pathTo.client(name)}">${name}</a>`;
}

export function fundingLink(id: string): PageHtml {
  return html`<a href="${pathTo.funding(id)}">${id}</a>`;
}

export function payoutLink(id: string): PageHtml {
  return html`<a href="${pathTo.payout(id)}">${id}</a>`;
}

export function creditLink(id: string): PageHtml {
  return html`<a href="${pathTo.credit(id)}">${id}</a>`;
}

export function cashOutLink(id: string): PageHtml {
  return html`<a href="${pathTo.cashOut(id)}" title="${id}"><code>${shortCashOut(id)}</code></a>`;
}

export function reviewLink(id: string): PageHtml {
  return html`<a href="${pathTo.review(id)}" title="${id}"><code>${shortCashOut(id)}</code></a>`;
}

/** A machine by its name and the beginning of its id. */
export function machineLink(device: string, name: string | null): PageHtml {
  return html`<a href="${pathTo.machine(device)}" title="${device}">${machineText(device, name)}</a>`;
}

export function recipientLink(name: string): PageHtml {
  return html`<a href="${pathTo.recipient(name)}">${name}</a>`;
}

/** The subject of a change, as the log names it: `client alice`, `f12`, a cash-out. */
export function subjectLink(subject: string): PageHtml {
  const [, noun = '', name = ''] = /^(client|machine|commission) (.+)$/s.exec(subject) ?? [];
  if (noun === 'client') return clientLink(name);
  if (noun === 'machine') return machineLink(name, null);
  if (noun === 'commission') return recipientLink(name);
  if (/^f\d+$/.test(subject)) return fundingLink(subject);
  if (/^p\d+$/.test(subject)) return payoutLink(subject);
  if (/^c\d+$/.test(subject)) return creditLink(subject);
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/i.test(subject)) return cashOutLink(subject);
  return html`${subject}`;
}
