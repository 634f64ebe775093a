import { expect, test } from 'vitest';
import { adminRoutes } from '../../src/web/api/admin-routes.ts';
import { clientRoutes } from '../../src/web/api/client-routes.ts';
import { books } from '../support/books.ts';
import { now } from '../support/clock.ts';
import { freshLedger } from '../support/ledgers.ts';
import {
  ADMIN,
  type Asked,
  CLIENT,
  clientSession,
  personSession,
  testSite,
  tokenFor,
} from '../support/site.ts';

/* What guards every request of a site. */

const HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

async function twoSites() {
  const ledger = await freshLedger('sqlite');
  await (await books(ledger)).client('alice', { mode: 'flow' }, now());
  return { ledger, admin: testSite(ledger, 'admin'), client: testSite(ledger, 'client') };
}

test('every answer has the headers, errors too, and what is behind a sign-in is not kept', async () => {
  const { ledger, admin, client } = await twoSites();
  const session = await personSession(ledger, 'owner');
  const asked: [string, Asked][] = [
    ['/healthz', {}],
    ['/sign-in', {}],
    ['/welcome', {}],
    ['/', { session }],
    ['/nothing', {}],
    ['/api/v1/status', {}],
    ['/api/v1/status', { session }],
    ['/api/v1/clients', { method: 'DELETE', session }],
    ['/api/v1/clients', { method: 'POST', session, body: '{' }],
    ['/api/openapi.json', {}],
    ['/errors/usage/invalid', {}],
  ];
  for (const [path, more] of asked) {
    for (const site of [admin, client]) {
      const { headers, status } = await site.ask(path, more);
      expect([
        path,
        status,
        Object.fromEntries(Object.keys(HEADERS).map((name) => [name, headers.get(name)])),
      ]).toEqual([path, status, HEADERS]);
      expect(headers.get('cache-control')).toBe('no-store');
      const csp = headers.get('content-security-policy') ?? '';
      expect(csp).toMatch(/^default-src 'none'; script-src 'self'; /);
      expect(csp).not.toMatch(/unsafe|data:|\*|http/);
      const hsts = headers.get('strict-transport-security');
      expect(hsts === null).toBe(site === admin);
    }
  }
});

test('a page and what it loads fit the policy: nothing within the page', async () => {
  const { admin } = await twoSites();
  const { text } = await admin.ask('/sign-in');
  expect(text).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|https?:/);
  const files = [...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => `${path}`);
  expect(files.length).toBeGreaterThan(1);
  for (const path of files) {
    const { status, headers } = await admin.ask(path);
    expect([path, status, headers.get('cache-control')]).toEqual([
      path,
      200,
      'public, max-age=31536000, immutable',
    ]);
    expect((await admin.ask(path.replace(/[0-9a-f]{12}/, '000000000000'))).status).toBe(404);
  }
});

test('a change comes from a page of the site, or with a token', async () => {
  const { ledger, admin } = await twoSites();
  const session = await personSession(ledger, 'owner');
  const matrix: [headers: Record<string, string>, allowed: boolean][] = [
    [{ origin: ADMIN, 'sec-fetch-site': 'same-origin' }, true],
    [{ origin: ADMIN }, true],
    [{ origin: '', 'sec-fetch-site': 'same-origin' }, false],
    [{ origin: 'https://evil.example' }, false],
    [{ origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }, false],
    [{ origin: 'null' }, false],
    [{ origin: 'null', 'sec-fetch-site': 'same-origin' }, false],
    [{ origin: ADMIN, 'sec-fetch-site': 'same-site' }, false],
    [{ origin: ADMIN, 'sec-fetch-site': 'cross-site' }, false],
    [{ origin: ADMIN, 'sec-fetch-site': 'none' }, false],
    [{ origin: `${ADMIN}.evil.example` }, false],
    [{ origin: 'https://localhost:8092' }, false],
    [{ origin: CLIENT }, false],
  ];
  const body = { name: 'alice' };
  for (const [headers, allowed] of matrix) {
    for (const type of [
      'application/json',
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
    ]) {
      const answer = await admin.ask('/api/v1/clients/alice/pause', {
        ...{ method: 'POST', session, body, headers: { ...headers, 'content-type': type } },
      });
      const refused = answer.json.code === 'access/origin';
      expect([headers, type, answer.status === 403 && refused]).toEqual([headers, type, !allowed]);
    }
  }
  // A request with neither header is refused; with a token it needs none.
  const bare = { method: 'POST', headers: { 'idempotency-key': 'k', origin: '' } };
  expect((await admin.ask('/api/v1/clients/alice/pause', { ...bare, session })).json.code).toBe(
    'access/origin',
  );
  const token = await tokenFor(ledger, ['clients:write']);
  expect((await admin.ask('/api/v1/clients/alice/pause', { ...bare, token })).status).toBe(200);
  for (const path of ['/sign-in/link', '/sign-in/password', '/sign-out', '/prove/password', '/passkeys'])
    expect(
      (await admin.ask(path, { method: 'POST', session, headers: { origin: 'https://evil.example' } }))
        .status,
    ).toBe(403);
});

test('a name that is not the site’s leads nowhere; what a visitor says of proxies and hosts changes no link', async () => {
  const { admin } = await twoSites();
  for (const host of ['localhost:8092', 'localhost:1', '127.0.0.1:8092', '[::1]:8092', '10.0.0.7'])
    expect([host, (await admin.ask('/sign-in', { headers: { host } })).status]).toEqual([host, 200]);
  for (const host of ['evil.example', 'evil.example:8092', 'localhost.evil.example', ''])
    expect([host, (await admin.ask('/sign-in', { headers: { host } })).status]).toEqual([host, 421]);
  expect((await admin.ask('/healthz', { headers: { host: 'anything' } })).text).toBe('ok\n');
  const headers = {
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'gopher',
    forwarded: 'host=evil.example',
  };
  const { text, status } = await admin.ask('/', { headers });
  expect([status, text.includes('evil')]).toEqual([303, false]);
});

test('what is malformed is told so, and nothing is too large or of unknown length', async () => {
  const { ledger, admin } = await twoSites();
  const token = await tokenFor(ledger, ['read', 'clients:write']);
  const post = (asked: Asked) =>
    admin.ask('/api/v1/clients/alice/pause', {
      ...{ method: 'POST', token, ...asked },
      headers: { 'idempotency-key': 'k', ...asked.headers },
    });
  for (const body of ['{', 'null', '[]', '"x"', '1', '{"a":1}}'])
    expect([body, (await post({ body })).status]).toEqual([body, 400]);
  expect((await post({ body: '{}', headers: { 'content-type': 'text/plain' } })).status).toBe(400);
  expect((await post({ body: 'x'.repeat(65_537) })).status).toBe(413);
  expect((await post({ headers: { 'transfer-encoding': 'chunked' } })).status).toBe(411);
  expect((await post({ body: { mode: 'flow' } })).json).toMatchObject({
    ...{ status: 422, code: 'usage/invalid', errors: [{ pointer: '/mode', detail: expect.any(String) }] },
  });
  expect((await post({ body: { reason: 7 } })).json.errors).toEqual([
    { pointer: '/reason', detail: expect.any(String) },
  ]);
  const { status, json, headers } = await admin.ask('/api/v1/clients?limt=5', { token });
  expect([status, headers.get('content-type')]).toEqual([422, 'application/problem+json']);
  expect(json).toEqual({
    ...{ type: '/errors/usage/invalid', title: 'A value that was given cannot be used.', status: 422 },
    ...{ detail: 'it is unknown here.', code: 'usage/invalid', hint: 'Known: limit, cursor.' },
    errors: [{ pointer: '/limt', detail: 'it is unknown here.' }],
  });
});

test('a method that a path does not have is 405 and names those it has', async () => {
  const { ledger, admin, client } = await twoSites();
  const token = await tokenFor(ledger, ['read']);
  const places = Map.groupBy(adminRoutes, ({ path }) => path);
  for (const [path, routes] of places) {
    const at = `/api/v1${path.replaceAll(/\{\w+\}/g, 'x')}`;
    const other = ['PUT', 'DELETE'].map((method) => admin.ask(at, { method, token }));
    const allowed = routes.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    for (const { status, headers } of await Promise.all(other))
      expect([path, status, headers.get('allow')]).toEqual([path, 405, allowed.toSorted().join(', ')]);
  }
  const session = await clientSession(ledger, 'alice');
  const { status, headers } = await client.ask('/api/v1/me/settings', { session });
  expect([status, headers.get('allow')]).toEqual([405, 'PATCH']);
});

test('without a sign-in there is no answer of the API, on either site', async () => {
  const { admin, client } = await twoSites();
  for (const [site, routes] of [
    [admin, adminRoutes],
    [client, clientRoutes],
  ] as const) {
    for (const { method, path } of routes) {
      const at = `/api/v1${path.replaceAll(/\{\w+\}/g, 'alice')}`;
      for (const asked of [
        {},
        { session: 'guessed' },
        { headers: { authorization: 'Basic eDp5' } },
        { token: 'aiodca_guessed' },
        { token: 'guessed' },
      ] as Asked[]) {
        const { status, json } = await site.ask(at, { method, ...asked });
        expect([method, path, asked, status, json.code]).toEqual([
          method,
          path,
          asked,
          401,
          'access/required',
        ]);
      }
    }
  }
});

test('a defect is told to nobody and logged whole', async () => {
  const { ledger, admin } = await twoSites();
  const token = await tokenFor(ledger, ['read']);
  const broken = testSite(
    {
      ...ledger,
      get schema(): number {
        throw new TypeError('the secret inside');
      },
    },
    'admin',
  );
  const { status, text } = await broken.ask('/api/v1/status', { token });
  expect([status, text.includes('secret inside')]).toEqual([500, false]);
  expect(broken.logged.join('')).toContain('the secret inside');
  expect((await admin.ask('/api/v1/status', { token })).status).toBe(200);
});

test('one visitor who asks too often waits; the log has no secret', async () => {
  const { ledger, admin } = await twoSites();
  const token = await tokenFor(ledger, ['read']);
  const session = await personSession(ledger, 'owner');
  await admin.ask('/', { session });
  const address = '192.0.2.7';
  let last = await admin.ask('/sign-in', { token, address });
  for (let n = 0; n < 400 && last.status === 200; n += 1)
    last = await admin.ask('/sign-in', { token, address });
  expect(last.status).toBe(429);
  expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
  // Others do not wait, and to say that one is another changes nothing.
  expect((await admin.ask('/sign-in', { address: '192.0.2.8' })).status).toBe(200);
  const headers = { 'x-forwarded-for': '192.0.2.9' };
  expect((await admin.ask('/sign-in', { address, headers })).status).toBe(429);
  expect(admin.logged.length).toBeGreaterThan(100);
  for (const secret of [token, token.slice(7), session])
    expect(admin.logged.some((line) => line.includes(secret))).toBe(false);
});
