import { html } from 'hono/html';
import { type Call, isCall, type Message } from '../../lib/message.ts';
import type { Speech } from '../request/speech.ts';
import { callsEn } from '../text/en/calls.ts';
import { callsEs } from '../text/es/calls.ts';
import type { PageHtml } from './html.ts';
import { pathTo } from './links.ts';
import { pathWith } from './lists.ts';

/* Messages of the program on a page of the admin site: what they name is a link to where it is done. */

/** Where an operation is done; undefined for those that only the shell of the host has. */
const PAGES: Readonly<Record<string, (given: (name: string) => string) => string>> = {
  'cash_outs.list': () => '/cash-outs',
  'cash_outs.show': (given) => pathTo.cashOut(given('id')),
  'clients.add': () => '/add-client',
  'clients.close': (given) => `${pathTo.client(given('name'))}/close`,
  'clients.list': () => '/clients',
  'clients.resume': (given) => `${pathTo.client(given('name'))}/resume`,
  'clients.set': (given) => `${pathTo.client(given('name'))}/settings`,
  'clock.restate': (given) => pathWith('/clocks/restate', { subject: given('subject'), at: given('at') }),
  'clock.show': () => '/clocks',
  'commission.add': () => '/add-recipient',
  'commission.list': () => '/commission',
  'commission.remove': (given) => `${pathTo.recipient(given('name'))}/remove`,
  'commission.set': (given) => `${pathTo.recipient(given('name'))}/settings`,
  'credits.list': () => '/credits',
  'credits.resolve': (given) => `${pathTo.credit(given('id'))}/resolve`,
  'credits.show': (given) => pathTo.credit(given('id')),
  doctor: () => '/doctor',
  'export.make': () => '/reports',
  'fixed.run': () => '/run',
  'fundings.add': (given) =>
    pathWith('/fundings/new', { client: given('client'), machine: given('machine') }),
  'fundings.adjust': (given) => `${pathTo.funding(given('id'))}/adjust`,
  'fundings.cancel': (given) => `${pathTo.funding(given('id'))}/cancel`,
  'fundings.confirm': (given) => pathWith(`${pathTo.funding(given('id'))}/confirm`, { at: given('at') }),
  'fundings.list': () => '/fundings',
  'fundings.move': (given) => `${pathTo.funding(given('id'))}/move`,
  'fundings.show': (given) => pathTo.funding(given('id')),
  'fundings.withdraw': (given) => `${pathTo.funding(given('id'))}/withdraw`,
  'log.list': (given) => pathWith('/log', { subject: given('subject'), actor: given('actor') }),
  'machines.list': () => '/machines',
  'machines.replace': (given) => pathWith(`${pathTo.machine(given('old'))}/replace`, { new: given('new') }),
  'machines.set': (given) => `${pathTo.machine(given('machine'))}/settings`,
  'machines.show': (given) => pathTo.machine(given('machine')),
  'payouts.hold': (given) => `${pathTo.payout(given('id'))}/hold`,
  'payouts.list': (given) => pathWith('/payouts', { state: given('state') }),
  'payouts.overpaid': (given) => `${pathTo.payout(given('id'))}/overpaid`,
  'payouts.pause': () => '/stop',
  'payouts.release': (given) => `${pathTo.payout(given('id'))}/release`,
  'payouts.resolve': (given) => `${pathTo.payout(given('id'))}/resolve`,
  'payouts.resume': () => '/resume',
  'payouts.show': (given) => pathTo.payout(given('id')),
  'people.add': () => '/people/new',
  'people.list': () => '/people',
  poll: () => '/run',
  'purchases.list': (given) => `${pathTo.client(given('client'))}/purchases`,
  reconcile: () => '/books/reconcile',
  'review.dismiss': (given) => `${pathTo.review(given('id'))}/dismiss`,
  'review.list': () => '/review',
  'review.release': (given) => `${pathTo.review(given('id'))}/release`,
  'review.show': (given) => pathTo.review(given('id')),
  'settlements.settle': (given) => `${pathTo.review(given('id'))}/settle`,
  status: () => '/',
  'tokens.list': () => '/tokens',
  verify: () => '/books',
};

/** An operation as a link with its label, or the label alone where a value has still to be chosen. */
export function callLink({ language }: Pick<Speech, 'language'>, { operation, args }: Call): PageHtml {
  const texts = language === 'es' ? callsEs : callsEn;
  const label = Object.hasOwn(texts, operation) ? texts[operation as keyof typeof texts] : operation;
  const value = (name: string) => (typeof args[name] === 'string' ? args[name] : '');
  const page = Object.hasOwn(PAGES, operation) ? PAGES[operation] : undefined;
  // What has no value yet has no page of its own: a path never has an empty part.
  const path = page?.(value);
  if (path === undefined || /\/\/|\/$/.test(path.slice(1))) return html`<b>${label}</b>`;
  return html`<a href="${path}">${label}</a>`;
}

/** A message of the program, which is English, with its operations as links. */
export function messageOf(speech: Pick<Speech, 'language'>, text: string | Message): PageHtml {
  if (typeof text === 'string') return html`${text}`;
  return html`${text.pieces.map((piece) => {
    if (typeof piece === 'string') return html`${piece}`;
    return isCall(piece) ? callLink(speech, piece) : html`<i>${piece.field.replaceAll('_', ' ')}</i>`;
  })}`;
}
