import { html } from 'hono/html';
import { resumePayouts } from '../../operations/payouts.ts';
import { LANGUAGES } from '../format/formats.ts';
import { mayHere } from '../request/rights.ts';
import type { WebContext } from '../request/site-context.ts';
import { type Speech, speechOf, THEMES } from '../request/speech.ts';
import { commonTexts } from '../text/texts.ts';
import { assetPath } from './assets.ts';
import { linkButton, notice } from './components.ts';
import type { HtmlContent, PageHtml } from './html.ts';
import { type IconName, icon } from './icons.ts';

/* The frame of every page: on the client site a bar at the bottom of a phone, on the admin site a list at the left. */

/** The pages of the navigation. */
export type Here = Exclude<keyof Speech['t']['nav'], 'label' | 'menu'>;

const CLIENT_NAV: readonly (readonly [Here, string, IconName])[] = [
  ['home', '/', 'home'],
  ['purchases', '/purchases', 'list'],
  ['cash', '/cash', 'cash'],
  ['settings', '/settings', 'sliders'],
];

const ADMIN_NAV: readonly (readonly [Here, string])[] = [
  ['overview', '/'],
  ['review', '/review'],
  ['payouts', '/payouts'],
  ['cashOuts', '/cash-outs'],
  ['clients', '/clients'],
  ['fundings', '/fundings'],
  ['machines', '/machines'],
  ['commission', '/commission'],
  ['reports', '/reports'],
  ['books', '/books'],
  ['log', '/log'],
  ['system', '/system'],
];

const SHEETS = ['base.css', 'parts.css', 'frame.css'];

export interface LayoutOptions {
  title: string;
  main: HtmlContent;
  /** Which page of the navigation this one belongs to. */
  here?: Here | undefined;
  /** Files of `browser/`, besides `page.js`. */
  scripts?: readonly string[];
  /** Beside the title: buttons of the page. */
  actions?: HtmlContent;
  /** Is read again when the ledger changed, by `live.js`: parts with `data-live` and an id are replaced. */
  live?: boolean;
}

/** A whole page. Whatever stands in `main` is escaped by the `html` template. */
export function layout(
  context: WebContext,
  { title, main, here, actions = '', ...options }: LayoutOptions,
): PageHtml {
  const { config, name } = context.get('site');
  const { session } = context.get('visitor');
  const speech = speechOf(context);
  const { t, theme } = speech;
  const scripts = ['page.js', ...(options.live ? ['live.js'] : []), ...(options.scripts ?? [])];
  const isIn = session !== null;
  return html`<!doctype html>
<html lang="${t.lang}" data-theme="${theme}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="${theme === 'auto' ? 'light dark' : theme}">
<title>${title} · aio-dca</title>
<link rel="icon" type="image/svg+xml" href="${assetPath('icon.svg')}">
<link rel="manifest" href="${assetPath('site.webmanifest')}">
${SHEETS.map((file) => html`<link rel="stylesheet" href="${assetPath(file)}">`)}
${scripts.map((file) => html`<script type="module" src="${assetPath(file)}"></script>`)}
</head>
<body class="${name}${isIn ? ' in' : ''}">
<a class="skip" href="#main">${t.skip}</a>
<header class="top">
<a class="brand" href="/">${icon('mark')}<span>aio-dca</span></a>
<div class="top-right">
${isIn && name === 'admin' && here !== undefined ? html`<a class="button stop" href="/stop">${icon('stop')}<span>${t.stop.button}</span></a>` : ''}
${isIn ? hideButton(context, speech) : ''}
${isIn ? html`<form method="post" action="/sign-out" class="inline"><span class="who">${session.name}</span><button class="icon" title="${t.signOut}" aria-label="${t.signOut}">${icon('out')}</button></form>` : ''}
</div>
</header>
${isIn ? (name === 'client' ? clientNav(t, here) : adminNav(t, here)) : ''}
${isInClear(config.publicUrl) ? html`<p class="notice warn" role="note">${t.inClear}</p>` : ''}
<main id="main"${options.live ? html` data-live-from="/api/v1/events"` : ''}>
<div class="page-head"><h1>${title}</h1>${actions ? html`<div class="page-actions">${actions}</div>` : ''}</div>
${name === 'admin' && isIn ? pausedNotice(context, speech) : ''}
${main}
</main>
${footer(context, speech)}
</body>
</html>`;
}

/** That paying is stopped, and the way on. It is there as a part on every page, so that it comes and goes by itself. */
function pausedNotice(context: WebContext, { t, f }: Speech): PageHtml {
  const pause = context.get('pause') ?? null;
  if (pause === null) return html`<div id="paused" data-live></div>`;
  const { by, at, reason } = pause;
  const resume = mayHere(context, resumePayouts) ? html`<p>${linkButton('/resume', t.stop.resume)}</p>` : '';
  return html`<div id="paused" data-live>${notice(
    html`<p><strong>${t.stop.stopped(by ?? '', f.time(at))}</strong> ${reason ?? ''}</p><p>${t.stop.lead}</p>${resume}`,
    'warn',
  )}</div>`;
}

function clientNav(t: Speech['t'], here: Here | undefined): PageHtml {
  return html`<nav class="bar-nav" aria-label="${t.nav.label}"><ul>${CLIENT_NAV.map(
    ([key, path, picture]) =>
      html`<li><a href="${path}"${key === here ? html` aria-current="page"` : ''}>${icon(picture)}<span>${t.nav[key]}</span></a></li>`,
  )}</ul></nav>`;
}

/** On a phone it is folded, by an element that needs no script. */
function adminNav(t: Speech['t'], here: Here | undefined): PageHtml {
  const list = html`<ul>${ADMIN_NAV.map(
    ([key, path]) =>
      html`<li><a href="${path}"${key === here ? html` aria-current="page"` : ''}>${t.nav[key]}</a></li>`,
  )}<li><a href="/account"${here === 'account' ? html` aria-current="page"` : ''}>${t.nav.account}</a></li></ul>`;
  return html`<nav class="side-nav" aria-label="${t.nav.label}">${list}</nav>
<details class="menu-nav"><summary>${icon('menu')}<span>${here === undefined ? t.nav.menu : t.nav[here]}</span></summary><nav aria-label="${t.nav.menu}">${list}</nav></details>`;
}

function hideButton(context: WebContext, { t, hidden }: Speech): PageHtml {
  const label = hidden ? t.showAmounts : t.hideAmounts;
  return html`<form method="post" action="/preferences" class="inline"><input type="hidden" name="next" value="${placeOf(context)}"><button class="icon" name="hidden" value="${hidden ? 'no' : 'yes'}" title="${label}" aria-label="${label}">${icon(hidden ? 'eye-off' : 'eye')}</button></form>`;
}

/** SiteLanguage and colours, each one tap. */
function footer(context: WebContext, { t, f, language, theme }: Speech): PageHtml {
  return html`<footer>
<p>${t.timesOf(f.timezone)}</p>
<form method="post" action="/preferences" class="choices">
<input type="hidden" name="next" value="${placeOf(context)}">
<span role="group" aria-label="${t.language}">${LANGUAGES.map((one) => {
    const { languageName } = commonTexts(one);
    return html`<button class="text" name="language" value="${one}" lang="${one}" aria-pressed="${one === language ? 'true' : 'false'}">${languageName}</button>`;
  })}</span>
<span role="group" aria-label="${t.theme}">${THEMES.map(
    (one) =>
      html`<button class="text" name="theme" value="${one}" aria-pressed="${one === theme ? 'true' : 'false'}">${t.themes[one]}</button>`,
  )}</span>
</form>
</footer>`;
}

/** Where this page is, to come back to. What a form sent has no such place but its form. */
function placeOf(context: WebContext): string {
  const { pathname, search } = new URL(context.req.url);
  return context.req.method === 'GET' ? pathname + search : pathname;
}

function isInClear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/(^|\.)localhost$|\.onion$|^127\.|^\[::1\]$/.test(hostname);
}
