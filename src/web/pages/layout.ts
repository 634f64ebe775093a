import { html } from 'hono/html';
import type { WebContext } from '../request/site-context.ts';
import { assetPath } from './assets.ts';
import type { PageHtml } from './page-route.ts';

/** The frame of every page. Whatever stands in `main` is escaped by the `html` template. */
export function layout(
  context: WebContext,
  { title, main, scripts = [] }: { title: string; main: PageHtml; scripts?: string[] },
): PageHtml {
  const { config, name } = context.get('site');
  const { session } = context.get('visitor');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · aio-dca</title>
<link rel="stylesheet" href="${assetPath('style.css')}">
${scripts.map((file) => html`<script type="module" src="${assetPath(file)}"></script>`)}
</head>
<body data-site="${name}">
<header>
<a href="/">aio-dca</a>
${session === null ? '' : html`<form method="post" action="/sign-out"><span>${session.name}</span> <button>Sign out</button></form>`}
</header>
${isInClear(config.publicUrl) ? html`<p role="note">This site goes over http: whoever is on the way can read and change it.</p>` : ''}
<main>
<h1>${title}</h1>
${main}
</main>
</body>
</html>`;
}

function isInClear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && !/(^|\.)localhost$|\.onion$|^127\.|^\[::1\]$/.test(hostname);
}
