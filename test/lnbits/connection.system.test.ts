import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { Secret } from '../../src/config/secret.ts';
import { LnbitsClient } from '../../src/lnbits/wallet-client.ts';
import { type Clock, systemClock } from '../../src/time.ts';
import { testClock } from '../support/clock.ts';

/* What happens on the connections themselves: closed while idle, given up, and opened too late. */

const KEY = new Secret('0123456789abcdef0123456789abcdef');
const pay = (client: LnbitsClient) => client.pay(KEY, { bolt11: 'lnbc1', extra: {} });

/**
 * A server of its own thread, as the one under test is: it answers each request at once, and closes a connection that
 * was idle for `idleMs`. Answers where it listens.
 */
async function closingServer(idleMs: number): Promise<string> {
  const worker = new Worker(
    `const { createServer } = require('node:net');
     const { parentPort, workerData } = require('node:worker_threads');
     const answer = (status, body) => 'HTTP/1.1 ' + status + ' OK\\r\\ncontent-type: application/json\\r\\ncontent-length: ' + body.length + '\\r\\n\\r\\n' + body;
     const paid = JSON.stringify({ payment_hash: 'ab'.repeat(32), wallet_id: 'w', amount: -1000, fee: 0, status: 'success', time: 0 });
     createServer((socket) => {
       socket.on('error', () => {});
       socket.setTimeout(workerData, () => socket.destroy());
       let text = '';
       socket.on('data', (data) => {
         text += data;
         const end = text.indexOf('\\r\\n\\r\\n');
         if (end < 0) return;
         const length = Number(/content-length: (\\d+)/i.exec(text)?.[1] ?? 0);
         if (text.length < end + 4 + length) return;
         socket.write(text.startsWith('POST') ? answer(201, paid) : answer(200, '{"name":"w","balance":0}'));
         text = '';
       });
     }).listen(0, '127.0.0.1', function () { parentPort.postMessage(this.address().port); });`,
    { eval: true, workerData: idleMs },
  );
  const port = await new Promise((resolve) => worker.once('message', resolve));
  onTestFinished(async () => void (await worker.terminate()));
  return `http://127.0.0.1:${port}`;
}

function clientOf(
  url: string,
  options: Partial<ConstructorParameters<typeof LnbitsClient>[0]> = {},
  clock: Clock = systemClock,
) {
  const client = new LnbitsClient({ url, backoffMs: 1, ...options }, clock);
  onTestFinished(() => client.close());
  return client;
}

/** This thread is busy meanwhile, so it does not see that its connections close. */
function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('a payment over a connection that the server has just closed is no lost answer', async () => {
  const client = clientOf(await closingServer(1_050));
  for (let n = 0; n < 2; n += 1) {
    await client.wallet(KEY);
    standStill(1_150);
    expect(await pay(client)).toMatchObject({ status: 'success' });
  }
});

test('payments that follow each other go over one connection', async () => {
  let connections = 0;
  const { port, server } = await listening((socket) => {
    connections += 1;
    const body = JSON.stringify({ detail: 'No.' });
    const head = `HTTP/1.1 520 No\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    // Head and body of a request may come one after the other.
    socket.on('data', (data) => data.includes('}') && socket.write(head + body));
  });
  const client = clientOf(`http://127.0.0.1:${port}`);
  for (let n = 0; n < 20; n += 1) await expect(pay(client)).rejects.toMatchObject({ code: 'lnbits/refused' });
  expect(connections).toBe(1);
  server.close();
});

async function listening(
  onSocket: (socket: Socket) => void,
  make = (on: typeof onSocket): Server => createServer(on),
) {
  const sockets: Socket[] = [];
  const server = make((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server };
}

test('a process that was suspended while it connected sends nothing on that connection', async () => {
  let received = 0;
  const { port } = await listening((socket) => socket.on('data', (data) => (received += data.length)));
  const clock = testClock();
  const client = clientOf(`http://127.0.0.1:${port}`, { payDeadlineMs: 2_000 }, clock);
  const late = pay(client);
  clock.ahead = 20_000;
  await expect(late).rejects.toMatchObject({
    code: 'lnbits/rate-limited',
    message: expect.stringMatching(/not sent, because this process was suspended/),
    hint: 'The next run goes on.',
  });
  expect(received).toBe(0);
});

const ended = (socket: Socket) =>
  new Promise((resolve) => {
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    socket.on('end', () => resolve('end'));
    socket.resume();
  });

test('a connection that is given up with a request under way is reset', async () => {
  const end = Promise.withResolvers<unknown>();
  const { port } = await listening((socket) => end.resolve(ended(socket)));
  const client = clientOf(`http://127.0.0.1:${port}`, { payDeadlineMs: 1_000 });
  await expect(pay(client)).rejects.toMatchObject({ code: 'lnbits/unreachable' });
  expect(await end.promise).toBe('ECONNRESET');
});

test('below TLS, too', async () => {
  const end = Promise.withResolvers<unknown>();
  const { key, cert } = selfSigned();
  const { port } = await listening(
    (socket) => end.resolve(ended(socket)),
    (on) => createTlsServer({ key, cert }, on) as unknown as Server,
  );
  const client = clientOf(`https://127.0.0.1:${port}`, { payDeadlineMs: 2_000, ca: cert });
  await expect(pay(client)).rejects.toMatchObject({
    code: 'lnbits/unreachable',
    message: expect.stringMatching(/within/),
  });
  expect(await end.promise).toBe('ECONNRESET');
});

test.each(['http', 'https'])(
  'a connection over %s that ends with its answer, or was given up, holds up no later request',
  { timeout: 15_000 },
  async (scheme) => {
    const { key, cert } = selfSigned();
    const listener: RequestListener = (request, response) => {
      request.resume();
      if (request.method === 'POST') return;
      response.writeHead(200, { 'content-type': 'application/json', connection: 'close' });
      response.end('{"name":"w","balance":0}');
    };
    const server =
      scheme === 'http' ? createHttpServer(listener) : createHttpsServer({ key, cert }, listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const client = clientOf(`${scheme}://127.0.0.1:${port}`, { payDeadlineMs: 200, ca: cert });
    for (let n = 0; n < 3; n += 1) {
      expect(await client.wallet(KEY)).toMatchObject({ name: 'w' });
      await expect(pay(client)).rejects.toMatchObject({ code: 'lnbits/unreachable' });
      expect(await client.wallet(KEY)).toMatchObject({ name: 'w' });
    }
  },
);

function selfSigned(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'aio-dca-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const kind = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '1',
  ];
  const names = ['-subj', '/CN=LNbits', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', [...kind, ...names, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}
