import { once } from 'node:events';
import { createServer } from 'node:http';
import { isIP } from 'node:net';
import type { Logger } from 'pino';
import { BridgeError } from '../errors.ts';

/** Stops answering and closes what is open. */
export type Close = () => Promise<void>;

/**
 * Serves `read`'s text at `/metrics`. `listen` is an address and a port, `127.0.0.1:9464` or `[::1]:9464`. Whoever
 * reaches it sees what the operator owes and holds: an address that others reach is used, with a warning.
 * Throws `metrics/listen`.
 */
export async function serveMetrics(listen: string, read: () => Promise<string>, log: Logger): Promise<Close> {
  const separator = listen.lastIndexOf(':');
  const host = listen.slice(0, separator).replace(/^\[|\]$/g, '');
  const port = Number(listen.slice(separator + 1));
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('The metrics are at /metrics.\n');
      return;
    }
    read().then(
      (text) =>
        response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      (error: unknown) => {
        log.error({ err: error }, 'the metrics could not be read');
        response.writeHead(500).end();
      },
    );
  });
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    throw new BridgeError(
      'metrics/listen',
      `[metrics] listen = "${listen}" cannot be used (${(error as NodeJS.ErrnoException).code})`,
      'Name an address of this host and a free port, like "127.0.0.1:9464".',
      { cause: error },
    );
  }
  server.on('error', (error) => log.error({ err: error }, 'the metrics endpoint failed'));
  log.info({ listen: server.address() }, 'the metrics are served');
  if (!isLoopback(host))
    log.warn({ listen }, 'the metrics can be read from other hosts, by anybody who reaches them');
  return async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
