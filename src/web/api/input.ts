import * as z from 'zod';
import { type BridgeError, invalid } from '../../errors.ts';
import { Unreadable } from '../request/problem.ts';
import type { WebContext } from '../request/site-context.ts';
import type { RoutedOperation } from '../request/visitor.ts';
import { type ApiRoute, pathFields } from './route.ts';

/* The input of an operation from a request: its path, its query or its body, and what the route decides. */

/** The members of the body that are no input: the reason goes into the log. */
const BESIDES = ['reason'];

export interface Given {
  input: Record<string, unknown>;
  reason: string | undefined;
}

/** The members that a request may have, by the schema of the operation. */
export function offered(route: ApiRoute, operation: RoutedOperation): string[] {
  const fixed = Object.keys(route.fixed?.('', '') ?? {});
  const hidden = [...(route.omit ?? []), ...fixed, ...PAGING];
  return inputNames(operation).filter((name) => !hidden.includes(name));
}

/** What the pages of a list are made with; `after` is the cursor's. */
const PAGING = ['after', 'limit'];

export function inputNames({ input }: RoutedOperation): string[] {
  return Object.keys(shapeOf(input));
}

/** The members of an input; what is made of them afterwards does not matter. */
function shapeOf(input: z.ZodType): Record<string, z.core.$ZodType> {
  let inner: z.core.$ZodType = input;
  while (inner instanceof z.ZodPipe) inner = inner.in;
  return inner instanceof z.ZodObject ? inner.shape : {};
}

/** Of a query: each parameter is text; what is a list may be given more than once. */
export function fromQuery(context: WebContext, route: ApiRoute): Given {
  const names = offered(route, route.operation);
  const given = context.req.queries();
  const besides = route.list || route.answer === 'log' ? ['limit', 'cursor'] : [];
  const fields = Object.entries(given).flatMap(([name, values]) => {
    if (besides.includes(name)) return [];
    if (!names.includes(name)) throw unknownMember(name, [...names, ...besides]);
    return [[name, readQuery(route.operation, name, values)] as const];
  });
  return { input: { ...Object.fromEntries(fields), ...fromPath(context, route) }, reason: undefined };
}

/** Of a body: one JSON object, or none. */
export async function fromBody(
  context: WebContext,
  route: ApiRoute,
  choose: (body: Record<string, unknown>) => RoutedOperation,
): Promise<Given> {
  const body = await readBody(context);
  const names = offered(route, choose(body));
  const inPath = fromPath(context, route);
  const fields = Object.entries(body).flatMap(([given, value]) => {
    const name = route.names?.[given] ?? given;
    if (BESIDES.includes(name)) return [];
    if (!names.includes(name) || name in inPath) {
      throw unknownMember(given, [...names.filter((one) => !(one in inPath)), ...BESIDES]);
    }
    return [[name, value] as const];
  });
  const { reason } = body;
  if (reason !== undefined && typeof reason !== 'string') throw invalid('reason', 'it is not text');
  return { input: { ...Object.fromEntries(fields), ...inPath }, reason: reason?.trim() || undefined };
}

async function readBody(context: WebContext): Promise<Record<string, unknown>> {
  const text = await context.req.text();
  if (text.trim() === '') return {};
  const type = context.req.header('content-type') ?? '';
  if (!/^application\/json\b/i.test(type)) {
    throw malformed('The body is not sent as JSON.', 'Send `Content-Type: application/json`.');
  }
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw malformed('The body is not JSON.', 'Send one JSON object.');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw malformed('The body is not a JSON object.', 'Send one JSON object.');
  }
  return body as Record<string, unknown>;
}

function malformed(text: string, hint: string): BridgeError {
  return new Unreadable(400, text, hint);
}

function fromPath(context: WebContext, { path, fixed }: ApiRoute): Record<string, unknown> {
  const own = ownName(context);
  const { file } = context.get('site').serving.config;
  const given = pathFields(path).map((name) => [name, context.req.param(name) ?? ''] as const);
  return { ...Object.fromEntries(given), ...fixed?.(own, file) };
}

/** The client of the session. */
export function ownName(context: WebContext): string {
  const { principal } = context.get('visitor');
  return principal.kind === 'client' ? principal.client : '';
}

/** A flag is `true` or `false`; a list keeps all its values. */
function readQuery({ input }: RoutedOperation, name: string, values: string[]): unknown {
  const inner = withoutDefault(shapeOf(input)[name]);
  if (inner instanceof z.ZodArray) return values;
  if (values.length > 1) throw invalid(name, 'it is given more than once', 'Give it once.');
  const [value = ''] = values;
  if (inner instanceof z.ZodBoolean && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

function withoutDefault(type: z.core.$ZodType | undefined): unknown {
  let inner: unknown = type;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
    inner = inner.unwrap();
  }
  return inner;
}

function unknownMember(name: string, known: string[]): BridgeError {
  return invalid(name, 'it is unknown here', `Known: ${known.length === 0 ? 'none' : known.join(', ')}.`);
}
