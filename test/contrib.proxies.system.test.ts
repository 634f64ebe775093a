import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Agent, fetch, type Response } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Command } from './support/command.ts';
import { freePort } from './support/free-port.ts';
import { pairMachine } from './support/lamassu.ts';
import { until } from './support/ssh.ts';
import { startWorld, type World } from './support/world.ts';

/*
 * The samples of contrib/ for Caddy and nginx, with the real proxies: as they stand there, except for ports and
 * certificates. The names lead to this host.
 */

const CONTRIB = fileURLToPath(new URL('../contrib/', import.meta.url));
const CLIENT = 'dca.example.org';
const ADMIN = 'admin.dca.example.org';
/** The address that visitors come from; the proxy and the sites are at 127.0.0.1. */
const VISITOR = '127.0.0.9';

interface Ports {
  https: number;
  http: number;
  client: number;
  admin: number;
}

interface Proxy {
  name: string;
  command: string;
  /** Its arguments, with a configuration made in `folder` out of the sample. */
  configured(folder: string, ports: Ports): string[];
}

const PROXIES: Proxy[] = [
  {
    name: 'Caddy',
    command: 'caddy',
    configured: (folder, ports) => {
      const global = `{\n\tadmin off\n\tauto_https off\n\tstorage file_system ${folder}\n\tdefault_bind 127.0.0.1\n}\n`;
      const sample = withPorts(readFileSync(join(CONTRIB, 'caddy/Caddyfile'), 'utf8'), ports).replaceAll(
        /^((?:admin\.)?dca\.example\.org) \{$/gm,
        `https://$1:${ports.https} {\n\ttls ${folder}/site.crt ${folder}/site.key`,
      );
      writeFileSync(join(folder, 'Caddyfile'), global + sample);
      return ['run', '--adapter', 'caddyfile', '--config', join(folder, 'Caddyfile')];
    },
  },
  {
    name: 'nginx',
    // It is in no PATH of users.
    command: '/usr/sbin/nginx',
    configured: (folder, ports) => {
      const sample = withPorts(readFileSync(join(CONTRIB, 'nginx/aio-dca.conf'), 'utf8'), ports)
        .replaceAll(/^ +listen \[::\].*\n/gm, '')
        .replaceAll('listen 443', `listen 127.0.0.1:${ports.https}`)
        .replaceAll('listen 80', `listen 127.0.0.1:${ports.http}`)
        .replaceAll(/\/etc\/letsencrypt\/.*\/fullchain\.pem/g, `${folder}/site.crt`)
        .replaceAll(/\/etc\/letsencrypt\/.*\/privkey\.pem/g, `${folder}/site.key`);
      writeFileSync(join(folder, 'aio-dca.conf'), sample);
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
      const main = `daemon off; master_process off; pid ${folder}/pid; error_log stderr; events {}
http { access_log off; ${temporary.map((one) => `${one}_temp_path ${folder};`).join(' ')} include ${folder}/aio-dca.conf; }\n`;
      writeFileSync(join(folder, 'nginx.conf'), main);
      return ['-c', join(folder, 'nginx.conf'), '-e', 'stderr'];
    },
  },
];

function withPorts(sample: string, { client, admin }: Ports): string {
  return sample
    .replaceAll('127.0.0.1:8091', `127.0.0.1:${client}`)
    .replaceAll('127.0.0.1:8092', `127.0.0.1:${admin}`);
}

/** In CI its absence is an error, not a reason to skip. */
function isThere(command: string): boolean {
  if (spawnSync(command, ['-v']).error === undefined) return true;
  if (process.env.CI) throw new Error(`${command} is needed in CI`);
  return false;
}

for (const { name: proxyName, command, configured } of PROXIES)
  describe.skipIf(!isThere(command))(`the sites behind ${proxyName}`, () => {
    const started = new AsyncDisposableStack();
    let world: World;
    let server: Command;
    let ports: Ports;
    let visitor: Agent;
    let token: string;

    const at = (name: string, path: string) => `https://${name}:${ports.https}${path}`;
    const ask = (url: string, { headers = {}, ...more }: Parameters<typeof fetch>[1] & object = {}) =>
      fetch(url, { dispatcher: visitor, redirect: 'manual', ...more, headers });

    beforeAll(async () => {
      ports = {
        https: await freePort(),
        http: await freePort(),
        client: await freePort(),
        admin: await freePort(),
      };
      world = await startWorld({ tunnel: 'direct' });
      started.defer(() => world.stop());
      const folder = mkdtempSync(join(tmpdir(), 'aio-dca-proxy-'));
      started.defer(() => rmSync(folder, { recursive: true }));
      mkdirSync(join(folder, 'home'));
      const subject = ['-subj', '/CN=aio-dca', '-addext', `subjectAltName=DNS:${CLIENT},DNS:${ADMIN}`];
      execFileSync(
        'openssl',
        ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...subject].concat(
          ...['-keyout', 'site.key', '-out', 'site.crt', '-days', '30'],
        ),
        { cwd: folder, stdio: 'pipe' },
      );
      const site = (name: 'client' | 'admin', host: string) =>
        `\n[web.${name}]\nlisten = "127.0.0.1:${ports[name]}"\npublic_url = "https://${host}:${ports.https}"\n`;
      appendFileSync(
        world.configFile,
        `${site('client', CLIENT)}${site('admin', ADMIN)}\n[web]\ntrusted_proxies = ["127.0.0.1"]\n`,
      );
      await pairMachine(world.lamassu, 'Antigua');
      await world.must(['migrate']);
      await world.addClient('alice');
      token = (await world.must(['tokens', 'add', 'watcher', '--scopes', 'read', '--json'])).json<{
        token: string;
      }>().token;
      server = world.start(['serve']);
      started.defer(async () => {
        server.child.kill('SIGTERM');
        await server.ended;
      });
      const proxy = spawn(command, configured(folder, ports), {
        env: { ...process.env, HOME: join(folder, 'home') },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const said = text(proxy.stderr);
      const gone = once(proxy, 'exit');
      started.defer(async () => {
        proxy.kill('SIGTERM');
        await gone;
      });
      visitor = new Agent({
        connect: {
          ca: readFileSync(join(folder, 'site.crt')),
          lookup: (_name, _options, found) => found(null, '127.0.0.1', 4),
        },
        localAddress: VISITOR,
      });
      started.defer(() => visitor.destroy());
      const isUp = () =>
        ask(at(ADMIN, '/healthz')).then(
          ({ status }) => status === 200,
          () => false,
        );
      const ended = gone.then(async () => {
        throw new Error(`${command} ended:\n${await said}`);
      });
      ended.catch(() => undefined);
      await Promise.race([until(isUp, 'the proxy answers'), ended]);
    });
    afterAll(() => started.disposeAsync());

    const signIn = async (link: string, headers: Record<string, string> = {}): Promise<Response> => {
      const { origin, hash } = new URL(link);
      return ask(`${origin}/sign-in/link`, {
        method: 'POST',
        headers: { origin, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ secret: hash.slice(1) }),
      });
    };

    test('a client comes in by the link, with a cookie for https alone', async () => {
      const { link } = (await world.must(['clients', 'invite', 'alice', '--json'])).json<{ link: string }>();
      expect(link).toMatch(at(CLIENT, '/welcome#'));
      const entered = await signIn(link, { 'x-forwarded-for': '192.0.2.66' });
      expect(entered.status).toBe(200);
      const cookie = entered.headers.get('set-cookie') ?? '';
      expect(cookie).toMatch(/^__Host-aio-dca-client=.*; Secure/);
      const home = await ask(at(CLIENT, '/'), {
        headers: { accept: 'text/html', cookie: cookie.split(';')[0] ?? '' },
      });
      expect([home.status, await home.text()]).toEqual([200, expect.stringContaining('<h1>alice</h1>')]);
      expect(home.headers.get('strict-transport-security')).toBe('max-age=63072000');
      expect(home.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(home.headers.get('cache-control')).toBe('no-store');
    });

    test('a page of another site changes nothing, and a body has 64 KB at most', async () => {
      const { link } = (await world.must(['clients', 'invite', 'alice', '--json'])).json<{ link: string }>();
      const foreign = await signIn(link, { origin: 'https://evil.example.org' });
      expect(foreign.status).toBe(403);
      const { origin } = new URL(link);
      const large = await ask(`${origin}/sign-in/link`, {
        method: 'POST',
        headers: { origin, 'content-type': 'application/json' },
        body: JSON.stringify({ secret: 'x'.repeat(70_000) }),
      });
      expect(large.status).toBe(413);
    });

    test('a change is told to an open page as it happens', async () => {
      const leave = new AbortController();
      const events = await ask(at(ADMIN, '/api/v1/events'), {
        headers: { authorization: `Bearer ${token}` },
        signal: leave.signal,
      });
      expect(events.headers.get('content-type')).toBe('text/event-stream');
      const reader = (events.body as ReadableStream<Uint8Array>).getReader();
      const next = async () => new TextDecoder().decode((await reader.read()).value);
      expect(await next()).toMatch(/^event: here\n/);
      await world.must(['clients', 'pause', 'alice']);
      expect(await next()).toMatch(/^event: changed/m);
      leave.abort();
    });

    test('the log has the address of the visitor, whatever the visitor says', async () => {
      const entered = await signIn(at(CLIENT, '/welcome#none'), { 'x-forwarded-for': '192.0.2.66' });
      expect(entered.status).toBe(410);
      server.child.kill('SIGTERM');
      const { stderr } = await server.ended;
      const addresses = new Set(
        [...stderr.matchAll(/"?address"?[:=] ?"?([\d.]+)/g)].map(([, address]) => address),
      );
      expect(addresses).toEqual(new Set([VISITOR]));
    });

    if (proxyName === 'nginx')
      test('http leads to https', async () => {
        const plain = await ask(`http://${CLIENT}:${ports.http}/purchases`);
        expect([plain.status, plain.headers.get('location')]).toEqual([301, `https://${CLIENT}/purchases`]);
      });
  });
