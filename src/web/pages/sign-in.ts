import { html } from 'hono/html';
import type { WebContext } from '../request/site-context.ts';
import { layout } from './layout.ts';
import { type PageRoute, safePath } from './page-route.ts';
import { canHavePasskeys } from './passkeys.ts';

/* Signing in, and proving once more who one is. */

/** Both sites by passkey; people also by password and code. */
export const signInPage: PageRoute = {
  method: 'GET',
  path: '/sign-in',
  open: true,
  show: (context) => {
    const next = safePath(context.req.query('next'));
    return layout(context, {
      title: 'Sign in',
      scripts: ['passkey.js'],
      main: html`${failure(context)}${passkeyForm(context, '/sign-in/passkey', next)}
${context.get('site').name === 'admin' ? passwordForm('/sign-in/password', next, true) : ''}
<p>For the first time, or on another device: open your one-time link, or <a href="/welcome">type its code</a>.</p>`,
    });
  },
};

/** For what needs a proof of the last five minutes. */
export const provePage: PageRoute = {
  method: 'GET',
  path: '/prove',
  show: (context) => {
    const next = safePath(context.req.query('next'));
    return layout(context, {
      title: 'Confirm who you are',
      scripts: ['passkey.js'],
      main: html`${failure(context)}<p>This moves money or changes who may do so.</p>
${passkeyForm(context, '/prove/passkey', next)}${passwordForm('/prove/password', next, false)}`,
    });
  },
};

function failure(context: WebContext) {
  return context.req.query('refused') === undefined
    ? ''
    : html`<p role="alert">The sign-in was refused. Check what you typed; each code counts once.</p>`;
}

function passkeyForm(context: WebContext, action: string, next: string) {
  if (!canHavePasskeys(context.get('site').config.publicUrl)) {
    return html`<p>Passkeys need https; this site goes over http.</p>`;
  }
  return html`<form data-passkey="${action}" data-next="${next}" hidden><button>Use a passkey</button> <span role="status"></span></form>
<noscript><p>A passkey needs JavaScript.</p></noscript>`;
}

function passwordForm(action: string, next: string, withName: boolean) {
  return html`<form method="post" action="${action}">
<input type="hidden" name="next" value="${next}">
${withName ? html`<label>Name <input name="name" autocomplete="username" autocapitalize="none" required></label>` : ''}
<label>Password <input name="password" type="password" autocomplete="current-password" required></label>
<label>Code of the authenticator app <input name="code" inputmode="numeric" autocomplete="one-time-code" required></label>
<button>Sign in</button>
</form>`;
}
