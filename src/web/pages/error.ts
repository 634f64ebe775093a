import { html } from 'hono/html';
import type { BridgeError } from '../../errors.ts';
import { problemOf, retryAfter } from '../request/problem.ts';
import type { WebContext } from '../request/site-context.ts';
import { layout } from './layout.ts';

/** What happened, and the way out. */
export async function errorPage(context: WebContext, error: BridgeError): Promise<Response> {
  const { status, detail, hint, code } = problemOf(error, () => undefined);
  const wait = retryAfter(error);
  if (wait !== undefined) context.header('retry-after', `${wait}`);
  const way = hint === null ? '' : html`<p>${hint}</p>`;
  const main = html`<p>${detail}</p>${way}<p><a href="/">Back to the start</a></p><p><small>${code}</small></p>`;
  return context.html(await layout(context, { title: titleOf(status), main }), status);
}

function titleOf(status: number): string {
  if (status === 404) return 'Nothing is here';
  if (status === 401 || status === 403) return 'Not allowed';
  if (status === 429) return 'Too many requests';
  return status >= 500 ? 'It does not work now' : 'That cannot be done';
}
