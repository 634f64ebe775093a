import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { connect } from '../../src/lamassu/connect.ts';
import { openLedger } from '../../src/ledger/store/open.ts';
import { isThisHost, type Tls } from '../../src/lib/tls.ts';
import { LnbitsClient } from '../../src/lnbits/wallet-client.ts';
import { systemClock } from '../../src/time.ts';
import { type Postgres, startPostgres } from '../support/postgres.ts';

/* Certificates on the connections that carry secrets, at real servers. */

let folder: string;
let postgres: Postgres;
let admin: pg.Client;

const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
const pem = (name: string) => readFileSync(join(folder, name), 'utf8');
const request = (name: string) => {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
  return ['req', ...key, '-subj', `/CN=${name}`];
};

function authority(name: string): void {
  openssl(...request(name), '-x509', '-days', '30', '-out', `${name}.crt`);
}

function certificate(name: string, names: string, days = '30'): void {
  openssl(...request(name), '-out', `${name}.csr`);
  writeFileSync(join(folder, 'names'), `subjectAltName=${names}\n`);
  const by = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'names'];
  openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-days', days, '-out', `${name}.crt`);
  // PostgreSQL runs as another user than root, and requires that only it can read its key.
  const { uid, gid } = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : { uid: -1, gid: -1 };
  for (const file of [`${name}.key`, `${name}.crt`]) chownSync(join(folder, file), uid, gid);
  chmodSync(join(folder, `${name}.key`), 0o600);
}

/**
 * Sets the certificate that the server shows, and the connections that its pg_hba.conf accepts: `host`, `hostssl` or
 * `hostnossl`.
 */
async function serve(shown: string | undefined, takes = 'host'): Promise<void> {
  const { rows } = await admin.query<{ file: string }>(`select current_setting('hba_file') as file`);
  const [row] = rows;
  if (!row) throw new Error('no hba_file');
  writeFileSync(
    row.file,
    `local all all trust\n${takes} ledger all 127.0.0.1/32 scram-sha-256\nhost postgres all 127.0.0.1/32 scram-sha-256\n`,
  );
  if (shown !== undefined) {
    await admin.query(`alter system set ssl_cert_file = '${join(folder, `${shown}.crt`)}'`);
    await admin.query(`alter system set ssl_key_file = '${join(folder, `${shown}.key`)}'`);
  }
  await admin.query(`alter system set ssl = ${shown === undefined ? 'off' : 'on'}`);
  const asked = Date.now();
  await admin.query('select pg_reload_conf()');
  await expect
    .poll(
      async () =>
        (await admin.query(`select pg_conf_load_time() >= to_timestamp(${asked / 1000}) as it`)).rows[0],
    )
    .toEqual({ it: true });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aio-dca-tls-'));
  chmodSync(folder, 0o755);
  authority('ca');
  authority('other');
  certificate('good', 'IP:127.0.0.1,DNS:localhost');
  certificate('elsewhere', 'DNS:elsewhere.example.org');
  certificate('expired', 'IP:127.0.0.1', '0');
  postgres = await startPostgres();
  admin = new pg.Client(postgres.url);
  await admin.connect();
  await admin.query('create database ledger');
});
afterAll(async () => {
  await admin.end();
  await postgres.stop();
  rmSync(folder, { recursive: true });
});

type Case = [
  what: string,
  shown: string | undefined,
  tls: Tls,
  ca: string | undefined,
  why: RegExp | null,
  takes?: string,
];

const cases: Case[] = [
  ['a certificate of the authority that is named', 'good', 'verify-full', 'ca', null],
  ['any certificate, where none is checked', 'expired', 'require', undefined, null],
  ['nothing, where nothing is asked for', undefined, 'disable', undefined, null],
  [
    'an authority that nobody named',
    'good',
    'verify-full',
    undefined,
    /authority that this host does not know/,
  ],
  ['another authority', 'good', 'verify-full', 'other', /authority that this host does not know/],
  ['another host name', 'elsewhere', 'verify-full', 'ca', /for another host .*127\.0\.0\.1/],
  ['one that has expired', 'expired', 'verify-full', 'ca', /has expired/],
  ['no TLS', undefined, 'verify-full', 'ca', /does not support SSL/],
  ['no TLS, where any certificate would do', undefined, 'require', undefined, /does not support SSL/],
  ['`hostssl` to one who asks for none', 'good', 'disable', undefined, /no encryption/, 'hostssl'],
];

describe.each(cases)('a PostgreSQL that shows %s', (_, shown, tls, ca, why, takes) => {
  test('as ledger and as Lamassu’s', async () => {
    await serve(shown, takes);
    const url = new URL(postgres.url);
    url.pathname = '/ledger';
    const authority = ca === undefined ? undefined : pem(`${ca}.crt`);
    const ledger = () => openLedger({ clock: systemClock, url: url.href, use: 'create', tls, ca: authority });
    const lamassu = () =>
      connect({
        ...{
          name: 'lamassu',
          host: url.hostname,
          port: Number(url.port),
          database: 'ledger',
          user: url.username,
        },
        ...{ password: new Secret(url.password), tls, ca: authority },
      });
    if (why === null) {
      await (await ledger()).close();
      await (await lamassu()).close();
      return;
    }
    const failed = {
      kind: 'misconfigured',
      message: expect.stringMatching(why),
      hint: expect.stringMatching(/tls|TLS/),
    };
    await expect(ledger()).rejects.toMatchObject({ code: 'ledger/tls' satisfies ErrorCode, ...failed });
    await expect(lamassu()).rejects.toMatchObject({ code: 'lamassu/tls' satisfies ErrorCode, ...failed });
  });
});

test('`hostnossl` to one who asks for TLS is told with what the server said', async () => {
  await serve('good', 'hostnossl');
  const url = new URL(postgres.url);
  url.pathname = '/ledger';
  const refused = openLedger({ clock: systemClock, url: url.href, use: 'read', tls: 'require' });
  await expect(refused).rejects.toMatchObject({
    kind: 'misconfigured',
    message: expect.stringMatching(/SSL encryption|pg_hba/),
  });
});

/** A PostgreSQL by a name that is not this host's cannot be had here; what it is asked for can. */
test('a ledger on another host is reached by TLS unless the configuration says otherwise', async () => {
  const asked: Buffer[] = [];
  const { createServer: listen } = await import('node:net');
  const server = listen((socket) =>
    socket
      .on('error', () => {})
      .once('data', (bytes: Buffer) => {
        asked.push(bytes);
        socket.destroy();
      }),
  );
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const SSL_REQUEST = 80877103;
  for (const [tls, encrypted] of [
    [undefined, true],
    ['disable', false],
  ] as const) {
    await openLedger({
      clock: systemClock,
      url: `postgresql://u@0.0.0.0:${port}/ledger`,
      use: 'read',
      tls,
    }).catch(() => {});
    expect(asked.pop()?.readInt32BE(4) === SSL_REQUEST).toBe(encrypted);
  }
});

test.each<[string, string | undefined, RegExp | null]>([
  ['good', 'ca', null],
  ['good', undefined, /authority that this host does not know/],
  ['good', 'other', /authority that this host does not know/],
  ['elsewhere', 'ca', /for another host/],
  ['expired', 'ca', /has expired/],
])('an LNbits that shows the certificate %s to one who knows %s', async (shown, ca, why) => {
  const server = createServer({ cert: pem(`${shown}.crt`), key: pem(`${shown}.key`) }, (_, response) => {
    response.setHeader('content-type', 'application/json').end('{"name":"source","balance":0,"id":"w"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as { port: number }).port}`;
  const client = new LnbitsClient({ url, ca: ca === undefined ? undefined : pem(`${ca}.crt`) }, systemClock);
  onTestFinished(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });
  const wallet = client.wallet(new Secret('key'));
  if (why === null) expect(await wallet).toMatchObject({ name: 'source' });
  else
    await expect(wallet).rejects.toMatchObject({
      ...{ code: 'lnbits/tls', kind: 'misconfigured' },
      ...{ message: expect.stringMatching(why), hint: expect.stringContaining('ca_file') },
    });
});

test('https:// to a server that speaks no TLS is reported as that', async () => {
  const { createServer: plain } = await import('node:http');
  const server = plain((_, response) => response.end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new LnbitsClient(
    { url: `https://127.0.0.1:${(server.address() as { port: number }).port}` },
    systemClock,
  );
  onTestFinished(async () => {
    await client.close();
    server.close();
  });
  await expect(client.wallet(new Secret('key'))).rejects.toMatchObject({
    ...{ code: 'lnbits/tls', message: expect.stringMatching(/handshake failed/) },
  });
});

test('a server that closes the connection during the handshake counts as not answering', async () => {
  const { createServer: listen } = await import('node:net');
  // PostgreSQL sends one letter before TLS begins.
  const servers = ['', 'S'].map((first) =>
    listen((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        if (first === '') socket.end();
        else {
          socket.write(first);
          socket.once('data', () => socket.end());
        }
      });
    }),
  );
  const [web, postgresql] = await Promise.all(
    servers.map(async (server) => {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void server.close());
      return (server.address() as { port: number }).port;
    }),
  );
  const client = new LnbitsClient({ url: `https://127.0.0.1:${web}` }, systemClock);
  onTestFinished(() => client.close());
  const place = { name: 'lamassu', host: '127.0.0.1', port: Number(postgresql), database: 'd', user: 'u' };
  const ways: [ErrorCode, Promise<unknown>][] = [
    ['lnbits/unreachable', client.wallet(new Secret('key'))],
    [
      'ledger/unreachable',
      openLedger({
        clock: systemClock,
        url: `postgresql://u@127.0.0.1:${postgresql}/d`,
        use: 'read',
        tls: 'verify-full',
      }),
    ],
    ['lamassu/unreachable', connect({ ...place, password: new Secret('p'), tls: 'verify-full' })],
  ];
  await Promise.all(
    ways.map(([code, answer]) => expect(answer).rejects.toMatchObject({ code, kind: 'unavailable' })),
  );
});

test.each([
  ['localhost', true],
  ['db.localhost', true],
  ['127.8.9.1', true],
  ['::1', true],
  ['[::1]', true],
  ['::ffff:127.0.0.1', true],
  ['/run/postgresql', true],
  ['10.0.0.1', false],
  ['0.0.0.0', false],
  ['lnbits', false],
  ['localhost.example.org', false],
  ['notlocalhost', false],
  ['::ffff:10.0.0.1', false],
])('%s is this host: %s', (host, here) => {
  expect(isThisHost(host)).toBe(here);
});
