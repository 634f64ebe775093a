import * as z from 'zod';
import pkg from '../../../package.json' with { type: 'json' };
import { BridgeError, catalogue, type ErrorCode } from '../../errors.ts';
import { errorsOf } from '../../operations/errors.ts';
import { needsProof, scopeOf } from '../../operations/rights.ts';
import { changeView } from '../../views/log.ts';
import { problemOf } from '../request/problem.ts';
import type { SiteName } from '../request/site-context.ts';
import type { RoutedOperation } from '../request/visitor.ts';
import { type ApiRoute, calledHere, inputNames, offered, pathFields, takesKey } from './route.ts';

/* The OpenAPI 3.1 document of a site, from the table of its routes and the schemas of the operations. */

type Json = Record<string, unknown>;

const made = new WeakMap<readonly ApiRoute[], Json>();

/** Made at the first request, and kept. */
export function openApiOf(site: SiteName, routes: readonly ApiRoute[]): Json {
  const known = made.get(routes);
  if (known) return known;
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = `/api/v1${route.path}`;
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(site, route) };
  }
  const document = {
    openapi: '3.1.0',
    info: {
      title: site === 'admin' ? 'aio-dca: the operator’s API' : 'aio-dca: a client’s API',
      version: pkg.version,
      description: 'Sats are integers, cash is decimal text, times are ISO 8601 in UTC.',
    },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    paths,
    components: {
      securitySchemes: schemesOf(site),
      schemas: { Problem: PROBLEM },
    },
  };
  made.set(routes, document);
  return document;
}

function schemesOf(site: SiteName): Json {
  const session = {
    type: 'apiKey',
    in: 'cookie',
    name: `aio-dca-${site}`,
    description: 'The session of a browser; over https its name begins with __Host-.',
  };
  if (site === 'client') return { session };
  return {
    session,
    token: { type: 'http', scheme: 'bearer', description: 'A token of a script, with its scopes.' },
  };
}

function operationOf(site: SiteName, route: ApiRoute): Json {
  const { operation, method } = route;
  const scope = scopeOf(operation);
  const body = method === 'GET' ? {} : bodyOf(route);
  return {
    operationId: operation.name.replaceAll('.', '_'),
    tags: [operation.name.split('.')[0]],
    security: [{ session: [] }, ...(site === 'admin' && scope !== null ? [{ token: [] }] : [])],
    ...(scope !== null && site === 'admin' && { 'x-scope': scope }),
    ...(mayNeedProof(route) && { 'x-proof': 'of the last five minutes, for people' }),
    parameters: parametersOf(route),
    ...body,
    responses: responsesOf(route),
  };
}

function parametersOf(route: ApiRoute): Json[] {
  const { operation, method, path } = route;
  const shape = schemaOf(operation.input, 'input');
  const schemaAt = (name: string) => (shape.properties as Record<string, Json> | undefined)?.[name] ?? {};
  const inPath = pathFields(path);
  const parameter = (name: string, where: 'path' | 'query' | 'header', schema: Json, required: boolean) => ({
    ...{ name, in: where, required, schema },
  });
  const text: Json = { type: 'string' };
  const parameters = inPath.map((name) => parameter(name, 'path', pathSchema(schemaAt(name)), true));
  if (method === 'GET') {
    const needed = (shape.required as string[] | undefined) ?? [];
    for (const name of offered(route, operation)) {
      if (!inPath.includes(name))
        parameters.push(parameter(name, 'query', schemaAt(name), needed.includes(name)));
    }
    if (route.list || route.answer === 'log') {
      const limit = { type: 'integer', minimum: 1, maximum: 200, default: 50 };
      parameters.push(parameter('limit', 'query', limit, false));
      parameters.push(parameter('cursor', 'query', text, false));
    }
    if (route.settings) parameters.push(parameter('If-None-Match', 'header', text, false));
    return parameters;
  }
  if (hasPreview(route)) {
    parameters.push(parameter('preview', 'query', { type: 'boolean', default: false }, false));
  }
  if (route.settings) parameters.push(parameter('If-Match', 'header', text, true));
  if (takesKey(operation)) {
    const key = { type: 'string', minLength: 1, maxLength: 200 };
    parameters.push(parameter('Idempotency-Key', 'header', key, method === 'POST'));
  }
  return parameters;
}

/** In a path there is always some text. */
function pathSchema(schema: Json): Json {
  return { type: 'string', minLength: 1, ...schema };
}

function bodyOf(route: ApiRoute): Json {
  const { operation, instead, preview } = route;
  const forms = [operation, ...(instead ? [instead.operation] : [])].map((one) => formOf(route, one));
  const [first] = forms;
  const schema = forms.length === 1 ? first : { anyOf: forms };
  // Where nothing is needed, the body may be absent, too.
  const needsBody = forms.every((form) => form.required !== undefined);
  return {
    ...(preview && { description: 'With `preview=true` nothing is done; the answer has a `digest`.' }),
    ...(hasPreview(route) && needsReason(operation) && { 'x-reason': 'needed, except for a preview' }),
    requestBody: { required: needsBody, content: { 'application/json': { schema } } },
  };
}

/** What the body of an operation may have: its input, without what the path or the route says, and the reason. */
function formOf(route: ApiRoute, operation: RoutedOperation): Json {
  const shape = schemaOf(operation.input, 'input');
  const inPath = pathFields(route.path);
  const names = offered(route, operation).filter((name) => !inPath.includes(name));
  const all = (shape.properties as Record<string, Json> | undefined) ?? {};
  const properties = Object.fromEntries(
    names.map((name) => [calledHere(route, name), all[name] ?? {}] as const),
  );
  const needed = ((shape.required as string[] | undefined) ?? []).filter((name) => names.includes(name));
  // A preview needs no reason, and has the same form.
  const required = [
    ...needed.map((name) => calledHere(route, name)),
    ...(needsReason(operation) && !hasPreview(route) ? ['reason'] : []),
  ];
  return {
    type: 'object',
    properties: { ...properties, reason: { type: 'string', description: 'Why, for the log.' } },
    ...(required.length > 0 && { required }),
    additionalProperties: false,
  };
}

function hasPreview({ preview, instead }: ApiRoute): boolean {
  return preview !== undefined || instead?.preview !== undefined;
}

function needsReason({ reasoned, usualReason }: RoutedOperation): boolean {
  return reasoned !== undefined && usualReason === undefined;
}

function responsesOf(route: ApiRoute): Json {
  const { operation, status = 200, answer, preview, instead } = route;
  const content = (schema: Json, type = 'application/json') => ({ [type]: { schema } });
  const views = [operation, ...(instead ? [instead.operation] : [])];
  const previews = [preview, instead?.preview].flatMap((one) => (one ? [schemaOf(one.view, 'output')] : []));
  const ok =
    answer === 'events'
      ? content({ type: 'string' }, 'text/event-stream')
      : answer === 'export'
        ? {
            ...content({ type: 'string' }, 'text/csv'),
            ...content({ type: 'array' }),
            ...content({}, 'application/jsonl'),
          }
        : answer === 'log'
          ? content({ type: 'array', items: schemaOf(changeView, 'output') })
          : content(either([...views.map((one) => viewOf(route, one)), ...(status === 200 ? previews : [])]));
  const headers: Json = {
    ...((route.list || answer === 'log') && {
      Link: header('The next page, as rel="next"; absent at the end.'),
    }),
    ...(route.settings && route.method === 'GET' && { ETag: header('The settings, for If-Match.') }),
  };
  return {
    [status]: { description: 'Done.', headers, content: ok },
    ...(previews.length > 0 &&
      status !== 200 && { 200: { description: 'The preview.', content: content(either(previews)) } }),
    ...refusalsOf(route),
  };
}

function header(description: string): Json {
  return { description, schema: { type: 'string' } };
}

function either(schemas: Json[]): Json {
  const [first = {}] = schemas;
  return schemas.length === 1 ? first : { anyOf: schemas };
}

/** What is answered: of a list its rows, and of what can be done next the requests. */
export function viewOf({ list }: ApiRoute, { view }: RoutedOperation): Json {
  const schema = schemaOf(view, 'output');
  const rows = view instanceof z.ZodObject && list?.paged ? schemaOf(view.shape.rows, 'output') : schema;
  return withCommands(rows);
}

function withCommands(schema: Json): Json {
  const forms = schema.anyOf as Json[] | undefined;
  if (forms) return { ...schema, anyOf: forms.map(withCommands) };
  const properties = schema.properties as Json | undefined;
  if (!properties || !('next' in properties) || !('lamassu' in properties)) return schema;
  const { next: _, ...rest } = properties;
  const required = (schema.required as string[]).map((name) => (name === 'next' ? 'commands' : name));
  const commands = { type: 'array', items: { type: 'string' } };
  return { ...schema, properties: { ...rest, commands }, required };
}

/** The statuses of the errors that the operation may end with, and of those of the door. */
function refusalsOf(route: ApiRoute): Json {
  const door: ErrorCode[] = ['access/required', 'access/too-many', 'internal/defect'];
  const codes = new Set<ErrorCode>([...door, ...errorsOf(route.operation)]);
  if (route.method !== 'GET') codes.add('access/origin');
  if (route.settings && route.method === 'PATCH') codes.add('access/precondition').add('usage/changed');
  // It is asked of people, and only for what needs it.
  if (!mayNeedProof(route)) codes.delete('access/prove');
  const byStatus = new Map<number, string[]>();
  const add = (status: number, code: string) => byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  for (const code of codes)
    add(problemOf(new BridgeError(code, catalogue[code].means), () => undefined).status, code);
  // A bad value, and nothing of that name, have one code.
  if (pathFields(route.path).length > 0 || inputNames(route.operation).length > 0) add(404, 'usage/invalid');
  if (route.method !== 'GET') add(400, 'usage/invalid');
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return Object.fromEntries(
    [...byStatus]
      .toSorted(([a], [b]) => a - b)
      .map(([status, all]) => [status, { description: [...new Set(all)].sort().join(', '), content }]),
  );
}

/** Whether people may have to prove who they are: always, or for another wallet. */
function mayNeedProof({ operation, omit = [] }: ApiRoute): boolean {
  return needsProof(operation.name, omit.includes('wallet_key') ? {} : { wallet_key: '' });
}

const PROBLEM: Json = {
  type: 'object',
  description: 'RFC 9457.',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: Object.keys(catalogue) },
    hint: { type: ['string', 'null'] },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
        required: ['pointer', 'detail'],
      },
    },
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'hint', 'errors'],
};

const schemas = new WeakMap<z.ZodType, Map<string, Json>>();

/** JSON Schema 2020-12, as JSON has the values: a bigint is an integer, a message and a secret are text. */
export function schemaOf(type: z.ZodType, io: 'input' | 'output'): Json {
  const known = schemas.get(type) ?? new Map<string, Json>();
  schemas.set(type, known);
  const before = known.get(io);
  if (before) return before;
  const { $schema: _, ...schema } = z.toJSONSchema(type, {
    ...{ io, unrepresentable: 'any' },
    override: ({ zodSchema, jsonSchema }) => {
      const { def } = zodSchema._zod;
      if (def.type === 'bigint') jsonSchema.type = 'integer';
      if (def.type === 'union' && isText((def as z.core.$ZodUnionDef).options)) {
        delete jsonSchema.anyOf;
        jsonSchema.type = 'string';
      }
      // An operation is written as a request.
      const { properties = {} } = jsonSchema;
      if (io === 'output' && 'operation' in properties && 'args' in properties) {
        for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
        jsonSchema.type = 'string';
      }
    },
  }) as Json;
  const whole = withoutDefinitions(schema) as Json;
  known.set(io, whole);
  return whole;
}

/** Any JSON refers to itself, in definitions that the document has no place for: it is `{}`. */
function withoutDefinitions(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutDefinitions);
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('$ref' in schema) return {};
  return Object.fromEntries(
    Object.entries(schema).flatMap(([key, value]) =>
      key === '$defs' ? [] : [[key, withoutDefinitions(value)] as const],
    ),
  );
}

/** A union of text and of what is written as text: a message, a secret. */
function isText(options: readonly z.core.$ZodType[]): boolean {
  const types = options.map((one) => one._zod.def.type);
  return (
    types.includes('custom') && types.every((one) => one === 'custom' || one === 'string' || one === 'pipe')
  );
}
