import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adminRoutes } from '../../src/web/api/admin-routes.ts';
import { pairMachine } from '../support/lamassu.ts';
import { ledgerKinds } from '../support/ledgers.ts';
import { until } from '../support/ssh.ts';
import { startWorld, type World } from '../support/world.ts';

/** A port that was free just now. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

interface Served {
  admin: string;
  client: string;
  process: ReturnType<World['start']>;
}

async function serve(world: World): Promise<Served> {
  const [admin, client] = [await freePort(), await freePort()];
  const { readFile, writeFile } = await import('node:fs/promises');
  const before = (await readFile(world.configFile, 'utf8')).replace(/\n\[web\.[\s\S]*/, '');
  const site = (name: string, port: number) =>
    `\n[web.${name}]\nlisten = "127.0.0.1:${port}"\npublic_url = "http://localhost:${port}"`;
  await writeFile(world.configFile, `${before}${site('admin', admin)}${site('client', client)}\n`);
  const process = world.start(['serve']);
  const answers = () =>
    fetch(`http://127.0.0.1:${admin}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(answers, 'the site answers');
  return { admin: `http://localhost:${admin}`, client: `http://localhost:${client}`, process };
}

async function stop({ process }: Served) {
  process.child.kill('SIGTERM');
  return process.ended;
}

describe.each(ledgerKinds)('the sites on %s', (ledger) => {
  let world: World;
  let served: Served;
  let cashOut: string;

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
    await world.insertCashOut({ error: 'dispense failed', dispense: false });
    expect((await world.aioDca(['poll'])).code).toBe(2);
    served = await serve(world);
  }, 120_000);

  afterAll(async () => {
    await stop(served);
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
    const cookie = await signIn(served.admin, link);
    const month = new Date().toISOString().slice(0, 7);
    const pairs: [path: string, args: string[]][] = [
      ['/status', ['status']],
      ['/clients', ['clients', 'list']],
      ['/clients/{name}', ['clients', 'show', 'alice']],
      ['/clients/{name}/statement', ['clients', 'statement', 'alice', '--month', month]],
      ['/purchases', ['purchases', 'list', '--client', 'alice']],
      ['/purchases/{id}', ['purchases', 'show', cashOut, '--client', 'alice']],
      ['/fundings', ['fundings', 'list']],
      ['/fundings/{id}', ['fundings', 'show', 'f1']],
      ['/machines', ['machines', 'list']],
      ['/machines/{machine}', ['machines', 'show', 'Antigua']],
      ['/commission', ['commission', 'list']],
      ['/cash-outs', ['cash-outs', 'list']],
      ['/cash-outs/{id}', ['cash-outs', 'show', cashOut]],
      ['/payouts', ['payouts', 'list']],
      ['/payouts/{id}', ['payouts', 'show', 'p1']],
      ['/review', ['review', 'list']],
      ['/credits', ['credits', 'list']],
      ['/plan', ['poll', '--dry-run']],
      ['/verify', ['verify']],
      ['/reconcile', ['reconcile']],
      ['/exports/{kind}', ['export', 'allocations', '--format', 'json']],
      ['/log', ['log']],
      ['/clock', ['clock', 'show']],
      ['/config', ['config']],
      ['/metrics', ['metrics']],
      ['/people', ['people', 'list']],
      ['/tokens', ['tokens', 'list']],
    ];
    const inputs: Record<string, string> = {
      '/clients/{name}': '/clients/alice',
      '/clients/{name}/statement': `/clients/alice/statement?month=${month}`,
      '/purchases': '/purchases?client=alice',
      '/purchases/{id}': `/purchases/${cashOut}?client=alice`,
      '/fundings/{id}': '/fundings/f1',
      '/machines/{machine}': '/machines/Antigua',
      '/cash-outs/{id}': `/cash-outs/${cashOut}`,
      '/payouts/{id}': '/payouts/p1',
      '/exports/{kind}': '/exports/allocations?format=json',
      '/log': '/log?limit=200',
    };
    // Without a command of its own, or looked at elsewhere.
    const others = [
      ...['/runs', '/events', '/plan/first', '/commission/{name}', '/credits/{id}', '/review/{id}'],
      ...['/account/sessions', '/account/credentials'],
    ];
    const readings = adminRoutes.filter(({ method }) => method === 'GET').map(({ path }) => path);
    expect(new Set([...pairs.map(([path]) => path), ...others])).toEqual(new Set(readings));
    for (const [path, args] of pairs) {
      const ran = await world.aioDca([...args, '--json']);
      const byOwner = path === '/people' || path === '/tokens';
      const headers: Record<string, string> = byOwner ? { cookie } : { authorization: `Bearer ${token}` };
      const answer = await fetch(`${served.admin}/api/v1${inputs[path] ?? path}`, { headers });
      const text = await answer.text();
      expect([path, answer.status, answer.status === 200 ? '' : text]).toEqual([path, 200, '']);
      // These have nothing but moments and ages.
      if (path === '/clock' || path === '/metrics') {
        const { metrics = null, ...rest } = JSON.parse(text) as { metrics?: { name: string }[] | null };
        const named = (of: unknown) => (of as { name: string }[]).map(({ name }) => name);
        if (metrics) expect(named(metrics)).toEqual(named(ran.json()));
        else expect(Object.keys(rest)).toEqual(Object.keys(ran.json()));
        continue;
      }
      expect([path, plain(JSON.parse(text))]).toEqual([path, plain(ran.json())]);
    }
  }, 120_000);

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
    const cookie = await signIn(served.client, link);
    const me = await fetch(`${served.client}/api/v1/me`, { headers: { cookie } });
    expect(((await me.json()) as { name: string }).name).toBe('alice');
    await expect(signIn(served.client, link)).rejects.toThrow('410');
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
    const begun = performance.now();
    const ran = await stop(served);
    expect(ran).toMatchObject({ code: 0, stdout: '' });
    // Ten seconds are the patience for what is under way.
    expect(performance.now() - begun).toBeLessThan(15_000);
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
    await stop(served);
  } finally {
    await world.stop();
  }
}, 60_000);

/** Comes in by a link, and answers the cookie. */
async function signIn(site: string, link: string): Promise<string> {
  const answer = await fetch(`${site}/sign-in/link`, {
    method: 'POST',
    headers: { origin: site, 'content-type': 'application/json' },
    body: JSON.stringify({ secret: link.split('#')[1] }),
  });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

/** What changes from one look to the next; a run that writes nothing has no number of its own. */
const MOMENTS = [
  'at',
  'now',
  'host_now',
  'age_seconds',
  'as_of',
  'started_at',
  'finished_at',
  'last_seen_at',
  'used_at',
  'sessions',
];

/** A document without moments, and without the words of a door for an operation. */
function plain(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(plain);
  if (typeof json === 'string')
    return json.replaceAll(/`[^`]*`|(aio-dca|GET \/api|POST \/api|PATCH \/api) ?[^\n]*/g, '…');
  if (typeof json !== 'object' || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).flatMap(([key, value]) => (MOMENTS.includes(key) ? [] : [[key, plain(value)]])),
  );
}
