import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localMonth } from '../../src/typed/months.ts';
import { adminRoutes } from '../../src/web/api/admin-routes.ts';
import { now } from '../support/clock.ts';
import { pairMachine } from '../support/lamassu.ts';
import { ledgerKinds } from '../support/ledgers.ts';
import { type Served, serve, signInByLink, stopServed } from '../support/served.ts';
import { startWorld, type World } from '../support/world.ts';

describe.each(ledgerKinds)('the sites on %s', (ledger) => {
  let world: World;
  let served: Served;
  let cashOut: string;
  let failed: string;

  beforeAll(async () => {
    world = await startWorld({ tunnel: 'direct', ledger });
    await pairMachine(world.lamassu, 'Antigua');
    await world.must(['migrate']);
    await world.addClient('alice');
    await world.addClient('bob', ['--mode', 'fixed', '--daily-limit', '500 GTQ']);
    await world.addCommission('house');
    await world.addFunding('alice', '5000 GTQ');
    await world.addFunding('bob', '3000 GTQ');
    cashOut = await world.insertCashOut();
    failed = await world.insertCashOut({ error: 'dispense failed', dispense: false });
    expect((await world.aioDca(['poll'])).code).toBe(2);
    served = await serve(world);
  }, 120_000);

  afterAll(async () => {
    await stopServed(served);
    expect((await world.aioDca(['verify', '--json'])).json()).toMatchObject({ ok: true, differences: [] });
    await world.stop();
  });

  const tokenOf = async (name: string, scopes: string) =>
    (await world.must(['tokens', 'add', name, '--scopes', scopes, '--json'])).json<{ token: string }>().token;

  test('the API answers what --json prints, for every reading', async () => {
    const token = await tokenOf('reader', 'read');
    const { link } = (await world.must(['people', 'add', 'dora', '--role', 'owner', '--json'])).json<{
      link: string;
    }>();
    const cookie = await signInByLink(served.admin, link);
    const month = localMonth(now(), 'America/Guatemala');
    /** By route: the request where its path has more than names, and the command. */
    const pairs: [path: string, asked: string, args: string[]][] = [
      ['/status', '', ['status']],
      ['/clients', '', ['clients', 'list']],
      ['/clients/{name}', '/clients/alice', ['clients', 'show', 'alice']],
      [
        '/clients/{name}/statement',
        `/clients/alice/statement?month=${month}`,
        ['clients', 'statement', 'alice', '--month', month],
      ],
      ['/purchases', '/purchases?client=alice', ['purchases', 'list', '--client', 'alice']],
      [
        '/purchases/{id}',
        `/purchases/${cashOut}?client=alice`,
        ['purchases', 'show', cashOut, '--client', 'alice'],
      ],
      ['/fundings', '', ['fundings', 'list']],
      ['/fundings/{id}', '/fundings/f1', ['fundings', 'show', 'f1']],
      ['/machines', '', ['machines', 'list']],
      ['/machines/{machine}', '/machines/Antigua', ['machines', 'show', 'Antigua']],
      ['/commission', '', ['commission', 'list']],
      ['/cash-outs', '', ['cash-outs', 'list']],
      ['/cash-outs/{id}', `/cash-outs/${cashOut}`, ['cash-outs', 'show', cashOut]],
      ['/payouts', '', ['payouts', 'list']],
      ['/payouts/{id}', '/payouts/p1', ['payouts', 'show', 'p1']],
      ['/review', '', ['review', 'list']],
      ['/review/{id}', `/review/${failed}`, ['review', 'show', failed]],
      ['/credits', '', ['credits', 'list']],
      ['/plan', '', ['poll', '--dry-run']],
      ['/verify', '', ['verify']],
      ['/reconcile', '', ['reconcile']],
      ['/exports/{kind}', '/exports/allocations?format=json', ['export', 'allocations', '--format', 'json']],
      ['/log', '/log?limit=200', ['log']],
      ['/clock', '', ['clock', 'show']],
      ['/config', '', ['config']],
      ['/metrics', '', ['metrics']],
      ['/people', '', ['people', 'list']],
      ['/tokens', '', ['tokens', 'list']],
    ];
    const readings = adminRoutes.filter(({ method }) => method === 'GET').map(({ path }) => path);
    expect(new Set([...pairs.map(([path]) => path), ...Object.keys(OTHERS)])).toEqual(new Set(readings));
    // The list of the tokens shows when each was used.
    const first = await fetch(`${served.admin}/api/v1/status`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(first.status).toBe(200);
    const printed = await world.inOneProcess(pairs.map(([, , args]) => [...args, '--json']));
    for (const [index, [path, asked]] of pairs.entries()) {
      const byOwner = path === '/people' || path === '/tokens';
      const headers: Record<string, string> = byOwner ? { cookie } : { authorization: `Bearer ${token}` };
      const answer = await fetch(`${served.admin}/api/v1${asked || path}`, { headers });
      const text = await answer.text();
      expect([path, answer.status, answer.status === 200 ? '' : text]).toEqual([path, 200, '']);
      const json: unknown = JSON.parse(text);
      // The API answers the text for Prometheus besides.
      const same = path === '/metrics' ? (json as { metrics: unknown }).metrics : json;
      expect.soft([path, plain(path, same)]).toEqual([path, plain(path, printed[index]?.json())]);
    }
  });

  test('what a token changes is done once, and in the log with its name', async () => {
    const token = await tokenOf('till', 'fundings:write');
    const post = (body: object, key: string) =>
      fetch(`${served.admin}/api/v1/fundings`, {
        method: 'POST',
        headers: {
          ...{ authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key },
        },
        body: JSON.stringify(body),
      });
    const body = { client: 'alice', amount: '700.50 GTQ', any_machine: true };
    const answers = await Promise.all([post(body, 'k'), post(body, 'k'), post(body, 'k')]);
    const ids = await Promise.all(answers.map(async (one) => ((await one.json()) as { id: string }).id));
    expect([answers.map(({ status }) => status), new Set(ids).size]).toEqual([[201, 201, 201], 1]);
    const { stdout } = await world.must(['log', '--actor', 'token:till']);
    expect(stdout).toMatch(/ token:till: funding add f\d+/);
    const status = await fetch(`${served.admin}/api/v1/status`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(status.status).toBe(403);
  });

  test('a client comes in by a link once, and nobody else by it', async () => {
    const { link } = (await world.must(['clients', 'invite', 'alice', '--json'])).json<{ link: string }>();
    const cookie = await signInByLink(served.client, link);
    const me = await fetch(`${served.client}/api/v1/me`, { headers: { cookie } });
    expect(((await me.json()) as { name: string }).name).toBe('alice');
    await expect(signInByLink(served.client, link)).rejects.toThrow('410');
    // The admin site does not take it, although both are localhost.
    const other = cookie.replace('-client', '-admin');
    expect((await fetch(`${served.admin}/api/v1/status`, { headers: { cookie: other } })).status).toBe(401);
  });

  test('SSE tells of a change', async () => {
    const token = await tokenOf('watcher', 'read');
    const leave = new AbortController();
    const answer = await fetch(`${served.admin}/api/v1/events`, {
      headers: { authorization: `Bearer ${token}` },
      signal: leave.signal,
    });
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await next()).toMatch(/^event: here\n[\s\S]*^id: [0-9a-f]{16}$/m);
    await world.must(['clients', 'pause', 'bob']);
    expect(await next()).toMatch(/^event: changed/m);
    leave.abort();
    await world.must(['clients', 'resume', 'bob']);
  });

  test('a connection that sends nothing holds up nobody, and a stop waits for no idle one', async () => {
    const { port } = new URL(served.admin);
    const idle = Array.from({ length: 100 }, () => connect(Number(port), '127.0.0.1'));
    await Promise.all(idle.map((socket) => once(socket, 'connect')));
    for (const socket of idle) socket.on('error', () => {}).write('GET / HTTP/1.1\r\nHost: loc');
    expect((await fetch(`${served.admin}/healthz`)).status).toBe(200);
    expect(await stopServed(served)).toMatchObject({ code: 0, stdout: '' });
    for (const socket of idle) socket.destroy();
    served = await serve(world);
  }, 60_000);
});

test('it needs neither the key of the source wallet nor Lamassu; without a site it says so', async () => {
  const world = await startWorld({ tunnel: 'direct' });
  try {
    await world.must(['migrate']);
    const none = await world.aioDca(['serve']);
    expect([none.code, none.stderr]).toEqual([
      78,
      expect.stringContaining('neither [web.client] nor [web.admin]'),
    ]);
    const invite = await world.aioDca(['people', 'add', 'dora', '--role', 'owner']);
    expect([invite.code, invite.stderr]).toEqual([78, expect.stringContaining('no [web.admin]')]);
    await rm(`${world.folder}/source.adminkey`, { force: true });
    const served = await serve(world);
    const token = (await world.must(['tokens', 'add', 't', '--scopes', 'read,runs:write', '--json'])).json<{
      token: string;
    }>().token;
    const headers = { authorization: `Bearer ${token}` };
    const status = await fetch(`${served.admin}/api/v1/status`, { headers });
    expect([status.status, await status.json()]).toMatchObject([200, { source_wallet: null }]);
    const second = await world.aioDca(['serve']);
    expect([second.code, second.stderr]).toEqual([78, expect.stringContaining('EADDRINUSE')]);
    await stopServed(served);
  } finally {
    await world.stop();
  }
}, 60_000);

/** The readings that are not compared, and why. */
const OTHERS: Record<string, string> = {
  '/runs': 'no command lists the runs',
  '/events': 'a stream; its test is below',
  '/plan/first': 'a question of init before the first run, and there was one',
  '/clients/{name}/replay': 'what other settings would have bought: no command asks that',
  '/purchase-sums': 'no command adds up purchases: a statement does',
  '/commission/{name}': 'one of the list, which is compared',
  '/credits/{id}': 'nothing was credited here: there is no superuser',
  '/account/sessions': 'those of whoever asks, and the shell has none',
  '/account/credentials': 'those of whoever asks, and the shell has none',
};

/** What changes from one look to the next, by route. */
const MOMENTS: Record<string, string[]> = {
  '/status': ['at'],
  '/clients/{name}/statement': ['as_of'],
  '/review': ['age_seconds'],
  '/review/{id}': ['age_seconds'],
  '/plan': ['started_at', 'finished_at'],
  '/clock': ['host', 'ledger'],
  '/tokens': ['used_at'],
};

/** A document in which moments are only there or not, and without the words of a door for an operation. */
function plain(path: string, json: unknown): unknown {
  if (Array.isArray(json)) return json.map((one) => plain(path, one));
  if (typeof json === 'string')
    return json.replaceAll(/`[^`]*`|(aio-dca|GET \/api|POST \/api|PATCH \/api) ?[^\n]*/g, '…');
  if (typeof json !== 'object' || json === null) return json;
  const isAge = 'name' in json && /^aio_dca_.*_seconds$/.test(`${json.name}`);
  const moments = isAge ? ['values'] : (MOMENTS[path] ?? []);
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [
      key,
      moments.includes(key) && (isAge || typeof value === 'string' || typeof value === 'number')
        ? '…'
        : plain(path, value),
    ]),
  );
}
