import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { isNetwork, readOrigin } from '../../src/config/web.ts';

/** The configuration with these lines at its end, or its mistakes. */
async function web(lines: string) {
  const folder = await mkdtemp(join(tmpdir(), 'aio-dca-web-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'config.toml');
  await writeFile(file, `${readFileSync('config.example.toml', 'utf8')}\n${lines}`);
  return loadConfig(file, {}).web;
}

test('without tables there are no sites', async () => {
  expect(await web('')).toMatchObject({ client: undefined, admin: undefined, insecureHttp: false });
});

test('a site listens on loopback by default, and links to itself', async () => {
  expect(await web('[web.admin]')).toMatchObject({
    client: undefined,
    admin: { host: '127.0.0.1', port: 8092, publicUrl: 'http://localhost:8092' },
  });
  const { client, trustedProxies } = await web(
    '[web]\ntrusted_proxies = ["10.0.0.0/8", "::1"]\n[web.client]\nlisten = "[::1]:80"\npublic_url = "https://DCA.example.org/"',
  );
  expect(client).toEqual({ host: '::1', port: 80, publicUrl: 'https://dca.example.org' });
  expect(trustedProxies.check('10.9.8.7', 'ipv4')).toBe(true);
  expect(trustedProxies.check('11.9.8.7', 'ipv4')).toBe(false);
  expect(trustedProxies.check('::1', 'ipv6')).toBe(true);
});

test.each([
  ['listen = "0.0.0.0:8091"', /web\.client\.public_url: missing/],
  ['listen = "0.0.0.0:8091"\npublic_url = "http://dca.example.org"', /web\.client\.public_url: http:\/\//],
  ['listen = "dca.lan:8091"\npublic_url = "http://dca.lan:8091"', /web\.client\.public_url: http:\/\//],
  [
    'listen = "127.0.0.1:8091"\npublic_url = "https://dca.example.org/dca"',
    /public_url: expected an address/,
  ],
  ['public_url = "ftp://dca.example.org"', /public_url: expected an address/],
  ['listen = "127.0.0.1:99999"', /a port up to 65535/],
  ['public_url = "http://localhost:8092"\n[web.admin]', /web\.admin\.public_url: the same/],
  ['listn = "127.0.0.1:80"', /web\.client\.listn: unknown key/],
  ['[web]\ntrusted_proxies = ["10.0.0.0/33"]', /web\.trusted_proxies.*: expected addresses and networks/],
])('%j is refused', async (lines, mistake) => {
  await expect(web(`[web.client]\n${lines}`)).rejects.toMatchObject({
    ...{ code: 'config/invalid', message: expect.stringMatching(mistake) },
  });
});

test.each([
  'listen = "0.0.0.0:8091"\npublic_url = "https://dca.example.org"',
  'listen = "0.0.0.0:8091"\npublic_url = "http://abc.onion"',
  'listen = "127.0.0.1:8091"\npublic_url = "http://dca.lan"',
  'listen = "0.0.0.0:8091"\npublic_url = "http://dca.lan"\n[web]\ninsecure_http = true',
])('%j is accepted', async (lines) => {
  expect((await web(`[web.client]\n${lines}`)).client).toBeDefined();
});

test('networks and origins', () => {
  for (const good of ['127.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', '0.0.0.0/0'])
    expect([good, isNetwork(good)]).toEqual([good, true]);
  for (const bad of ['', 'proxy', '10.0.0.0/', '10.0.0.0/33', '::1/129', '1.2.3.4/8/8', '1.2.3/8'])
    expect([bad, isNetwork(bad)]).toEqual([bad, false]);
  expect(readOrigin('http://localhost:8092/')).toBe('http://localhost:8092');
  for (const bad of ['localhost:8092', 'https://a/b', 'https://u:p@a', 'https://a?x', 'https://a#x'])
    expect([bad, readOrigin(bad)]).toEqual([bad, undefined]);
});
