import { Secret as Shared, TOTP } from 'otpauth';
import { expect, test } from 'vitest';
import type { Ledger } from '../../../src/ledger/store/open.ts';
import { plus, toMs } from '../../../src/time.ts';
import { authenticator } from '../../support/authenticator.ts';
import { books } from '../../support/books.ts';
import { testClock } from '../../support/clock.ts';
import { freshLedger } from '../../support/ledgers.ts';
import {
  ADMIN,
  type Answer,
  CLIENT,
  clientSession,
  personSession,
  type TestSite,
  testSite,
} from '../../support/site.ts';

/* Signing in and out by forms and by the scripts of the pages. */

const START = '2026-11-30T12:00:00.000000Z';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const PASSWORD = 'several words that are long';

async function setUp(name: 'admin' | 'client') {
  const opened = await freshLedger('sqlite');
  await (await books(opened)).client('alice', { mode: 'flow' }, plus(START, -86_400_000));
  const clock = testClock(START);
  const ledger: Ledger = { ...opened, clock };
  return { ledger, clock, site: testSite(ledger, name) };
}

const post = (site: TestSite, path: string, body: object | string, more: object = {}) =>
  site.ask(path, { method: 'POST', body, ...more });

/** The session that an answer sets. */
const cookieOf = ({ headers }: Answer) => headers.get('set-cookie') ?? '';
const secretOf = (answer: Answer) => /=([\w-]{43});/.exec(cookieOf(answer))?.[1] ?? '';

/** Adds a passkey to a session, and answers it. */
async function withPasskey(site: TestSite, origin: string, session: string) {
  const passkey = authenticator();
  const { json } = await post(site, '/passkeys/options', {}, { session });
  const response = passkey.create(json.options, origin);
  const added = await post(
    site,
    '/passkeys',
    { ceremony: json.ceremony, response, label: 'phone' },
    { session },
  );
  expect(added).toMatchObject({ status: 201, json: [{ kind: 'passkey', label: 'phone' }] });
  return passkey;
}

test.each([
  ['admin', ADMIN],
  ['client', CLIENT],
] as const)(
  'a passkey of the %s site signs in, once for each challenge, and to no other origin',
  async (name, origin) => {
    const { ledger, site, clock } = await setUp(name);
    const session = await (name === 'admin'
      ? personSession(ledger, 'owner')
      : clientSession(ledger, 'alice'));
    const passkey = await withPasskey(site, origin, session);
    const begin = async () => (await post(site, '/sign-in/passkey-options', {})).json;
    const signIn = (ceremony: string, response: object) =>
      post(site, '/sign-in/passkey', { ceremony, response });

    const first = await begin();
    const response = passkey.get(first.options, origin);
    const entered = await signIn(first.ceremony, response);
    expect(entered).toMatchObject({ status: 200, json: { name: name === 'admin' ? 'owner' : 'alice' } });
    expect(entered.text).not.toContain(secretOf(entered));
    expect(cookieOf(entered)).toMatch(
      name === 'admin'
        ? /^aio-dca-admin=[\w-]{43}; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/
        : /^__Host-aio-dca-client=[\w-]{43}; Max-Age=15552000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
    expect(secretOf(entered)).not.toBe(session);
    expect((await site.ask('/', { session: secretOf(entered) })).status).toBe(200);

    const refused = async (answer: Promise<Answer>) =>
      expect((await answer).json.code).toBe('access/refused');
    // The same answer again; one to another challenge; a challenge that nobody gave out.
    await refused(signIn(first.ceremony, response));
    await refused(signIn((await begin()).ceremony, response));
    await refused(signIn('made up', passkey.get(first.options, origin)));
    const elsewhere = await begin();
    await refused(signIn(elsewhere.ceremony, passkey.get(elsewhere.options, 'https://evil.example')));
    clock.pass(60_000);
    const strange = await begin();
    await refused(signIn(strange.ceremony, authenticator().get(strange.options, origin)));
    // A copy of the passkey, which counts on its own.
    clock.pass(60_000);
    const copied = await begin();
    passkey.counter = 0;
    await refused(signIn(copied.ceremony, passkey.get(copied.options, origin)));
    clock.pass(60_000);
    const late = await begin();
    passkey.counter = 7;
    const answer = passkey.get(late.options, origin);
    clock.pass(300_001);
    await refused(signIn(late.ceremony, answer));
  },
);

test('a passkey that was removed, or whose holder was shut out, opens nothing', async () => {
  const { ledger, site } = await setUp('admin');
  const session = await personSession(ledger, 'owner');
  const passkey = await withPasskey(site, ADMIN, session);
  const signIn = async () => {
    const { ceremony, options } = (await post(site, '/sign-in/passkey-options', {})).json;
    return (await post(site, '/sign-in/passkey', { ceremony, response: passkey.get(options, ADMIN) })).status;
  };
  expect(await signIn()).toBe(200);
  await ledger.db.updateTable('people').set({ disabled_at: START }).execute();
  expect(await signIn()).toBe(401);
  await ledger.db.updateTable('people').set({ disabled_at: null }).execute();
  const [{ id }] = (await site.ask('/api/v1/account/credentials', { session })).json;
  const removal = { session, headers: { 'idempotency-key': 'k' } };
  expect((await post(site, `/api/v1/account/credentials/${id}/remove`, {}, removal)).json).toEqual([]);
  expect(await signIn()).toBe(401);
});

async function withPassword(clock: ReturnType<typeof testClock>, site: TestSite, session: string) {
  const { secret } = (await post(site, '/api/v1/account/credentials/totp-secret', {}, { session })).json;
  const code = () =>
    new TOTP({ secret: Shared.fromBase32(secret) }).generate({ timestamp: toMs(clock.now()) });
  const set = { password: PASSWORD, totp_secret: secret, code: code() };
  expect((await post(site, '/api/v1/account/credentials/password', set, { session })).status).toBe(201);
  clock.pass(30_000);
  return code;
}

test('a form signs in and leads on, to this site only; signing out ends the session', async () => {
  const { ledger, clock, site } = await setUp('admin');
  const code = await withPassword(clock, site, await personSession(ledger, 'owner', 'dora'));
  const form = (next: string) =>
    new URLSearchParams({ name: 'dora', password: PASSWORD, code: code(), next }).toString();
  for (const [next, location] of [
    ['/clients?open=1', '/clients?open=1'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['javascript:alert(1)', '/'],
    ['', '/'],
  ] as const) {
    const entered = await post(site, '/sign-in/password', form(next), { headers: FORM });
    expect([next, entered.status, entered.headers.get('location')]).toEqual([next, 303, location]);
    const session = secretOf(entered);
    expect((await site.ask('/', { session })).status).toBe(200);
    const out = await post(site, '/sign-out', '', { session, headers: FORM });
    expect([out.status, out.headers.get('location')]).toEqual([303, '/sign-in']);
    expect(cookieOf(out)).toMatch(/^aio-dca-admin=; Max-Age=0; /);
    expect((await site.ask('/api/v1/status', { session })).status).toBe(401);
    clock.pass(30_000);
  }
});

test('guessing gets slower and tells nothing, others are not held up, and nobody is locked out', async () => {
  const { ledger, clock, site } = await setUp('admin');
  const code = await withPassword(clock, site, await personSession(ledger, 'owner', 'dora'));
  const guess = (name: string, password: string, address: string) =>
    post(site, '/sign-in/password', { name, password, code: '000000' }, { address });
  const said = new Set<string>();
  let waits = 0;
  for (let n = 0; n < 12; n += 1) {
    const answer = await guess(n % 2 ? 'dora' : `nobody ${n}`, PASSWORD, '192.0.2.7');
    if (answer.status === 429) {
      waits += 1;
      clock.pass(Number(answer.headers.get('retry-after')) * 1000);
    } else said.add(answer.text);
    clock.pass(100);
  }
  expect([said.size, waits >= 4]).toEqual([1, true]);
  const entered = await post(
    site,
    '/sign-in/password',
    { name: 'dora', password: PASSWORD, code: code() },
    { address: '192.0.2.8' },
  );
  expect(entered.status).toBe(200);
  // Many addresses together are slowed down by the account, and its owner waits two seconds.
  let refused = 0;
  for (let n = 0; n < 30; n += 1) {
    const { status } = await guess('dora', 'x', `198.51.100.${n}`);
    if (status === 429) refused += 1;
  }
  expect(refused).toBeGreaterThan(5);
  clock.pass(30_000);
  const again = { name: 'dora', password: PASSWORD, code: code() };
  expect((await post(site, '/sign-in/password', again)).status).toBe(200);
}, 60_000);

test('what moves money asks for a proof after five minutes, and goes on with it', async () => {
  const { ledger, clock, site } = await setUp('admin');
  const session = await personSession(ledger, 'owner', 'dora');
  const passkey = await withPasskey(site, ADMIN, session);
  const code = await withPassword(clock, site, session);
  const add = (name: string) => post(site, '/api/v1/tokens', { name, scopes: 'read' }, { session });
  expect((await add('a')).status).toBe(201);
  clock.pass(360_000);
  expect((await add('b')).json).toMatchObject({ status: 403, code: 'access/prove' });
  // The brake never asks.
  const brake = { session, headers: { 'idempotency-key': 'k' } };
  expect((await post(site, '/api/v1/payouts/pause', { reason: 'odd' }, brake)).status).toBe(200);
  const proof = await post(site, '/prove/password', { password: PASSWORD, code: code() }, { session });
  expect(proof.json).toEqual({ proven: true });
  expect((await add('b')).status).toBe(201);
  clock.pass(360_000);
  expect((await add('c')).status).toBe(403);
  const { ceremony, options } = (await post(site, '/sign-in/passkey-options', {}, { session })).json;
  const response = passkey.get(options, ADMIN);
  expect((await post(site, '/prove/passkey', { ceremony, response }, { session })).status).toBe(200);
  expect((await add('c')).status).toBe(201);
  // Somebody else's passkey proves nothing.
  clock.pass(360_000);
  const emil = await personSession(ledger, 'owner', 'emil');
  const others = await withPasskey(site, ADMIN, emil);
  const next = (await post(site, '/sign-in/passkey-options', {}, { session })).json;
  const strange = { ceremony: next.ceremony, response: others.get(next.options, ADMIN) };
  expect((await post(site, '/prove/passkey', strange, { session })).json.code).toBe('access/refused');
  expect((await add('d')).status).toBe(403);
  // Neither does a guest prove anything.
  expect((await post(site, '/prove/password', { password: PASSWORD, code: code() })).status).toBe(403);
});

test('a page needs a sign-in and comes back to where one was', async () => {
  const { site } = await setUp('admin');
  const { status, headers } = await site.ask('/prove?next=/x');
  expect([status, headers.get('location')]).toEqual([303, '/sign-in?next=%2Fprove%3Fnext%3D%2Fx']);
  const page = await site.ask('/sign-in?next=%2F%22%3E%3Cscript%3E', { headers: { accept: 'text/html' } });
  expect(page.text).not.toContain('"><script>');
  const refused = await site.ask('/nothing', { headers: { accept: 'text/html' } });
  expect([refused.status, refused.headers.get('content-type')]).toEqual([404, 'text/html; charset=UTF-8']);
});

test('the client site has no password, and no proof', async () => {
  const { ledger, site } = await setUp('client');
  const session = await clientSession(ledger, 'alice');
  for (const path of ['/sign-in/password', '/prove/password', '/prove/passkey', '/prove'])
    expect([path, (await post(site, path, {}, { session })).status]).toEqual([path, 404]);
});
