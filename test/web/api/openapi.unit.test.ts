import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { adminRoutes } from '../../../src/web/api/admin-routes.ts';
import { clientRoutes } from '../../../src/web/api/client-routes.ts';
import { openApiOf } from '../../../src/web/api/openapi.ts';
import { apiPage } from '../../support/api-page.ts';

type Node = Record<string, unknown>;

const documents = [openApiOf('admin', adminRoutes), openApiOf('client', clientRoutes)];

function requestsIn(document: Node): [string, Node][] {
  return Object.entries(document.paths as Record<string, Record<string, Node>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, request]) => [`${method} ${path}`, request] as [string, Node]),
  );
}

test('docs/api.md is what the documents say', () => {
  const page = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8');
  expect(page, 'node test/support/api-page.ts > docs/api.md').toBe(apiPage());
});

test('each request has an id of its own, its parameters, and answers with schemas', () => {
  for (const document of documents) {
    expect(document.openapi).toBe('3.1.0');
    const requests = requestsIn(document);
    const ids = requests.map(([, { operationId }]) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [where, { parameters, responses }] of requests) {
      const inPath = [...where.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const stated = (parameters as Node[]).filter((one) => one.in === 'path').map((one) => one.name);
      expect([where, stated]).toEqual([where, inPath]);
      const done = Object.entries(responses as Record<string, Node>).filter(([status]) => /^2/.test(status));
      expect([where, done.length > 0]).toEqual([where, true]);
      expect(Object.keys(responses as Node)).toEqual(
        expect.arrayContaining(['401', '403', '422', '429', '500']),
      );
      for (const [, answer] of done) {
        const schemas = Object.values(answer.content as Record<string, Node>).map(({ schema }) => schema);
        expect([where, schemas.every((schema) => typeof schema === 'object')]).toEqual([where, true]);
      }
    }
  }
});

test('no input of the host, no function and no wallet key of a client is offered', () => {
  const [admin, client] = documents.map((one) => JSON.stringify(one));
  for (const name of ['book_fees', 'after']) {
    expect(admin?.includes(`{"name":"${name}"`)).toBe(false);
  }
  expect(/"(wallet_key|new_wallet|max_daily_limit)"/.test(client ?? '')).toBe(false);
});

test('references lead somewhere, and a message is text', () => {
  for (const document of documents) {
    const text = JSON.stringify(document);
    expect(new Set(text.match(/"\$ref":"[^"]+"/g))).toEqual(
      new Set(['"$ref":"#/components/schemas/Problem"']),
    );
  }
  const requests = new Map(requestsIn(openApiOf('admin', adminRoutes)));
  const text = (where: string) => JSON.stringify(requests.get(where));
  expect(text('get /api/v1/status').includes('"sats":{"type":"integer"}')).toBe(true);
  expect(text('get /api/v1/review/{id}').includes('"commands":{"type":"array"')).toBe(true);
});
