import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { SiteConfig } from '../config/web.ts';
import { BridgeError } from '../errors.ts';
import type { Clock } from '../time.ts';

/* One listener: a node:http server with the limits that keep slow and huge requests from holding it. */

/** A visitor sends its headers within, and the whole request within, in ms. */
const HEADERS_MS = 10_000;
const REQUEST_MS = 30_000;
const KEEP_ALIVE_MS = 5_000;
const MOST_CONNECTIONS = 500;
const HEADER_BYTES = 16_384;

/** What is under way at a stop may take so long, in ms. */
const GRACE_MS = 10_000;

type Handler = Parameters<typeof getRequestListener>[0];

/**
 * Answers at the address of a site. The promise resolves with what stops that: no new request is taken, and what is
 * under way is finished, or cut off after ten seconds. Throws `web/listen`.
 */
export async function listen(
  name: string,
  { host, port }: SiteConfig,
  handler: Handler,
  clock: Clock,
): Promise<() => Promise<void>> {
  const server = createServer(
    { maxHeaderSize: HEADER_BYTES, connectionsCheckingInterval: 1_000 },
    getRequestListener(handler, { overrideGlobalObjects: false }),
  );
  server.headersTimeout = HEADERS_MS;
  server.requestTimeout = REQUEST_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.maxConnections = MOST_CONNECTIONS;
  const closeIdle = idleConnections(server);
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    throw new BridgeError(
      'web/listen',
      `[web.${name}] listen = "${host}:${port}" cannot be used (${(error as NodeJS.ErrnoException).code}).`,
      'Give an address of this host and a free port.',
      { cause: error },
    );
  }
  return async () => {
    const closed = once(server, 'close');
    server.close();
    closeIdle();
    const over = new AbortController();
    const patience = clock.sleep(GRACE_MS, { signal: over.signal, ref: false }).then(() => {
      server.closeAllConnections();
    });
    await closed;
    over.abort();
    await patience;
  };
}

/**
 * What closes the connections without a whole request, also those that send one slowly, which Node counts as busy; and
 * from then on each other one after its answer.
 */
function idleConnections(server: Server): () => void {
  const open = new Set<Socket>();
  const asked = new Set<Socket>();
  const closeIdle = () => {
    for (const socket of open) if (!asked.has(socket)) socket.destroySoon();
  };
  server.on('connection', (socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('request', ({ socket }, answer) => {
    asked.add(socket);
    answer.once('close', () => {
      asked.delete(socket);
      if (!server.listening) closeIdle();
    });
  });
  return closeIdle;
}
