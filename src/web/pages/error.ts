import { html } from 'hono/html';
import type { BridgeError } from '../../errors.ts';
import { problemOf, retryAfter } from '../request/problem.ts';
import type { WebContext } from '../request/site-context.ts';
import { type Speech, speechOf } from '../request/speech.ts';
import { linkButton } from '../view/components.ts';
import { sentenceOf } from '../view/forms.ts';
import { layout } from '../view/layout.ts';

/** What happened, that nothing was lost, and the way out. */
export async function errorPage(context: WebContext, error: BridgeError): Promise<Response> {
  const { status, code } = problemOf(error, () => undefined);
  const speech = speechOf(context);
  const { t } = speech;
  const wait = retryAfter(error);
  if (wait !== undefined) context.header('retry-after', `${wait}`);
  const kind = kindOf(status);
  const lead = kind in t.errorLead ? t.errorLead[kind as keyof typeof t.errorLead] : t.errors[code];
  // What a defect or an address that is not there says helps nobody here.
  const words = kind === 'defect' || kind === 'nothing' ? '' : sentenceOf(speech, error);
  const main = html`<p>${lead}</p>${wait === undefined ? '' : html`<p>${t.wait(wait)}</p>`}${words}
<p>${linkButton('/', t.toStart)}</p><p class="quiet"><small>${code}</small></p>`;
  return context.html(await layout(context, { title: t.errorTitles[kind], main }), status);
}

function kindOf(status: number): keyof Speech['t']['errorTitles'] {
  if (status === 404) return 'nothing';
  if (status === 401 || status === 403) return 'forbidden';
  if (status === 429) return 'tooMany';
  if (status === 500) return 'defect';
  return status > 500 ? 'unavailable' : 'refused';
}
