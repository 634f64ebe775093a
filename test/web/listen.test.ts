import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type Clock, systemClock } from '../../src/time.ts';
import { listen } from '../../src/web/listen.ts';
import { freePort } from '../support/free-port.ts';

/* How the listener of a site ends, with connections that are in the middle of something. */

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
  return { closed: once(socket, 'close') };
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
