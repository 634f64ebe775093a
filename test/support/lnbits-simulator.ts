import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.ts';
import type { Lnbits, LnbitsVersion, Permission, ServiceFee, SharedKeys, WalletKeys } from './lnbits.ts';
import {
  id,
  LnbitsBooks,
  type PayFault,
  type PaymentRow,
  Refusal,
  Stopped,
  type WalletRow,
} from './lnbits-books.ts';
import { keepSecret } from './secrets.ts';

/** What the superuser does: log in, look who that was, credit a wallet. */
type Admin = 'login' | 'account' | 'settings' | 'credit';

/** A request as it came in. `n` counts from 1 since the start or the last `clearLog()`. */
export interface SeenRequest {
  n: number;
  method: string;
  path: string;
  query: URLSearchParams;
  kind: 'version' | 'wallet' | 'invoice' | 'pay' | 'find' | 'list' | 'check' | Admin | 'other';
  /** Whose key came with it; null for an unknown key or none. */
  walletId: string | null;
  /** The payment it is about, where that is known. */
  hash: string | null;
}

/**
 * `checked`: LNbits found that it may pay or credit, and did nothing yet. `between`: the first of two steps is done: a
 * payment's debit, the pending row of a credit, or a look-up has read an unpaid invoice that it is going to mark as
 * failed. `after`: handled, but not answered. `half`: half of the answer is sent.
 */
export type Phase = 'before' | 'checked' | 'between' | 'after' | 'half';

// biome-ignore lint/suspicious/noConfusingVoidType: most hooks return nothing.
export type Hooked = 'drop' | void;

interface FalseAnswer {
  status: number;
  headers?: Record<string, string>;
  /** An object becomes JSON, a string is sent as it is. */
  body: string | object;
}

export type Fault =
  | { at: 'before' | 'after'; do: 'reset' | 'hang' } // a hanging request waits for `release()`
  | { at: 'after'; do: 'cut' } // half of the answer, then the end
  | { at: 'before' | 'between' | 'after'; delayMs: number }
  | { at: 'before' | 'after'; answer: FalseAnswer } // instead of the handling; or of its answer
  | { pay: PayFault };

export interface Rule {
  when:
    | Partial<Pick<SeenRequest, 'n' | 'method' | 'path' | 'kind' | 'walletId'>>
    | ((request: SeenRequest) => boolean);
  /** How often it applies; 1 by default. */
  times?: number;
  fault: Fault;
}

interface SimulatorOptions {
  version?: LnbitsVersion;
  /** As LNbits limits them: per path, in windows of a second. */
  requestsPerSecond?: number;
  /** With the wallets and payments that this one has now, and their keys. */
  like?: LnbitsSimulator;
}

export type LnbitsSimulator = Simulator;

/** Before the hash that somebody asks about without a key. */
const CHECK = '/api/v1/payments/';

/** A real HTTP server on a free port of 127.0.0.1 that behaves like LNbits with its FakeWallet. */
export async function startLnbitsSimulator(options: SimulatorOptions = {}): Promise<LnbitsSimulator> {
  const simulator = new Simulator(options);
  await simulator.start();
  return simulator;
}

class Simulator implements Lnbits {
  readonly version: LnbitsVersion;
  /** The same in every simulator, so that a copy of an installation finds it. */
  readonly superuser = { name: 'superuser', password: 'the superuser may do everything' };
  /** What goes wrong; the first rule that fits a request and is not used up applies. */
  rules: Rule[] = [];
  readonly requests: SeenRequest[] = [];
  /** Called at each phase of each request, and waited for. `drop` breaks off: nothing more is handled or answered. */
  onRequest: ((request: SeenRequest, phase: Phase) => Hooked | Promise<Hooked>) | undefined;

  readonly #books: LnbitsBooks;
  readonly #requestsPerSecond: number;
  readonly #windows = new Map<string, { ends: number; count: number }>();
  readonly #token = id();
  #server: Server | undefined;
  #port = 0;
  #release = Promise.withResolvers<void>();

  constructor({ version, requestsPerSecond = Number.POSITIVE_INFINITY, like }: SimulatorOptions) {
    this.version = version ?? like?.version ?? '1.6.2';
    this.#books = new LnbitsBooks(this.version, like ? like.#books : undefined);
    this.#requestsPerSecond = requestsPerSecond;
    keepSecret('the token of the superuser', this.#token);
    keepSecret('the password of the superuser', this.superuser.password);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async start(): Promise<void> {
    const server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        request.socket.destroy();
        // A client that was killed while it sent its request is no defect of the server.
        if (request.complete && !(error instanceof Stopped)) throw error;
      });
    });
    this.#port ||= await freePort();
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#server = server;
  }

  /** From here on connections are refused; `start()` listens again on the same port, with the same data. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  async restart(): Promise<void> {
    await this.stop();
    this.#books.restarted();
    await this.start();
  }

  createUserWallet(name: string): Promise<WalletKeys> {
    return Promise.resolve(keysOf(this.#books.createWallet(name)));
  }

  topUp(walletId: string, sats: bigint): Promise<void> {
    this.#books.topUp(walletId, Number(sats));
    return Promise.resolve();
  }

  async setServiceFee(fee: ServiceFee | null): Promise<void> {
    this.#books.serviceFee = fee;
  }

  deleteWallet(walletId: string): Promise<void> {
    this.#books.wallet(walletId).deleted = true;
    return Promise.resolve();
  }

  share({ id }: WalletKeys, permissions: Permission[]): Promise<SharedKeys> {
    const wallet = this.#books.share(id, permissions);
    const allow = (more: Permission[]) => {
      wallet.shared = { of: id, permissions: more };
      return Promise.resolve();
    };
    return Promise.resolve({ ...keysOf(wallet), allow });
  }

  resetKeys(walletId: string): Promise<WalletKeys> {
    const wallet = this.#books.wallet(walletId);
    return Promise.resolve(keysOf(Object.assign(wallet, { adminkey: id(), inkey: id() })));
  }

  /** In sats, whatever the API would show of it. */
  balance(walletId: string): bigint {
    return BigInt(this.#books.balance(walletId)) / 1000n;
  }

  /** Copies of the wallet's rows, oldest first. */
  payments(walletId: string): PaymentRow[] {
    return structuredClone(this.#books.payments.filter((row) => row.wallet_id === walletId));
  }

  /** Writes over fields of a wallet's rows of one payment, such as its status. */
  change(walletId: string, hash: string, fields: Partial<PaymentRow>): void {
    for (const row of this.#books.payments) {
      if (row.wallet_id === walletId && row.payment_hash === hash) Object.assign(row, fields);
    }
  }

  /** Puts in a row as it is, as if it had been there. */
  add(row: PaymentRow): void {
    this.#books.payments.push(row);
  }

  clearLog(): void {
    this.requests.length = 0;
  }

  /** Lets every request go on that hangs. */
  release(): void {
    this.#release.resolve();
    this.#release = Promise.withResolvers();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = parse(Buffer.concat(chunks).toString());
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url);
    const key = request.headers['x-api-key'];
    const wallet = typeof key === 'string' ? this.#books.walletOf(key) : undefined;
    const method = request.method ?? '';
    const kind = kindOf(method, pathname, searchParams, body);
    const hash =
      kind === 'check'
        ? pathname.slice(CHECK.length)
        : (searchParams.get('payment_hash') ?? this.#hashOf(body.bolt11));
    const seen = {
      n: this.requests.length + 1,
      method,
      path: pathname,
      query: searchParams,
      kind,
      walletId: wallet?.id ?? null,
      hash,
    };
    this.requests.push(seen);
    const fault = this.#faultFor(seen);

    const pass = async (phase: Phase): Promise<FalseAnswer | null> => {
      if ((await this.onRequest?.(seen, phase)) === 'drop') throw new Stopped();
      if (!fault || !('at' in fault) || fault.at !== phase) return null;
      if ('answer' in fault) return fault.answer;
      if ('delayMs' in fault) await sleep(fault.delayMs);
      else if (fault.do === 'hang') await this.#release.promise;
      else if (fault.do === 'reset') {
        request.socket.resetAndDestroy();
        throw new Stopped();
      }
      return null;
    };

    const instead = (await pass('before')) ?? this.#overLimit(pathname);
    const answer =
      instead ??
      (await this.#answer(
        seen,
        request.headers,
        wallet,
        body,
        fault && 'pay' in fault ? fault.pay : null,
        pass,
      ));
    const sent = instead ?? (await pass('after')) ?? answer;
    const bytes = Buffer.from(typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body));
    response.writeHead(sent.status, {
      'content-type': 'application/json',
      'content-length': bytes.length,
      ...sent.headers,
    });
    const half = bytes.length >> 1;
    await new Promise((resolve) => response.write(bytes.subarray(0, half), resolve));
    if (fault && 'do' in fault && fault.do === 'cut') throw new Stopped();
    await pass('half');
    response.end(bytes.subarray(half));
  }

  async #answer(
    { kind, query, hash }: SeenRequest,
    { 'x-api-key': key, authorization }: IncomingMessage['headers'],
    wallet: WalletRow | undefined,
    body: Record<string, unknown>,
    fault: PayFault | null,
    pass: (phase: Phase) => Promise<unknown>,
  ): Promise<FalseAnswer> {
    const between = async () => void (await pass('between'));
    const checked = async () => void (await pass('checked'));
    try {
      if (kind === 'version')
        return { status: 200, body: { openapi: '3.1.0', info: { title: 'LNbits', version: this.version } } };
      if (kind === 'check') return { status: 200, body: await this.#books.check(hash ?? '', between) };
      if (kind === 'login' || kind === 'account' || kind === 'settings' || kind === 'credit')
        return await this.#asSuperuser(kind, authorization, body, between, checked);
      if (kind === 'other') throw new Refusal(404, 'Not Found');
      if (!key) throw new Refusal(401, 'No Api Key provided.');
      if (!wallet) throw new Refusal(404, 'Wallet not found.');
      const admin = key === wallet.adminkey;
      if (kind === 'wallet') {
        const shown = { name: wallet.name, balance: this.#books.balance(wallet.id) };
        return { status: 200, body: admin ? { ...shown, id: wallet.id } : shown };
      }
      if (kind === 'find' || kind === 'list')
        return { status: 200, body: await this.#books.list(wallet, query, between) };
      if (kind === 'invoice') return { status: 201, body: this.#books.createInvoice(wallet, body) };
      if (!admin) throw new Refusal(this.version === '1.0.0' ? 401 : 403, 'Invoice (or Admin) key required.');
      if (!body.bolt11) throw new Refusal(400, 'Missing BOLT11 invoice');
      return {
        status: 201,
        body: await this.#books.pay(wallet, String(body.bolt11), body.extra, fault, between, checked),
      };
    } catch (error) {
      if (error instanceof Refusal) return { status: error.status, body: error.body };
      throw error;
    }
  }

  async #asSuperuser(
    kind: Admin,
    authorization: string | undefined,
    body: Record<string, unknown>,
    between: () => Promise<void>,
    checked: () => Promise<void>,
  ): Promise<FalseAnswer> {
    const { name, password } = this.superuser;
    if (kind === 'login') {
      if (body.username !== name || body.password !== password)
        throw new Refusal(401, 'Invalid credentials.');
      return { status: 200, body: { access_token: this.#token, token_type: 'bearer' } };
    }
    if (authorization !== `Bearer ${this.#token}`) throw new Refusal(401, 'Invalid access token.');
    if (kind === 'account') return { status: 200, body: { username: name, admin: true, super_user: true } };
    if (kind === 'settings') {
      const { percent = 0, walletId = null, maxSats = 0 } = this.#books.serviceFee ?? {};
      const fee = {
        lnbits_service_fee: percent,
        lnbits_service_fee_wallet: walletId,
        lnbits_service_fee_max: maxSats,
        lnbits_service_fee_ignore_internal: this.#books.serviceFee === null,
      };
      return { status: 200, body: { ...fee, lnbits_site_title: 'LNbits' } };
    }
    await this.#books.credit(String(body.id), Number(body.amount), between, checked);
    return { status: 200, body: { success: true, message: 'Balance updated.' } };
  }

  #faultFor(seen: SeenRequest): Fault | null {
    for (const rule of this.rules) {
      const { when, times = 1 } = rule;
      const fits =
        typeof when === 'function'
          ? when(seen)
          : Object.entries(when).every(([name, value]) => seen[name as keyof SeenRequest] === value);
      if (!fits || times < 1) continue;
      rule.times = times - 1;
      return rule.fault;
    }
    return null;
  }

  #overLimit(path: string): FalseAnswer | null {
    let window = this.#windows.get(path);
    if (!window || window.ends <= Date.now()) window = { ends: Date.now() + 1000, count: 0 };
    this.#windows.set(path, window);
    window.count += 1;
    if (window.count <= this.#requestsPerSecond) return null;
    return { status: 429, body: { error: `Rate limit exceeded: ${this.#requestsPerSecond} per 1 second` } };
  }

  #hashOf(bolt11: unknown): string | null {
    return this.#books.payments.find((row) => row.bolt11 === bolt11)?.payment_hash ?? null;
  }
}

function kindOf(
  method: string,
  path: string,
  query: URLSearchParams,
  body: Record<string, unknown>,
): SeenRequest['kind'] {
  if (method === 'POST' && path === '/api/v1/payments') return body.out === false ? 'invoice' : 'pay';
  if (path === '/api/v1/auth') return method === 'GET' ? 'account' : 'login';
  if (method === 'PUT' && path === '/users/api/v1/balance') return 'credit';
  if (method !== 'GET') return 'other';
  if (path === '/admin/api/v1/settings') return 'settings';
  if (path === '/openapi.json') return 'version';
  if (path === '/api/v1/wallet') return 'wallet';
  if (path === '/api/v1/payments/paginated') return query.has('payment_hash') ? 'find' : 'list';
  return path.startsWith(CHECK) ? 'check' : 'other';
}

function parse(text: string): Record<string, unknown> {
  return text ? (JSON.parse(text) as Record<string, unknown>) : {};
}

function keysOf({ id, adminkey, inkey }: WalletRow): WalletKeys {
  return { id, adminkey, inkey };
}
