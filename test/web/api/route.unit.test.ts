import { expect, test } from 'vitest';
import { call } from '../../../src/lib/message.ts';
import { adminRoutes } from '../../../src/web/api/admin-routes.ts';
import { clientRoutes } from '../../../src/web/api/client-routes.ts';
import type { ApiRoute } from '../../../src/web/api/route.ts';
import { writeCalls } from '../../../src/web/api/route.ts';
import { everyOperation } from '../../support/operations.ts';

/* Every operation has a route, or a reason why it has none. */

const operationsIn = (routes: readonly ApiRoute[]) =>
  new Set(
    routes.flatMap(({ operation, preview, instead }) =>
      [operation, preview, instead?.operation, instead?.preview].flatMap((one) => one?.name ?? []),
    ),
  );

/** Operations that the API does not have. */
const WITHOUT: [names: string, why: string][] = [
  ['backup.make', 'it writes a file of the host'],
  [
    `init.check_lamassu init.check_ledger init.check_lnbits init.check_postgresql init.check_source_wallet
     init.check_start init.check_superuser init.create init.find_place init.make_ssh_key init.preview_create
     init.read_file init.read_host_key init.read_ssh_key`,
    'it makes the installation, files and keys of the host',
  ],
  [
    `ledger.copy ledger.preview_copy ledger.preview_recover ledger.preview_source ledger.recover ledger.source migrate`,
    'it is about the ledger as a whole, and no site serves meanwhile',
  ],
  ['clients.settings', '`PATCH` compares them, and `clients.show` answers them'],
  ['clients.list_settings', 'the list of clients begins with it, and has them'],
  ['export.totals', 'for the page of a month: an export has its totals, too'],
  ['payouts.pause_state', 'every page asks it; `status` answers it with the rest'],
  ['role_sql', 'its text is for the administrator of another server'],
  ['run serve', 'it is a process of its own'],
  [
    `access.enter access.look access.passkey access.passkey_options access.password access.prove_passkey
     access.prove_password access.session access.token credentials.add_passkey credentials.passkey_options`,
    'a sign-in: its routes keep the secret in a cookie, and the challenge to themselves',
  ],
];

test('every operation has a route on the admin site, or a reason why it has none', async () => {
  const without = WITHOUT.flatMap(([names]) => names.split(/\s+/));
  const names = (await everyOperation()).map(({ name }) => name);
  const routed = operationsIn(adminRoutes);
  expect(new Set(names.filter((name) => !routed.has(name)))).toEqual(new Set(without));
  for (const [, why] of WITHOUT) expect(why).not.toBe('');
});

test('the routes of the client site are these', () => {
  expect(clientRoutes.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /me',
    'PATCH /me/settings',
    'GET /me/purchases',
    'GET /me/purchase-sums',
    'GET /me/purchases/{id}',
    'GET /me/fundings',
    'GET /me/fundings/{id}',
    'GET /me/payouts',
    'GET /me/payouts/{id}',
    'GET /me/replay',
    'GET /me/statement',
    'GET /me/export',
    'GET /me/log',
    'GET /events',
    'GET /me/sessions',
    'POST /me/sessions/end',
    'POST /me/sessions/{id}/end',
    'GET /me/credentials',
    'POST /me/credentials/{id}/remove',
  ]);
  for (const { operation } of clientRoutes) expect(operation.may).toContain('client');
});

test('a place has one operation, and what only reads is a GET', () => {
  for (const routes of [adminRoutes, clientRoutes]) {
    const places = routes.map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`);
    expect(new Set(places).size).toBe(places.length);
    for (const { method, operation } of routes) {
      if (method !== 'GET') continue;
      expect([operation.name, ['read', 'config', 'none'].includes(operation.needs)]).toEqual([
        operation.name,
        true,
      ]);
    }
  }
});

test('messages name operations as requests', () => {
  const write = writeCalls(adminRoutes);
  expect(write(call('payouts.retry', { id: 'p1' }))).toBe('POST /api/v1/payouts/p1/retry');
  expect(write(call('payouts.list', { state: 'held' }))).toBe('GET /api/v1/payouts?state=held');
  expect(write(call('settlements.settle', { id: 'c', reason: null }))).toBe(
    'POST /api/v1/settlements {"id":"c","reason":"…"}',
  );
  expect(write(call('clients.add', { name: null }))).toBe('POST /api/v1/clients {"name":"…"}');
  expect(write(call('migrate'))).toBeUndefined();
  expect(write(call('clients.set', { name: 'bob', daily_limit: '… GTQ' }))).toBe(
    'PATCH /api/v1/clients/bob {"daily_limit":["… GTQ"]}',
  );
  const own = writeCalls(clientRoutes);
  expect(own(call('purchases.list', { client: 'alice' }))).toBe('GET /api/v1/me/purchases');
  expect(own(call('clients.set', { name: 'alice', mode: 'flow' }))).toBe(
    'PATCH /api/v1/me/settings {"mode":"flow"}',
  );
  expect(own(call('clients.set', { name: 'alice', daily_limit: '… GTQ' }))).toBe(
    'PATCH /api/v1/me/settings {"daily_limits":["… GTQ"]}',
  );
});
