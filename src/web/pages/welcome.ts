import { html } from 'hono/html';
import { speechOf } from '../request/speech.ts';
import { layout } from '../view/layout.ts';
import type { PageRoute } from './page-route.ts';

/**
 * Where a one-time link leads. Its secret stands behind the #, so the server does not see it: the script asks whose
 * link it is, which spends nothing, and only the button spends it. Without a script there is the code to type.
 */
export const welcomePage: PageRoute = {
  method: 'GET',
  path: '/welcome',
  open: true,
  show: (context) => {
    const { t } = speechOf(context);
    const next = context.get('site').name === 'client' ? '/welcome/in' : '/';
    return layout(context, {
      title: t.enter.welcome,
      scripts: ['welcome.js'],
      main: html`<p id="link" class="lead" role="status" hidden data-looking="${t.enter.looking}" data-old="${t.enter.oldLink}">${t.enter.looking}</p>
<form id="by-link" class="form" method="post" action="/sign-in/link" autocomplete="off" hidden>
<p class="lead" data-you-are="${t.enter.youAre('{name}')}"></p>
<input type="hidden" name="secret"><input type="hidden" name="next" value="${next}">
<div class="actions"><button class="primary">${t.form.continue}</button></div>
</form>
<form id="by-code" class="form card" method="post" action="/sign-in/link">
<input type="hidden" name="next" value="${next}">
<div class="field"><label for="code">${t.enter.linkCode}</label>
<input id="code" name="code" class="code" autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" aria-describedby="code-help" required>
<p class="help" id="code-help">${t.enter.linkCodeHelp}</p></div>
<div class="actions"><button class="primary">${t.form.continue}</button></div>
</form>`,
    });
  },
};
