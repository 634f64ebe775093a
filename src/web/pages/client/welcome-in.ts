import { html } from 'hono/html';
import { card, linkButton } from '../../view/components.ts';
import { layout } from '../../view/layout.ts';
import type { PageRoute } from '../page-route.ts';
import { canHavePasskeys } from '../passkeys.ts';
import { ownSpeech } from './own.ts';
import { addPasskeyForm } from './settings.ts';

/** After the link: what this site can and cannot do, and how to come back. */
export const welcomeInPage: PageRoute = {
  method: 'GET',
  path: '/welcome/in',
  show: (context) => {
    const { t, x, name } = ownSpeech(context);
    const canKeep = canHavePasskeys(context.get('site').config.publicUrl);
    const keep = html`<p>${x.in.passkeyLead}</p>${addPasskeyForm(x.in.passkey, '/')}<noscript><p class="quiet">${x.in.needsScript}</p></noscript>`;
    return layout(context, {
      ...{ title: x.in.title(name), scripts: ['passkey.js'] },
      main: html`<p class="lead">${x.in.can}</p><p class="lead">${x.in.cannot}</p>
${canKeep ? card(x.in.passkeyTitle, keep) : html`<p class="quiet">${t.enter.needsHttps}</p>`}
${linkButton('/', canKeep ? x.in.later : t.form.continue)}`,
    });
  },
};
