import { createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Lnbits } from './lnbits.ts';
import type { Hooked } from './lnbits-simulator.ts';

/** A request on its way to a real LNbits. */
export interface ProxiedRequest {
  n: number;
  kind: 'invoice' | 'pay' | 'find' | 'credit' | 'other';
  /** The payment it is about, where that is known. */
  hash: string | null;
  /** The invoice key of the wallet that a payment goes to. */
  payee: string | null;
  /** Gives it to LNbits once more than it was sent. */
  again(): Promise<void>;
}

/**
 * A real LNbits behind a proxy that tells of each request before LNbits gets it, and before its answer is passed on.
 */
export interface ProxiedLnbits extends Lnbits {
  onRequest: ((request: ProxiedRequest, phase: 'before' | 'after') => Hooked | Promise<Hooked>) | undefined;
  clearLog(): void;
}

type Invoice = { hash: string; payee: string };
const NONE = { hash: null, payee: null };

/** A client that goes away takes its request at LNbits with it, as without a proxy, unless `onRequest` still waits. */
export async function proxied(lnbits: Lnbits): Promise<ProxiedLnbits> {
  const invoices = new Map<string, Invoice>();
  let count = 0;

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await text(request);
    count += 1;
    const ask = () => forward(lnbits.url, request, response, body);
    const again = async () => {
      await text(await ask());
    };
    const seen = { n: count, ...about(request, body, invoices), again };
    if ((await result.onRequest?.(seen, 'before')) === 'drop') {
      request.socket.destroy();
      return;
    }
    const answer = await ask();
    const answered = await text(answer);
    if (seen.kind === 'invoice' && answer.statusCode === 201) {
      const made = JSON.parse(answered) as { bolt11: string; payment_hash: string };
      invoices.set(made.bolt11, { hash: made.payment_hash, payee: String(request.headers['x-api-key']) });
    }
    if ((await result.onRequest?.(seen, 'after')) === 'drop') {
      request.socket.destroy();
      return;
    }
    response.writeHead(answer.statusCode ?? 502, {
      'content-type': answer.headers['content-type'] ?? 'application/json',
      'content-length': Buffer.byteLength(answered),
    });
    response.end(answered);
  };

  const server = createServer((request, response) => {
    // Whatever breaks, breaks for the client as a connection that is cut.
    handle(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const result: ProxiedLnbits = {
    version: lnbits.version,
    superuser: lnbits.superuser,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    onRequest: undefined,
    clearLog: () => {
      count = 0;
    },
    createUserWallet: (name) => lnbits.createUserWallet(name),
    topUp: (walletId, sats) => lnbits.topUp(walletId, sats),
    setServiceFee: (fee) => lnbits.setServiceFee(fee),
    deleteWallet: (walletId) => lnbits.deleteWallet(walletId),
    resetKeys: (walletId) => lnbits.resetKeys(walletId),
    share: (wallet, permissions) => lnbits.share(wallet, permissions),
    restart: () => lnbits.restart(),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await lnbits.stop();
    },
  };
  return result;
}

function forward(
  to: string,
  request: IncomingMessage,
  response: ServerResponse,
  body: string,
): Promise<IncomingMessage> {
  const gone = response.destroyed;
  const upstream = send(new URL(request.url ?? '/', to), {
    method: request.method,
    headers: {
      ...request.headers,
      host: new URL(to).host,
      connection: 'close',
      'accept-encoding': 'identity',
    },
  });
  if (!gone) response.once('close', () => upstream.destroy());
  upstream.end(body);
  return new Promise((resolve, reject) => {
    upstream.once('response', resolve);
    upstream.once('error', reject);
  });
}

function about(
  { method, url = '/' }: IncomingMessage,
  body: string,
  invoices: Map<string, Invoice>,
): Pick<ProxiedRequest, 'kind' | 'hash' | 'payee'> {
  const { pathname, searchParams } = new URL(url, 'http://lnbits');
  if (method === 'POST' && pathname === '/api/v1/payments') {
    const { out, bolt11 } = JSON.parse(body) as { out: boolean; bolt11?: string };
    return { kind: out ? 'pay' : 'invoice', ...(invoices.get(bolt11 ?? '') ?? NONE) };
  }
  if (method === 'PUT' && pathname === '/users/api/v1/balance') return { kind: 'credit', ...NONE };
  const hash = searchParams.get('payment_hash');
  return { kind: hash === null ? 'other' : 'find', hash, payee: null };
}
