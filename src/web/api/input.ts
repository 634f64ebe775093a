import * as z from 'zod';
import { type BridgeError, invalid } from '../../errors.ts';
import { Unreadable } from '../request/problem.ts';
import type { WebContext } from '../request/site-context.ts';
import type { RoutedOperation } from '../request/visitor.ts';
import { type ApiRoute, calledHere, offered, pathFields, typeOf } from './route.ts';

/* The input of an operation from a request: its path, its query or its body, and what the route decides. */

/** The members of the body that are no input: the reason goes into the log. */
const BESIDES = ['reason'];

export interface Given {
  input: Record<string, unknown>;
  reason: string | undefined;
}

/** Of a query: each parameter is text; what is a list may be given more than once. */
export function fromQuery(context: WebContext, route: ApiRoute): Given {
  const names = offered(route, route.operation);
  const given = context.req.queries();
  const besides = route.list || route.answer === 'log' ? ['limit', 'cursor'] : [];
  const fields = Object.entries(given).flatMap(([name, values]) => {
    if (besides.includes(name)) return [];
    if (!names.includes(name))
      throw unknownMember(name, [
        ...names.filter((one) => !pathFields(route.path).includes(one)),
        ...besides,
      ]);
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
  const inPath = fromPath(context, route);
  const inputs = offered(route, choose(body)).filter((input) => !(input in inPath));
  const inputOf = new Map(inputs.map((input) => [calledHere(route, input), input]));
  const fields = Object.entries(body).flatMap(([name, value]) => {
    if (BESIDES.includes(name)) return [];
    const input = inputOf.get(name);
    if (input === undefined) throw unknownMember(name, [...inputOf.keys(), ...BESIDES]);
    return [[input, value] as const];
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
function readQuery(operation: RoutedOperation, name: string, values: string[]): unknown {
  const inner = typeOf(operation, name);
  if (inner instanceof z.ZodArray) return values;
  if (values.length > 1) throw invalid(name, 'it is given more than once', 'Give it once.');
  const [value = ''] = values;
  if (inner instanceof z.ZodBoolean && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

function unknownMember(name: string, known: string[]): BridgeError {
  return invalid(name, 'it is unknown here', `Known: ${known.length === 0 ? 'none' : known.join(', ')}.`);
}
