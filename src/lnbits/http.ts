import { type Dispatcher, errors, Pool } from 'undici';
import { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import { type Clock, type Moment, momentOf, msSince } from '../time.ts';
import { failure, limitOf, noAnswer, noJson, RateLimited, retryAfterOf, TooLarge } from './answer.ts';
import { connector } from './connection.ts';
import { Pace } from './pace.ts';

/** The address of LNbits, and the authority to trust. */
export interface LnbitsPlace {
  url: string;
  /** PEM of the authority that signed its certificate; default: the authorities that Node trusts. */
  ca?: string | undefined;
}

/** How a request is authorized: the key of a wallet, the token of a login, or not at all. */
export type Pass = Secret | { token: Secret } | null;

export interface Post {
  method?: 'POST' | 'PUT';
  pass: Pass;
  json: string;
  /** A secret in `json`, to be removed if LNbits repeats it in an error. */
  secret?: Secret;
  deadlineMs: number;
  /** The longest wait for LNbits' rate limit, in ms; beyond that the request fails unsent. */
  patienceMs: number;
  /** How many gaps to leave before the next request to the same path, once paced. */
  gaps: number;
}

const TRIES = 3;
// Five waits last longer than a window of a minute (pace.ts).
const LIMITED_TRIES = 6;
/** A process that wakes up this long after a POST was due does not send it: another run may have gone on meanwhile. */
const STALE_MS = 2_000;
/** The latest moment to send any part of a POST after it was due: a new connection takes time, too. */
const LATE_MS = 10_000;
/**
 * A POST uses a connection that was idle for at most this long, or a new one. uvicorn closes idle connections after 5
 * s, and a POST on a connection that is being closed looks like a POST with a lost answer.
 */
const FRESH_MS = 1_000;

/**
 * Requests to one LNbits. Each has a deadline; GETs are retried, POSTs and PUTs are sent exactly once. After the first
 * 429, all requests are paced. Resolves with the parsed JSON of a 2xx; everything else is a BridgeError.
 */
export class Http {
  readonly #base: string;
  /** The address for messages, without user and password. */
  readonly #shown: string;
  readonly #connect: () => Pool;
  #pool: Pool;
  readonly #backoffMs: number;
  readonly #clock: Clock;
  readonly #pace: Pace;
  /** The `date` of the last answer, in ms since 1970; 0 if none had one. */
  clock = 0;
  /** When it arrived, by the monotonic clock. */
  clockRead = 0;
  /** When the last answer arrived. */
  #used: Moment = { monotonic: Number.NEGATIVE_INFINITY, date: 0 };
  /** When the POSTs under way were due. */
  readonly #turns = new Set<Moment & { what: string }>();
  #underWay = 0;

  constructor({ url, ca }: LnbitsPlace, clock: Clock, maxBytes: number, backoffMs: number) {
    const { origin, pathname } = new URL(url);
    this.#base = pathname.replace(/\/+$/, '');
    this.#shown = `${origin}${this.#base}`;
    this.#clock = clock;
    this.#pace = new Pace(clock);
    this.#backoffMs = backoffMs;
    const connect = connector({ ca, refusal: () => this.#tooLate(), busy: () => this.#underWay > 0 });
    this.#connect = () =>
      new Pool(origin, {
        // One connection: a second one would be used rarely, and be closed as idle.
        connections: 1,
        keepAliveTimeout: 3_000,
        keepAliveMaxTimeout: 3_000,
        maxResponseSize: maxBytes,
        allowH2: false,
        connect,
      });
    this.#pool = this.#connect();
  }

  async get(
    path: string,
    query: Record<string, string | number>,
    pass: Pass,
    deadlineMs: number,
  ): Promise<unknown> {
    let failed = 0;
    let limited = 0;
    for (;;) {
      try {
        await this.#pace.turn(path, 1);
        return await this.#send({ method: 'GET', path, query }, pass, deadlineMs);
      } catch (error) {
        if (error instanceof RateLimited && ++limited < LIMITED_TRIES) continue;
        // The answer to a retry would be as large.
        if (error instanceof TooLarge) throw error;
        if (!(error instanceof BridgeError && error.code === 'lnbits/unreachable' && ++failed < TRIES))
          throw error;
        await this.#clock.sleep(this.#backoffMs * 2 ** failed * (0.5 + Math.random() / 2));
      }
    }
  }

  async post(path: string, post: Post): Promise<unknown> {
    const { method = 'POST', pass, json, secret, deadlineMs, patienceMs, gaps } = post;
    const wait = this.#pace.wait(path);
    if (wait > patienceMs)
      throw new RateLimited(`${this.#what(method, path)}: not sent, LNbits' rate limit is used up.`, wait);
    const begun = momentOf(this.#clock);
    await this.#pace.turn(path, gaps);
    const what = this.#what(method, path);
    if (msSince(this.#clock, begun) > wait + STALE_MS) throw suspended(what);
    if (msSince(this.#clock, this.#used) > FRESH_MS) {
      void this.#pool.close();
      this.#pool = this.#connect();
    }
    const turn = { ...momentOf(this.#clock), what };
    this.#turns.add(turn);
    try {
      return await this.#send({ method, path, body: json }, pass, deadlineMs, secret);
    } finally {
      this.#turns.delete(turn);
    }
  }

  /** Called for a new connection: a POST may have waited too long for it. */
  #tooLate(): Error | null {
    const late = [...this.#turns].find((turn) => msSince(this.#clock, turn) > LATE_MS);
    return late ? suspended(late.what) : null;
  }

  /** How long a request to `path` would have to wait now to respect LNbits' rate limit, in ms. */
  wait(path: string): number {
    return this.#pace.wait(path);
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  /** `GET /path at https://lnbits.example.org`, for messages. */
  #what(method: string, path: string): string {
    return `${method} ${path} at ${this.#shown}`;
  }

  async #send(
    request: Pick<Dispatcher.RequestOptions, 'method' | 'path' | 'query' | 'body'>,
    pass: Pass,
    deadlineMs: number,
    secret: Secret | null = null,
  ): Promise<unknown> {
    const what = this.#what(request.method, request.path);
    const headers: Record<string, string> = { accept: 'application/json' };
    if (request.body) headers['content-type'] = 'application/json';
    if (pass instanceof Secret) headers['x-api-key'] = headerSafe(pass);
    else if (pass) headers.authorization = `Bearer ${headerSafe(pass.token)}`;

    let text: string;
    let answer: Dispatcher.ResponseData;
    this.#underWay += 1;
    try {
      // A deadline of the socket: the real time counts, not the clock that was handed down.
      const signal = AbortSignal.timeout(deadlineMs);
      answer = await this.#pool.request({ ...request, path: this.#base + request.path, headers, signal });
      text = await answer.body.text();
      this.#used = momentOf(this.#clock);
    } catch (error) {
      if (error instanceof RateLimited) throw error;
      if (error instanceof errors.ResponseExceededMaxSizeError)
        throw new TooLarge(`${what}: the answer is too large.`, 'Is the URL right?', error);
      throw noAnswer(what, reason(error, deadlineMs), error);
    } finally {
      this.#underWay -= 1;
    }

    const date = Date.parse(`${answer.headers.date}`);
    if (date) [this.clock, this.clockRead] = [date, this.#clock.monotonic()];
    const status = answer.statusCode;
    const body = parse(text);
    if (status === 429) {
      const retryAfterMs = retryAfterOf(answer.headers['retry-after'], this.#clock.now());
      this.#pace.limited(request.path, limitOf(body), retryAfterMs);
      throw new RateLimited(`${what}: too many requests.`, retryAfterMs);
    }
    if (status < 200 || status > 299) {
      const location = [answer.headers.location].flat()[0];
      const keyed = pass instanceof Secret || (pass === null && !request.body);
      throw failure(what, { status, body, location, text }, secretOf(pass ?? secret), keyed);
    }
    if (body === undefined) throw noJson(what, { status, body, text }, secretOf(pass ?? secret));
    return body;
  }
}

function suspended(what: string): RateLimited {
  return new RateLimited(
    `${what}: not sent, because this process was suspended.`,
    null,
    'The next run goes on.',
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function secretOf(pass: Pass): string | null {
  if (pass === null) return null;
  return (pass instanceof Secret ? pass : pass.token).reveal();
}

function headerSafe(key: Secret): string {
  const value = key.reveal();
  if (/^[\x21-\x7e]+$/.test(value)) return value;
  throw new BridgeError(
    'lnbits/key',
    'The key is empty or has characters that no LNbits key has.',
    'Copy the key again from the wallet’s “API keys” in LNbits.',
  );
}

function reason(error: unknown, deadlineMs: number): string {
  if (!(error instanceof Error)) return 'no answer';
  if (error.name === 'TimeoutError') return `no whole answer within ${deadlineMs / 1000} s`;
  const { code = '', message } = error as NodeJS.ErrnoException;
  // undici's codes say less than its messages.
  return code === '' || code.startsWith('UND_ERR') ? message : code;
}
