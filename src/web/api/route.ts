import * as z from 'zod';
import type { Call } from '../../lib/message.ts';
import type { Operation } from '../../operations/operation.ts';
import type { RoutedOperation } from '../request/visitor.ts';

/*
 * One table for each site says which operation is at which method and path below /api/v1. From it come the answers, the
 * OpenAPI document, the rights (those of the operation) and how messages name requests.
 */

export type HttpMethod = 'GET' | 'POST' | 'PATCH';

/** Inputs that a request does not choose: `own` is the client of the session, `file` the configuration in use. */
export type Fixed = (own: string, file: string) => Record<string, unknown>;

export interface ApiRoute {
  method: HttpMethod;
  /** `/fundings/{id}/confirm`: what is in braces is an input. */
  path: string;
  operation: RoutedOperation;
  /** Another operation at the same place, for a body that has this member: `reference`, for `settlements.external`. */
  instead?: { member: string; operation: RoutedOperation; preview?: RoutedOperation };
  /** What `?preview=true` does. */
  preview?: RoutedOperation;
  fixed?: Fixed;
  /** Inputs that this door does not offer: files of the host, functions, and what `fixed` decides. */
  omit?: readonly string[];
  /**
   * Of a list: the id of a row, by which the next page begins. `paged`: the operation itself goes on after a row.
   * `known`: says quickly which rows there are; those of the page are read by their ids, the input `by`.
   */
  list?: {
    id: (row: Record<string, unknown>) => string;
    paged?: true;
    known?: RoutedOperation;
    by?: string;
  };
  /** Of settings: which of them a change overwrites, and where they are read. */
  settings?: ChangedSettings;
  /** What this door calls inputs that the operation calls otherwise. */
  names?: Readonly<Record<string, string>>;
  /** How it is answered, where it is not the view: the rows of an export or of the log, or events as they come. */
  answer?: 'export' | 'log' | 'events';
  /** The status of success, where it is not 200. */
  status?: 201;
}

/** What PATCH with `If-Match` changes: where it is read, and which members of the view it is. */
export interface ChangedSettings {
  operation: Operation<'read', z.ZodType, z.ZodType>;
  /** The input of the reading, from that of the change. */
  input: (given: Record<string, unknown>) => object;
  /** What of its view the settings are. */
  pick: (view: unknown) => unknown;
}

/** The members of an object, by name. */
export function members(names: readonly string[]): (view: unknown) => Record<string, unknown> {
  return (view) => {
    const row = view as Record<string, unknown>;
    return Object.fromEntries(names.map((name) => [name, row[name]]));
  };
}

/** Whether an operation takes a key. What answers once, or changes one by one, does not. */
export function takesKey({ needs, once }: RoutedOperation): boolean {
  return (needs === 'write' || needs === 'lease') && once !== true;
}

/** What a request calls an input of the operation. */
export function calledHere({ names = {} }: ApiRoute, input: string): string {
  return names[input] ?? input;
}

/** What the pages of a list are made with; `after` is the cursor's. */
const PAGING = ['after', 'limit'];

/** The inputs that a request may have, by the schema of the operation. */
export function offered(route: ApiRoute, operation: RoutedOperation): string[] {
  const hidden = [...(route.omit ?? []), ...fixedInputs(route), ...PAGING];
  return inputNames(operation).filter((name) => !hidden.includes(name));
}

function fixedInputs({ fixed }: ApiRoute): string[] {
  return Object.keys(fixed?.('', '') ?? {});
}

export function inputNames({ input }: RoutedOperation): string[] {
  return Object.keys(shapeOf(input));
}

/** The members of an input; what is made of them afterwards does not matter. */
function shapeOf(input: z.ZodType): Record<string, z.core.$ZodType> {
  let inner: z.core.$ZodType = input;
  while (inner instanceof z.ZodPipe) inner = inner.in;
  return inner instanceof z.ZodObject ? inner.shape : {};
}

/** The type of an input, without its default. */
export function typeOf({ input }: RoutedOperation, name: string): unknown {
  let inner: unknown = shapeOf(input)[name];
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
    inner = inner.unwrap();
  }
  return inner;
}

/** The inputs that stand in the path. */
export function pathFields(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
}

/** How messages name an operation: by its method and path, with what a request of the site has to give. */
export function writeCalls(routes: readonly ApiRoute[]): (call: Call) => string | undefined {
  return ({ operation, args }) => {
    const route = routes.find(
      (one) => one.operation.name === operation || one.instead?.operation.name === operation,
    );
    if (!route) return undefined;
    const inPath = pathFields(route.path);
    const value = (name: string) => args[name] ?? '…';
    const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURI(`${value(name)}`));
    const decided = [...inPath, ...fixedInputs(route)];
    const given = Object.entries(args).flatMap(([name, text]) => {
      if (decided.includes(name)) return [];
      const isList = route.method !== 'GET' && typeOf(route.operation, name) instanceof z.ZodArray;
      return [[calledHere(route, name), isList ? [text ?? '…'] : (text ?? '…')] as const];
    });
    if (route.method === 'GET') {
      const query = given.map(([name, text]) => `${name}=${encodeURI(`${text}`)}`).join('&');
      return `GET /api/v1${path}${query === '' ? '' : `?${query}`}`;
    }
    const body = given.length === 0 ? '' : ` ${JSON.stringify(Object.fromEntries(given))}`;
    return `${route.method} /api/v1${path}${body}`;
  };
}
