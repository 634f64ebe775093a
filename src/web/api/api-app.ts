import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { BridgeError } from '../../errors.ts';
import type { Unchanged } from '../../operations/operation.ts';
import { Unreadable } from '../request/problem.ts';
import { assertMayHere } from '../request/rights.ts';
import type { Env, WebContext } from '../request/site-context.ts';
import { apiJson, type WriteCall } from '../request/view-json.ts';
import { performAny, type RoutedOperation } from '../request/visitor.ts';
import { linkNext, pageAsked, pageOfRows } from './cursors.ts';
import { fromBody, fromQuery } from './input.ts';
import { type ApiRoute, calledHere, takesKey, writeCalls } from './route.ts';
import { eventsResponse, exportResponse, logResponse } from './streams.ts';

/** The API below /api/v1, from the table of its routes. */
export function apiOf(routes: readonly ApiRoute[]): Hono<Env> {
  const app = new Hono<Env>();
  const write = writeCalls(routes);
  for (const route of routes) {
    const path = route.path.replaceAll(/\{(\w+)\}/g, ':$1');
    app.on(route.method, path, (context) => {
      assertMay(context, route);
      return route.method === 'GET' ? read(context, route, write) : change(context, route, write);
    });
  }
  return app;
}

function assertMay(context: WebContext, { operation }: ApiRoute): void {
  const { principal } = context.get('visitor');
  if (principal.kind === 'guest') {
    throw new BridgeError(
      'access/required',
      'This needs a sign-in or a token.',
      'Sign in, or send `Authorization: Bearer TOKEN`.',
    );
  }
  assertMayHere(context, operation);
}

async function read(context: WebContext, route: ApiRoute, write: WriteCall): Promise<Response> {
  const { operation, list, answer, settings } = route;
  const { input } = fromQuery(context, route);
  if (answer === 'export') return exportResponse(context, operation, input);
  if (answer === 'log') return logResponse(context, operation, input);
  if (answer === 'events') return eventsResponse(context, operation);
  if (list) return listed(context, route, input, write);
  const view = await performAny(context, operation, input);
  if (settings) {
    const tag = tagOf(settings.pick(view));
    context.header('etag', tag);
    if (context.req.header('if-none-match') === tag) return context.body(null, 304);
  }
  return json(context, view, write);
}

async function listed(
  context: WebContext,
  route: ApiRoute,
  input: Record<string, unknown>,
  write: WriteCall,
): Promise<Response> {
  const { operation, list } = route;
  const asked = pageAsked(context);
  const id = (row: unknown) => list?.id(row as Record<string, unknown>) ?? '';
  let rows: unknown[];
  let more: boolean;
  if (list?.paged) {
    // One more than is shown says whether there is a next page.
    const page = { limit: `${asked.limit + 1}`, ...(asked.after !== undefined && { after: asked.after }) };
    const view = (await performAny(context, operation, { ...input, ...page })) as { rows: unknown[] };
    rows = view.rows.slice(0, asked.limit);
    more = view.rows.length > asked.limit;
  } else {
    const view = (await performAny(context, list?.known ?? operation, input)) as unknown[];
    ({ rows, more } = pageOfRows(view, asked, id));
    if (list?.by) {
      rows = (await performAny(context, operation, { ...input, [list.by]: rows.map(id) })) as unknown[];
    }
  }
  if (more) linkNext(context, id(rows.at(-1)));
  return json(context, rows, write);
}

async function change(context: WebContext, route: ApiRoute, write: WriteCall): Promise<Response> {
  const isPreview = context.req.query('preview') === 'true';
  const choose = (body: Record<string, unknown>): RoutedOperation => {
    const { instead } = route;
    const [operation, preview] =
      instead && instead.member in body
        ? [instead.operation, instead.preview]
        : [route.operation, route.preview];
    if (!isPreview) return operation;
    if (preview) return preview;
    throw new BridgeError('usage/invalid', 'There is no preview of this.', 'Leave `preview` out.');
  };
  let operation = route.operation;
  const { input, reason } = await fromBody(context, route, (body) => {
    operation = choose(body);
    return operation;
  });
  // From here on errors are the operation's, with its names.
  context.set('calledHere', (name) => calledHere(route, name));
  const key = isPreview ? undefined : keyOf(context, route, operation);
  const unchanged = await seenBy(context, route, input);
  const view = await performAny(context, operation, input, { reason, key, unchanged });
  return json(context, view, write, isPreview ? 200 : route.status);
}

/** The key under which the request is done once. */
function keyOf(context: WebContext, route: ApiRoute, operation: RoutedOperation): string | undefined {
  const key = context.req.header('idempotency-key');
  if (key !== undefined || route.method === 'PATCH' || !takesKey(operation)) return key;
  throw new Unreadable(
    400,
    'The request has no Idempotency-Key.',
    'Send one that is new for each request, like a UUID: sent again with the same key, it is not done twice.',
  );
}

/** The settings that the caller saw, by `If-Match`. */
async function seenBy(
  context: WebContext,
  { method, settings }: ApiRoute,
  input: Record<string, unknown>,
): Promise<Unchanged | undefined> {
  if (method !== 'PATCH' || !settings) return undefined;
  const seen = context.req.header('if-match');
  if (seen === undefined) {
    throw new BridgeError(
      'access/precondition',
      'The request does not say which settings it changes.',
      'Read them first, and send their `ETag` as `If-Match`.',
    );
  }
  const { operation, pick } = settings;
  const tags = seen.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return {
    ...{ operation, input: settings.input(input) },
    isSame: (view) => tags.includes('*') || tags.includes(tagOf(pick(view))),
  };
}

/** The `ETag` of settings: equal settings have equal tags. */
export function tagOf(settings: unknown): string {
  const text = apiJson(settings, () => undefined);
  return `"${createHash('sha256').update(text).digest('hex').slice(0, 32)}"`;
}

function json(
  context: WebContext,
  view: unknown,
  write: WriteCall,
  status: ContentfulStatusCode = 200,
): Response {
  return context.body(apiJson(shaped(view), write), status, { 'content-type': 'application/json' });
}

/** What can be done next is a list of requests, as the command line has a list of commands. */
function shaped(view: unknown): unknown {
  if (typeof view !== 'object' || view === null || !('next' in view) || !('lamassu' in view)) return view;
  const { next, ...rest } = view;
  return { ...rest, commands: next };
}
