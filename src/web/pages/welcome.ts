import { html } from 'hono/html';
import { layout } from './layout.ts';
import type { PageRoute } from './page-route.ts';

/**
 * Where a one-time link leads. Its secret stands behind the #, so the server does not see it: the script asks whose
 * link it is, which spends nothing, and only the button spends it. Without a script there is the code to type.
 */
export const welcomePage: PageRoute = {
  method: 'GET',
  path: '/welcome',
  open: true,
  show: (context) =>
    layout(context, {
      title: 'Welcome',
      scripts: ['welcome.js'],
      main: html`<p id="link" role="status" hidden></p>
<form id="by-link" method="post" action="/sign-in/link" hidden>
<input type="hidden" name="secret" autocomplete="off">
<button>Continue</button>
</form>
<form id="by-code" method="post" action="/sign-in/link">
<label>The code of your link <input name="code" autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" required></label>
<button>Continue</button>
</form>`,
    }),
};
