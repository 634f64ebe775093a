import { expect, test } from 'vitest';
import * as z from 'zod';
import { Secret } from '../../../src/config/secret.ts';
import { addCommission } from '../../../src/ledger/commission/commission.ts';
import { OPERATOR } from '../../../src/ledger/log/log.ts';
import type { Ledger } from '../../../src/ledger/store/open.ts';
import { mayDo, SCOPES } from '../../../src/operations/rights.ts';
import { plus } from '../../../src/time.ts';
import { localMonth } from '../../../src/typed/months.ts';
import { adminRoutes } from '../../../src/web/api/admin-routes.ts';
import { clientRoutes } from '../../../src/web/api/client-routes.ts';
import { openApiOf } from '../../../src/web/api/openapi.ts';
import { books } from '../../support/books.ts';
import { bootless, now } from '../../support/clock.ts';
import { forEachLedger, freshLedger } from '../../support/ledgers.ts';
import { person } from '../../support/principals.ts';
import {
  type Answer,
  clientSession,
  personSession,
  type TestSite,
  testSite,
  tokenFor,
} from '../../support/site.ts';

/* The API over a ledger: rights, schemas, keys, preconditions, pages. */

const DAY = 86_400_000;

/** Two clients, one of them of fixed mode; twelve cash-outs, some paid. */
async function filled(ledger: Ledger): Promise<Ledger> {
  const book = await books(ledger);
  const since = plus(now(), -3 * DAY);
  const at = (minutes: number) => plus(now(), minutes * 60_000);
  for (const name of ['alice', 'bob']) await book.client(name, { mode: 'flow', daily: 500, max: 800 }, since);
  await book.cash('alice', 1_031, since);
  await book.cash('bob', 2_063, since);
  await book.cash('bob', 4_127, since);
  for (let n = 0; n < 11; n += 1) await book.cashOut(20 + n, at(-60 + n), at(-59 + n), { commission: 111n });
  await book.pay(at(-40));
  await book.cashOut(50, at(-30), at(-29));
  const wallet = { id: 'wallet of house', key: new Secret('house') };
  await ledger.write((trx) =>
    addCommission(
      trx,
      { principal: OPERATOR, actor: 'dora', run: null, clock: bootless, at: since },
      { name: 'house', wallet, weight: 1n, machine: null, from: since },
    ),
  );
  return ledger;
}

const key = () => ({ 'idempotency-key': crypto.randomUUID() });

test('each role and scope × each route: who may gets past the rights, who may not gets 403 and no more', async () => {
  const ledger = await filled(await freshLedger('sqlite'));
  const admin = testSite(ledger, 'admin');
  const roles = ['owner', 'operator', 'bookkeeper'] as const;
  const principals = [
    ...(await Promise.all(
      roles.map(async (role) => ({
        ...{ who: role, principal: person(role), asked: { session: await personSession(ledger, role) } },
      })),
    )),
    ...(await Promise.all(
      SCOPES.map(async (scope) => ({
        ...{ who: scope, principal: { kind: 'token', token: 't', scopes: [scope] } as const },
        asked: { token: await tokenFor(ledger, [scope], scope.replace(':', '-')) },
      })),
    )),
  ];
  const log = async () => (await ledger.db.selectFrom('log').select('id').execute()).length;
  const before = await log();
  for (const { who, principal, asked } of principals) {
    for (const { method, path, operation } of adminRoutes) {
      // What is no input is refused, so nobody who may does anything here.
      const at = `/api/v1${path.replaceAll(/\{\w+\}/g, 'x')}`;
      const more = method === 'GET' ? {} : { body: { unknown: 1 }, headers: key() };
      const { status, json } = await admin.ask(method === 'GET' ? `${at}?unknown=1` : at, {
        ...{ method, ...asked, ...more },
      });
      const isRefused = status === 403 && json.code === 'usage/forbidden';
      expect([who, method, path, isRefused]).toEqual([who, method, path, !mayDo(operation, principal)]);
      if (!isRefused && operation.name !== 'events.newest') expect([path, status]).toEqual([path, 422]);
    }
  }
  expect(await log()).toBe(before);
}, 120_000);

test('what another client has does not exist for a client, by any route of the site', async () => {
  const ledger = await filled(await freshLedger('sqlite'));
  const client = testSite(ledger, 'client');
  const session = await clientSession(ledger, 'alice');
  const bobs = await clientSession(ledger, 'bob');
  const payoutOf = async (own: string) =>
    (await client.ask('/api/v1/me/payouts', { session: own })).json[0].id;
  const bobsSession = (await client.ask('/api/v1/me/sessions', { session: bobs })).json[0].id;
  const others: Record<string, string[]> = {
    '/me/purchases/{id}': [],
    '/me/fundings/{id}': ['f2', 'f3'],
    '/me/payouts/{id}': [await payoutOf(bobs)],
    '/me/sessions/{id}/end': [bobsSession],
    '/me/credentials/{id}/remove': [bobsSession],
  };
  const nobodys: Record<string, string> = {
    '/me/purchases/{id}': 'cash-out 99',
    '/me/fundings/{id}': 'f99',
    '/me/payouts/{id}': 'p99',
    '/me/sessions/{id}/end': '99',
    '/me/credentials/{id}/remove': '99',
  };
  const withId = clientRoutes.filter(({ path }) => path.includes('{'));
  expect(new Set(withId.map(({ path }) => path))).toEqual(new Set(Object.keys(others)));
  for (const { method, path } of withId) {
    const ask = async (id: string): Promise<string> => {
      const { status, text } = await client.ask(`/api/v1${path.replace('{id}', encodeURIComponent(id))}`, {
        ...{ method, session, headers: key(), ...(method === 'POST' && { body: {} }) },
      });
      return `${status} ${text.replaceAll(id, 'ID')}`;
    };
    const unknown = await ask(nobodys[path] ?? '');
    expect(unknown).toMatch(/^404 /);
    for (const id of others[path] ?? []) expect([path, await ask(id)]).toEqual([path, unknown]);
  }
  for (const { method, path, list } of clientRoutes) {
    if (path.includes('{')) continue;
    const asked = {
      method,
      session,
      headers: key(),
      ...(method !== 'GET' && { body: { client: 'bob', name: 'bob' } }),
    };
    for (const name of ['client', 'name', 'kind', 'wallet_key', 'max_daily_limit']) {
      const at = `/api/v1${path}${method === 'GET' ? `?${name}=bob` : ''}`;
      if (path !== '/events' && !path.endsWith('/end'))
        expect([path, name, (await client.ask(at, asked)).status]).toEqual([path, name, 422]);
    }
    if (method !== 'GET' || ['/events', '/me/statement', '/me/replay'].includes(path)) continue;
    const { text, status } = await client.ask(`/api/v1${path}`, { session });
    expect([path, status, /bob|house|"f2"|"f3"/.test(text)]).toEqual([path, 200, false]);
    // A row of another is no place to go on from.
    if (list?.paged) {
      const cursor = Buffer.from(path.endsWith('payouts') ? await payoutOf(bobs) : 'cash-out 99').toString(
        'base64url',
      );
      const next = await client.ask(`/api/v1${path}?cursor=${cursor}`, { session });
      expect(/bob|"f2"|"f3"/.test(next.text)).toBe(false);
    }
  }
  expect((await client.ask('/api/v1/me', { session: bobs })).json.name).toBe('bob');
});

interface Schemas {
  responses: Record<string, { content: Record<string, { schema: object }> }>;
}

/** What does not fit the schema that the document has for this answer; empty if all fits. */
function misfits(name: 'admin' | 'client', place: string, { status, json }: Answer): string[] {
  const [method = '', path = ''] = place.split(' ');
  const document = openApiOf(name, name === 'admin' ? adminRoutes : clientRoutes);
  const paths = document.paths as Record<string, Record<string, Schemas>>;
  const content = paths[`/api/v1${path}`]?.[method.toLowerCase()]?.responses[`${status}`]?.content;
  const schema = Object.entries(content ?? {}).find(([type]) => type.includes('json'))?.[1].schema;
  if (schema === undefined) return [`${place} ${status} is not in the document`];
  const whole =
    '$ref' in schema ? (document.components as { schemas: { Problem: object } }).schemas.Problem : schema;
  const { error } = z.fromJSONSchema(whole as Parameters<typeof z.fromJSONSchema>[0]).safeParse(json);
  return (error?.issues ?? []).map((issue) => `${place} ${issue.path.join('.')}: ${issue.message}`);
}

test('the answers are as the documents have them, errors too', async () => {
  const ledger = await filled(await freshLedger('sqlite'));
  const admin = testSite(ledger, 'admin');
  const client = testSite(ledger, 'client');
  const token = await tokenFor(ledger, [...SCOPES]);
  const owner = await personSession(ledger, 'owner');
  const session = await clientSession(ledger, 'alice');
  const payout = (await admin.ask('/api/v1/payouts', { token })).json[0].id;
  const ids: Record<string, string> = {
    '/clients/{name}': 'alice',
    '/clients/{name}/statement': 'alice',
    '/clients/{name}/replay': 'alice',
    '/purchases/{id}': 'cash-out 1',
    '/fundings/{id}': 'f1',
    '/machines/{machine}': 'm',
    '/commission/{name}': 'house',
    '/cash-outs/{id}': 'cash-out 1',
    '/payouts/{id}': payout,
    '/me/purchases/{id}': 'cash-out 1',
    '/me/fundings/{id}': 'f1',
  };
  const queries: Record<string, string> = {
    '/purchases': '?client=alice',
    '/purchases/{id}': '?client=alice',
    '/clients/{name}/statement': `?month=${localMonth(now(), 'America/Guatemala')}`,
    '/me/statement': `?month=${localMonth(now(), 'America/Guatemala')}`,
    '/me/export': '?format=json',
    '/purchase-sums': '?client=alice',
    '/me/replay': '?currency=USD',
    '/clients/{name}/replay': '?currency=USD',
  };
  const wrong: string[] = [];
  let done = 0;
  for (const [name, site, routes] of [
    ['admin', admin, adminRoutes],
    ['client', client, clientRoutes],
  ] as const) {
    for (const { method, path, answer, operation } of routes) {
      if (method !== 'GET' || answer === 'events' || (answer === 'export' && name === 'admin')) continue;
      const id = ids[path] ?? (path.includes('{') ? '99' : '');
      const at = path.replace(/\{\w+\}/, encodeURIComponent(id)).concat(queries[path] ?? '');
      const isOwn = /^(people|tokens|sessions|credentials)\./.test(operation.name);
      const by = name === 'client' ? { session } : isOwn ? { session: owner } : { token };
      const got = await site.ask(`/api/v1${at}`, by);
      if (got.status === 200) done += 1;
      wrong.push(...misfits(name, `${method} ${path}`, got));
      const isNeeded = !path.includes('{') || path in ids;
      const reachesOut = ['poll.preview', 'poll.preview_first', 'reconcile'].includes(operation.name);
      if (isNeeded && !reachesOut)
        expect([path, got.status, got.status === 200 ? '' : got.text]).toEqual([path, 200, '']);
    }
  }
  expect(wrong).toEqual([]);
  expect(done).toBeGreaterThan(30);
}, 60_000);

forEachLedger((_kind, open) => {
  const cash = { client: 'alice', amount: '3000 USD', machine: 'm' };

  async function site(): Promise<{ ledger: Ledger; admin: TestSite; token: string }> {
    const ledger = await filled(await open());
    return { ledger, admin: testSite(ledger, 'admin'), token: await tokenFor(ledger, [...SCOPES]) };
  }

  test('a key is needed, and a request under it is done once; killed before its answer, too', async () => {
    const { ledger, admin, token } = await site();
    const post = (by: TestSite, headers: Record<string, string>, body: object = cash) =>
      by.ask('/api/v1/fundings', { method: 'POST', token, body, headers });
    expect((await post(admin, {})).status).toBe(400);
    const headers = key();
    const dying = testSite(
      {
        ...ledger,
        write: (work) =>
          ledger.write(work).then((result) => {
            // The last use of the token is no part of it.
            if (result === undefined) return result;
            throw new Error('killed after the commit');
          }),
      },
      'admin',
    );
    expect((await post(dying, headers)).status).toBe(500);
    const first = await post(admin, headers);
    expect(first).toMatchObject({
      status: 201,
      json: { client: 'alice', amount: '3000.00', status: 'in_flight' },
    });
    const twice = await Promise.all([post(admin, headers), post(admin, headers)]);
    for (const again of twice) expect(again.text).toBe(first.text);
    const other = await post(admin, headers, { ...cash, amount: '3001 USD' });
    expect([other.status, other.json.code]).toEqual([422, 'usage/key-reused']);
    const made = await ledger.db.selectFrom('fundings').select('id').where('amount', '=', 300_000n).execute();
    expect(made).toHaveLength(1);
    const [entry] = await ledger.db.selectFrom('log').selectAll().orderBy('id', 'desc').limit(1).execute();
    expect(entry).toMatchObject({ action: 'funding add', actor: 'token:till', principal: 'token till' });
  });

  test('settings are changed as they were seen', async () => {
    const { admin, token, ledger } = await site();
    const path = '/api/v1/clients/alice';
    const patch = (headers: Record<string, string>, body: object = { mode: 'fixed' }) =>
      admin.ask(path, { method: 'PATCH', token, body, headers });
    const etag = (await admin.ask(path, { token })).headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    expect((await admin.ask(path, { token, headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await patch({})).json).toMatchObject({ status: 428, code: 'access/precondition' });
    expect((await patch({ 'if-match': '"other"' })).json).toMatchObject({
      status: 412,
      code: 'usage/changed',
    });
    // Two tabs.
    const tabs = await Promise.all([
      patch({ 'if-match': etag }),
      patch({ 'if-match': etag }, { paused: true }),
    ]);
    expect(tabs.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412]);
    const after = await admin.ask(path, { token });
    expect(after.headers.get('etag')).not.toBe(etag);
    expect((await patch({ 'if-match': '*' }, { paused: true, mode: 'fixed' })).json.status).toBe('paused');
    expect((await patch({ 'if-match': '*' }, { paused: false })).json).toMatchObject({
      status: 'active',
      mode: 'fixed',
    });
    const changes = await ledger.db
      .selectFrom('log')
      .select('action')
      .where('subject', '=', 'client alice')
      .execute();
    expect(changes.map(({ action }) => action)).toEqual(
      expect.arrayContaining(['client set', 'client resume']),
    );
    for (const [at, body] of [
      ['/machines/m', { name: 'Antigua' }],
      ['/commission/house', { weight: '2' }],
    ] as const) {
      const seen = await admin.ask(`/api/v1${at}`, { token });
      const headers = { 'if-match': seen.headers.get('etag') ?? '' };
      const change = { method: 'PATCH', token, body, headers };
      expect([at, (await admin.ask(`/api/v1${at}`, change)).status]).toEqual([at, 200]);
      expect([at, (await admin.ask(`/api/v1${at}`, change)).status]).toEqual([at, 412]);
    }
    expect((await admin.ask('/api/v1/commission/nobody', { token })).status).toBe(404);
  });

  test('a name is the same however its accents are written: old settings are refused', async () => {
    const { admin, token, ledger } = await site();
    const book = await books(ledger);
    await book.client('josé', { mode: 'flow', daily: 500 }, plus(now(), -DAY));
    const wallet = { id: 'wallet of café', key: new Secret('café') };
    const recipient = { name: 'café', wallet, weight: 1n, machine: null };
    await ledger.write((trx) =>
      addCommission(
        trx,
        { principal: OPERATOR, actor: 'dora', run: null, clock: bootless, at: now() },
        recipient,
      ),
    );
    const things: [place: string, name: string, body: object, nobody: string][] = [
      ['/api/v1/clients/', 'josé', { mode: 'fixed' }, 'there is no client "zoe"'],
      ['/api/v1/commission/', 'café', { weight: '3' }, 'there is no commission recipient "zoe"'],
    ];
    for (const [place, name, body, nobody] of things) {
      const change = { method: 'PATCH', token, body, headers: { 'if-match': '"stale"' } };
      for (const form of ['NFC', 'NFD'] as const) {
        const at = `${place}${encodeURIComponent(name.normalize(form))}`;
        const seen = await admin.ask(at, { token });
        expect([at, seen.status, seen.json.name]).toEqual([at, 200, name.normalize('NFC')]);
        expect(await admin.ask(at, change)).toMatchObject({ status: 412, json: { code: 'usage/changed' } });
        expect((await admin.ask(at, { token })).text).toBe(seen.text);
      }
      for (const asked of [change, { token }]) {
        const { status, json } = await admin.ask(`${place}zoe`, asked);
        expect([status, json.detail]).toEqual([404, expect.stringContaining(nobody)]);
      }
    }
  });

  test('a client changes what is the client’s, as seen, and nothing else', async () => {
    const ledger = await filled(await open());
    const client = testSite(ledger, 'client');
    const session = await clientSession(ledger, 'alice');
    const etag = (await client.ask('/api/v1/me', { session })).headers.get('etag') ?? '';
    const patch = (body: object, headers: Record<string, string> = { 'if-match': etag }) =>
      client.ask('/api/v1/me/settings', { method: 'PATCH', session, body, headers });
    expect((await patch({ mode: 'fixed' }, {})).status).toBe(428);
    for (const body of [
      { wallet_key: 'x' },
      { max_daily_limit: ['9 USD'] },
      { name: 'bob' },
      { new_wallet: true },
    ])
      expect((await patch(body)).status).toBe(422);
    expect((await patch({ daily_limits: ['801 USD'] })).status).toBe(422);
    const changed = await patch({ mode: 'fixed', daily_limits: ['700 USD'], paused: true });
    expect(changed.json).toMatchObject({
      ...{ name: 'alice', mode: 'fixed', status: 'paused', daily_limits: { USD: '700.00' } },
    });
    expect((await patch({ mode: 'flow' })).status).toBe(412);
    const [entry] = await ledger.db.selectFrom('log').selectAll().orderBy('id', 'desc').limit(1).execute();
    expect(entry).toMatchObject({ actor: 'client:alice', principal: 'client alice' });
  });

  test('what a client is told of an error is what this site takes', async () => {
    const ledger = await filled(await open());
    const client = testSite(ledger, 'client');
    const session = await clientSession(ledger, 'alice');
    const headers = { 'if-match': '*' };
    const patch = async (body: object) => {
      const { status, json } = await client.ask('/api/v1/me/settings', {
        ...{ method: 'PATCH', session, body, headers },
      });
      return [status, json.errors[0]?.pointer, json.hint];
    };
    expect(await patch({ daily_limits: ['x'] })).toEqual([422, '/daily_limits', expect.any(String)]);
    expect(await patch({ daily_limits: 'x' })).toEqual([422, '/daily_limits', null]);
    expect(await patch({ daily_limits: [1] })).toEqual([422, '/daily_limits/0', null]);
    const known = 'Known: mode, daily_limits, paused, reason.';
    for (const name of ['foo', 'daily_limit', 'name', 'wallet_key'])
      expect(await patch({ [name]: ['500 USD'] })).toEqual([422, `/${name}`, known]);
    expect(await patch({ daily_limits: ['9000 USD'] })).toEqual([
      ...[422, '/daily_limits', 'Lower it, or ask the operator.'],
    ]);
    expect(await patch({})).toEqual([422, undefined, 'Give mode, daily_limits or paused.']);
    expect(await patch({ daily_limits: ['none USD'] })).toEqual([
      403,
      '/daily_limits',
      'Set another limit, or ask the operator.',
    ]);
    // Each request that a hint names is answered.
    for (const path of [
      '/me/purchases/abcdefgh',
      '/me/fundings/f99',
      '/me/payouts/p99',
      '/me/sessions/99/end',
    ]) {
      const method = path.endsWith('/end') ? 'POST' : 'GET';
      const { status, json } = await client.ask(`/api/v1${path}`, { method, session, headers: key() });
      expect([path, status]).toEqual([path, 404]);
      const [, named] = /`GET ([^`]+)`/.exec(json.hint ?? '') ?? [];
      if (named === undefined) expect(json.hint ?? '').not.toContain('/api/');
      else expect([named, (await client.ask(named, { session })).status]).toEqual([named, 200]);
    }
  });

  test('lists go on page by page to the end, with each row once; a cursor is not guessed', async () => {
    const { admin, token, ledger } = await site();
    const session = await personSession(ledger, 'owner');
    const lists: [string, (row: { [name: string]: string }) => string | undefined, number][] = [
      ['/cash-outs', (row) => row.id, 12],
      ['/payouts', (row) => row.id, 2],
      ['/fundings', (row) => row.id, 3],
      ['/clients', (row) => row.name, 2],
      ['/purchases?client=bob', (row) => row.id, 12],
      ['/runs', (row) => row.run, 1],
      ['/log', (row) => JSON.stringify(row), 12],
      ['/log?subject=bob', (row) => JSON.stringify(row), 3],
    ];
    for (const [list, id, least] of lists) {
      const all = (await admin.ask(`/api/v1${list}${list.includes('?') ? '&' : '?'}limit=200`, { session }))
        .json;
      for (const limit of [1, 2, 5]) {
        const rows: { [name: string]: string }[] = [];
        let at: string | undefined = `/api/v1${list}${list.includes('?') ? '&' : '?'}limit=${limit}`;
        for (let page = 0; at !== undefined && page < 100; page += 1) {
          const { json, headers, status } = await admin.ask(at, { token });
          expect([at, status]).toEqual([at, 200]);
          expect(json.length).toBeLessThanOrEqual(limit);
          rows.push(...json);
          at = /^<([^>]+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
        }
        expect(rows.map(id)).toEqual(all.map(id));
        expect([list, rows.length >= least]).toEqual([list, true]);
      }
    }
    const refused = async (query: string) =>
      (await admin.ask(`/api/v1/cash-outs?${query}`, { token })).status;
    for (const query of [
      'limit=0',
      'limit=201',
      'limit=x',
      'limit=-1',
      'cursor=',
      'cursor=%00',
      'cursor=zz*',
      'limit=1&limit=2',
    ])
      expect([query, (await refused(query)) >= 400]).toEqual([query, query !== 'limit=1&limit=2']);
    expect(await refused(`cursor=${Buffer.from('cash-out 99').toString('base64url')}`)).toBe(404);
  });

  test('an export comes whole in its format, and an error of it is an answer of its own', async () => {
    const { admin, token } = await site();
    const csv = await admin.ask('/api/v1/exports/fundings', { token });
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="fundings.csv"');
    expect(csv.text.trim().split('\r\n')).toHaveLength(4);
    const json = await admin.ask('/api/v1/exports/allocations?format=json&client=bob', { token });
    expect(json.json.length).toBeGreaterThan(10);
    for (const path of ['/exports/nothing', '/exports/fundings?format=xml', '/exports/fundings?client=zoe'])
      expect([path, (await admin.ask(`/api/v1${path}`, { token })).status >= 400]).toEqual([path, true]);
  });

  test('a preview does nothing, and what was previewed is done or refused', async () => {
    const { admin, token, ledger } = await site();
    const body = {
      reference: 'receipt-17',
      machine: 'm',
      at: plus(now(), -60_000),
      fiat: '10 USD',
      gross: '9000 sat',
    };
    const settle = (more: object, query = '') =>
      admin.ask(`/api/v1/settlements${query}`, {
        ...{
          method: 'POST',
          token,
          headers: key(),
          body: { ...body, rate: '5.5%', reason: 'paid by hand', ...more },
        },
      });
    const seen = await settle({}, '?preview=true');
    expect(seen).toMatchObject({
      status: 200,
      json: { dry_run: true, settled: false, digest: expect.any(String) },
    });
    expect(await ledger.db.selectFrom('settlements').selectAll().execute()).toEqual([]);
    expect((await settle({ digest: 'other' })).json.status).toBe(412);
    const done = await settle({ digest: seen.json.digest });
    expect(done).toMatchObject({ status: 201, json: { settled: true } });
    expect(misfits('admin', 'POST /settlements', done)).toEqual([]);
    expect((await settle({ reason: '' })).json.errors).toEqual([
      { pointer: '/reason', detail: expect.any(String) },
    ]);
  });

  test('events tell that something changed, to a client only of what is the client’s', async () => {
    const ledger = await filled(await open());
    const admin = testSite(ledger, 'admin');
    const client = testSite(ledger, 'client');
    const { newestEvent } = await import('../../../src/operations/events.ts');
    const { perform } = await import('../../support/operations.ts');
    const ask = async (principal: Parameters<typeof perform>[1]['principal']) =>
      (
        await perform(
          newestEvent,
          {
            ...{
              principal,
              actor: 'x',
              clock: ledger.clock,
              reason: undefined,
              config: async () => admin.config,
            },
            ...{ withLedger: (_use, work) => work(ledger), stopSignal: () => AbortSignal.any([]) },
          },
          {},
        )
      ).id;
    const all = async () => [
      await ask({ kind: 'operator' }),
      await ask({ kind: 'client', client: 'alice' }),
      await ask({ kind: 'client', client: 'bob' }),
    ];
    const before = await all();
    expect(await all()).toEqual(before);
    const session = await clientSession(ledger, 'alice');
    await client.ask('/api/v1/me/settings', {
      ...{ method: 'PATCH', session, body: { mode: 'fixed' }, headers: { 'if-match': '*' } },
    });
    const after = await all();
    expect([0, 1, 2].map((n) => after[n] === before[n])).toEqual([false, false, true]);
  });
});
