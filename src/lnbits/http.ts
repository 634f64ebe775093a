import { setTimeout as sleep } from 'node:timers/promises';
import { type Dispatcher, errors, Pool } from 'undici';
import { Secret } from '../config/secret.ts';
import { BridgeError } from '../errors.ts';
import { msSince } from '../time.ts';
import { failure, limitOf, noAnswer, noJson, RateLimited, retryAfterOf, TooLarge } from './answer.ts';
import { connector } from './connection.ts';
import { Pace } from './pace.ts';

/** Where LNbits is, and whom to trust for it. */
export interface LnbitsPlace {
  url: string;
  /** PEM of the authority that signed its certificate; without it, those that Node trusts. */
  ca?: string | undefined;
}

/** By what a request is allowed: the key of a wallet, the token of somebody who logged in, or nothing. */
export type Pass = Secret | { token: Secret } | null;

export interface Post {
  method?: 'POST' | 'PUT';
  pass: Pass;
  json: string;
  /** What `json` has that must not come back in an error, should LNbits repeat it. */
  secret?: Secret;
  deadlineMs: number;
  /** The longest it may be held back to keep to LNbits' rate limit; beyond that it fails unsent. */
  patienceMs: number;
  /** How many gaps the next request to the same path keeps away from this one, once paced. */
  gaps: number;
}

const TRIES = 3;
// Five waits outlast a window of a minute (pace.ts).
const LIMITED_TRIES = 6;
/** Who wakes up so long after the turn of a POST does not send it: somebody else may have gone on meanwhile. */
const STALE_MS = 2_000;
/** So long after its turn nothing of a POST is sent any more: a new connection may take some time, too. */
const LATE_MS = 10_000;
/**
 * A POST goes over a connection that was used within so long, or over a new one. uvicorn closes an idle one after 5 s,
 * and a POST that meets one which is just being closed looks like one whose answer was lost.
 */
const FRESH_MS = 1_000;

/**
 * Requests to one LNbits: a deadline on each, GETs repeated, POSTs and PUTs sent exactly once, all of them paced once a 429
 * was seen. Resolves with the parsed JSON of a 2xx; everything else is a BridgeError.
 */
export class Http {
  readonly #base: string;
  /** Where to, as shown in messages: without user and password. */
  readonly #shown: string;
  readonly #connect: () => Pool;
  #pool: Pool;
  readonly #backoffMs: number;
  readonly #pace = new Pace();
  /** What the last answer's `date` said, in ms since 1970; 0 where none did. */
  clock = 0;
  /** When that was read, as of performance.now(). */
  clockRead = 0;
  /** When the last answer came, by both clocks. */
  #used = { steady: Number.NEGATIVE_INFINITY, date: 0 };
  /** When it was the turn of the POSTs that are under way. */
  readonly #turns = new Set<{ steady: number; date: number; what: string }>();
  #underWay = 0;

  constructor({ url, ca }: LnbitsPlace, maxBytes: number, backoffMs: number) {
    const { origin, pathname } = new URL(url);
    this.#base = pathname.replace(/\/+$/, '');
    this.#shown = `${origin}${this.#base}`;
    this.#backoffMs = backoffMs;
    const connect = connector({ ca, refusal: () => this.#tooLate(), busy: () => this.#underWay > 0 });
    this.#connect = () =>
      new Pool(origin, {
        // One request after the other: a second connection would be used now and then, and grow old in between.
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
        // It would be as large the next time.
        if (error instanceof TooLarge) throw error;
        if (!(error instanceof BridgeError && error.code === 'lnbits/unreachable' && ++failed < TRIES))
          throw error;
        await sleep(this.#backoffMs * 2 ** failed * (0.5 + Math.random() / 2));
      }
    }
  }

  async post(path: string, post: Post): Promise<unknown> {
    const { method = 'POST', pass, json, secret, deadlineMs, patienceMs, gaps } = post;
    const wait = this.#pace.wait(path);
    if (wait > patienceMs)
      throw new RateLimited(`${this.#what(method, path)}: not sent, LNbits' rate limit is used up.`, wait);
    const [steady, date] = [performance.now(), Date.now()];
    await this.#pace.turn(path, gaps);
    const what = this.#what(method, path);
    if (msSince(steady, date) > wait + STALE_MS) throw stoodStill(what);
    if (msSince(this.#used.steady, this.#used.date) > FRESH_MS) {
      void this.#pool.close();
      this.#pool = this.#connect();
    }
    const turn = { steady: performance.now(), date: Date.now(), what };
    this.#turns.add(turn);
    try {
      return await this.#send({ method, path, body: json }, pass, deadlineMs, secret);
    } finally {
      this.#turns.delete(turn);
    }
  }

  /** Of a connection that has just come about: a POST that waited for it may have waited too long. */
  #tooLate(): Error | null {
    const late = [...this.#turns].find(({ steady, date }) => msSince(steady, date) > LATE_MS);
    return late ? stoodStill(late.what) : null;
  }

  /** How many milliseconds a request to `path` would be held back now to keep to LNbits' rate limit. */
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
      const signal = AbortSignal.timeout(deadlineMs);
      answer = await this.#pool.request({ ...request, path: this.#base + request.path, headers, signal });
      text = await answer.body.text();
      this.#used = { steady: performance.now(), date: Date.now() };
    } catch (error) {
      if (error instanceof RateLimited) throw error;
      if (error instanceof errors.ResponseExceededMaxSizeError)
        throw new TooLarge(`${what}: the answer is too large.`, 'Is the URL right?', error);
      throw noAnswer(what, reason(error, deadlineMs), error);
    } finally {
      this.#underWay -= 1;
    }

    const date = Date.parse(`${answer.headers.date}`);
    if (date) [this.clock, this.clockRead] = [date, performance.now()];
    const status = answer.statusCode;
    const body = parse(text);
    if (status === 429) {
      const retryAfterMs = retryAfterOf(answer.headers['retry-after']);
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

function stoodStill(what: string): RateLimited {
  return new RateLimited(
    `${what}: not sent, this process stood still in its turn.`,
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
    'Copy the key again from the wallet’s API info in LNbits.',
  );
}

function reason(error: unknown, deadlineMs: number): string {
  if (!(error instanceof Error)) return 'no answer';
  if (error.name === 'TimeoutError') return `no whole answer within ${deadlineMs / 1000} s`;
  const { code = '', message } = error as NodeJS.ErrnoException;
  // undici's own codes say less than its words.
  return code === '' || code.startsWith('UND_ERR') ? message : code;
}
