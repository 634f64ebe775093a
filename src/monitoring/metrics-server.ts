import { once } from 'node:events';
import { createServer } from 'node:http';
import { isIP } from 'node:net';
import type { Logger } from 'pino';
import { BridgeError } from '../errors.ts';
import type { Clock } from '../time.ts';

/** Reading the ledger slows a run that is paying, so one reading serves all requests for this long, in ms. */
const PAGE_MS = 10_000;
const CONNECTIONS = 50;

/** Stops answering and closes open connections. */
export type Close = () => Promise<void>;

/**
 * Serves the text of `read` at `/metrics`. It reads at most every ten seconds, and after each of `runs`; the header
 * `Age` is the age of the text in seconds. `listen` is an address and a port, `127.0.0.1:9464` or `[::1]:9464`. The
 * page shows what the operator owes and holds, so an address that other hosts can reach gives a warning. Throws
 * `metrics/listen`.
 */
export async function serveMetrics(
  listen: string,
  read: () => Promise<string>,
  { log, clock }: { log: Logger; clock: Clock },
  runs: () => number = () => 0,
): Promise<Close> {
  const separator = listen.lastIndexOf(':');
  const host = listen.slice(0, separator).replace(/^\[|\]$/g, '');
  const port = Number(listen.slice(separator + 1));
  const page = cached(read, clock, runs);
  const server = createServer((request, response) => {
    const path = request.url?.split('?')[0];
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('The metrics are at /metrics.\n');
      return;
    }
    page().then(
      ({ text, at }) =>
        response
          .writeHead(200, {
            'content-type': 'text/plain; version=0.0.4; charset=utf-8',
            age: `${Math.floor((clock.monotonic() - at) / 1000)}`,
          })
          .end(text),
      (error: unknown) => {
        log.error({ err: error }, 'the metrics could not be read');
        response.writeHead(500).end();
      },
    );
  });
  server.maxConnections = CONNECTIONS;
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    throw new BridgeError(
      'metrics/listen',
      `[metrics] listen = "${listen}" cannot be used (${(error as NodeJS.ErrnoException).code})`,
      'Give an address of this host and a free port, like "127.0.0.1:9464".',
      { cause: error },
    );
  }
  server.on('error', (error) => log.error({ err: error }, 'the metrics endpoint failed'));
  log.info({ listen: server.address() }, 'the metrics are served');
  if (!isLoopback(host))
    log.warn({ listen }, 'other hosts can read the metrics: anybody who can reach this address');
  return async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
}

/** Requests share a reading that is under way; after a failed one, the next request reads again. */
function cached(
  read: () => Promise<string>,
  clock: Clock,
  runs: () => number,
): () => Promise<{ text: string; at: number }> {
  let page: { text: string; at: number; runs: number } | undefined;
  let reading: Promise<{ text: string; at: number }> | undefined;
  return async () => {
    if (page?.runs === runs() && clock.monotonic() - page.at < PAGE_MS) return page;
    const begun = runs();
    reading ??= read()
      .then((text) => {
        page = { text, at: clock.monotonic(), runs: begun };
        return page;
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
