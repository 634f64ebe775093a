import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type Clock, systemClock } from '../../src/time.ts';
import { listen } from '../../src/web/listen.ts';
import { freePort } from '../support/free-port.ts';
import { freshLedger } from '../support/ledgers.ts';
import { servedSite } from '../support/served-site.ts';

/* The listener of a site: slow and huge requests, and how it ends with connections in the middle of something. */

/** A wait ends only when it is called off. */
const endless: Clock = {
  ...systemClock,
  sleep: (_ms, { signal } = {}) =>
    new Promise((resolve) => signal?.addEventListener('abort', () => resolve())),
};

/** A listener that answers when it is let; `begun` resolves once a request is there. */
async function slowSite(clock: Clock) {
  const begun = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const handler = async () => {
    begun.resolve();
    await answer.promise;
    return new Response('answered');
  };
  const port = await freePort();
  const stop = await listen('admin', { host: '127.0.0.1', port, publicUrl: '' }, handler, clock);
  return { port, stop, begun: begun.promise, letAnswer: answer.resolve };
}

async function connection(port: number, sent: string) {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  socket.write(sent);
  const first = once(socket, 'data').then(([data]) => `${data}`);
  first.catch(() => {});
  return { socket, first, closed: once(socket, 'close') };
}

test('a stop waits for a request under way, and for no connection without a whole one', async () => {
  const { port, stop, begun, letAnswer } = await slowSite(endless);
  const cut = [await connection(port, ''), await connection(port, 'GET / HTTP/1.1\r\nHost: loc')];
  const asked = fetch(`http://127.0.0.1:${port}/`);
  await begun;
  const stopped = stop();
  await Promise.all(cut.map(({ closed }) => closed));
  letAnswer();
  expect(await (await asked).text()).toBe('answered');
  await stopped;
});

test('what is not finished after the patience is cut off', async () => {
  const patience = Promise.withResolvers<void>();
  const { port, stop, begun } = await slowSite({ ...systemClock, sleep: () => patience.promise });
  const asked = fetch(`http://127.0.0.1:${port}/`).catch((error: unknown) => error);
  await begun;
  const stopped = stop();
  patience.resolve();
  await stopped;
  expect(await asked).toBeInstanceOf(Error);
});

test('an address that is in use is named', async () => {
  const { port, stop } = await slowSite(endless);
  onTestFinished(stop);
  const again = listen('client', { host: '127.0.0.1', port, publicUrl: '' }, () => new Response(''), endless);
  await expect(again).rejects.toMatchObject({
    code: 'web/listen',
    message: expect.stringContaining(`[web.client] listen = "127.0.0.1:${port}"`),
  });
});

test('headers that come a byte at a time are cut off, and hold up nobody', async () => {
  const { port, stop, letAnswer } = await slowSite(endless);
  onTestFinished(stop);
  letAnswer();
  const slow = await Promise.all(
    Array.from({ length: 50 }, () => connection(port, 'GET / HTTP/1.1\r\nHost: loc')),
  );
  const drip = setInterval(() => {
    for (const { socket } of slow) socket.write('a');
  }, 200);
  onTestFinished(() => clearInterval(drip));
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('answered');
  await Promise.all(slow.map(({ closed }) => closed));
});

test('a body of 10 MB is refused before it is read, and one longer than it says is cut', async () => {
  const { url, port } = await servedSite(await freshLedger('sqlite'), 'admin');
  const head = 'POST /sign-in/password HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  // Nothing of it is sent, and the answer is there.
  const huge = await connection(port, `${head}Content-Length: 10485760\r\n\r\n`);
  expect(await huge.first).toMatch(/^HTTP\/1\.1 413 /);
  const chunked = await connection(port, `${head}Transfer-Encoding: chunked\r\n\r\n`);
  expect(await chunked.first).toMatch(/^HTTP\/1\.1 411 /);
  // What follows the two bytes is no part of the request, and no request either.
  const longer = await connection(port, `${head}Content-Length: 2\r\n\r\n{}${'x'.repeat(20_000)}`);
  await longer.closed;
  const headers = await connection(
    port,
    `GET / HTTP/1.1\r\nHost: localhost\r\nCookie: ${'x'.repeat(20_000)}\r\n\r\n`,
  );
  expect(await headers.first).toMatch(/^HTTP\/1\.1 431 /);
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});
