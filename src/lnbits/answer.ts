import { BridgeError, type ErrorCode } from '../errors.ts';
import { tlsReason } from '../lib/tls.ts';
import { CHECK_NAME, isUnresolved } from '../lib/unresolved.ts';
import { type Instant, toMs } from '../time.ts';
import { redact } from './redact.ts';

/** A 429, or a request that was not sent because the rate limit is used up. */
export class RateLimited extends BridgeError {
  /** How long LNbits asked to wait, in ms; null if it did not say. */
  readonly retryAfterMs: number | null;

  constructor(
    message: string,
    retryAfterMs: number | null,
    hint = 'LNbits limits the requests of one address. Raise its rate limit, or let the next run go on.',
  ) {
    super('lnbits/rate-limited', message, hint);
    this.retryAfterMs = retryAfterMs;
  }
}

/** A 500: LNbits crashed at this request, perhaps because of one wallet's data. */
export class FellOver extends BridgeError {
  constructor(message: string, hint?: string, cause?: unknown) {
    super('lnbits/unreachable', message, hint, { cause });
  }
}

/** LNbits refused a payment, because the wallet holds less than the payment and its fee. */
export class TooLittle extends BridgeError {
  constructor(message: string) {
    super('lnbits/refused', message);
  }
}

/** LNbits refused, because the key of a shared wallet lacks the right that the request needs. */
export class NoPermission extends BridgeError {
  constructor(message: string) {
    super('lnbits/refused', message);
  }
}

/** LNbits refused an invoice, because the wallet holds more than LNbits allows. */
export class HoldsTooMuch extends BridgeError {
  /** What LNbits lets a wallet hold. */
  readonly mostSats: bigint;

  constructor(message: string, mostSats: bigint) {
    super('lnbits/refused', message);
    this.mostSats = mostSats;
  }
}

/** The answer exceeds the limit, perhaps because of what was written into one wallet. */
export class TooLarge extends FellOver {}

export interface HttpAnswer {
  status: number;
  /** Undefined if the body is not JSON. */
  body: unknown;
  /** The target of a redirect. */
  location?: string | undefined;
  /** A body that is not JSON, for its title. */
  text?: string | undefined;
}

const CHECK_URL = 'Check that the URL leads to LNbits itself, and what a proxy in front of it answers.';

/** What LNbits 1.0 to 1.6 answer to an invalid wallet key, with status 401, 403 or 404. */
const OF_KEY =
  /^(no api key provided|invalid (admin|in|invoice )key|wallet (not found|does not exist)|.*\bkey required)\.?$/i;

/** What LNbits 1.4 to 1.6 say to the key of a shared wallet that is not granted to send. */
const MAY_NOT_PAY = /does not have permission to pay/i;

/** What LNbits 1.0 to 1.6 answer if a wallet holds less than a payment and its fee. */
const TOO_LITTLE = /^insufficient balance\.?$/i;

/** What LNbits 1.4 to 1.6 say to the key of a shared wallet without the right that a request needs. */
const NO_PERMISSION = /permission/i;

/** What LNbits 1.0 to 1.6 answer to an invoice in a wallet that holds more than `lnbits_wallet_limit_max_balance`. */
const HOLDS_TOO_MUCH = /wallet balance cannot exceed (\d+) sats/i;

type LnbitsCode = Extract<ErrorCode, `lnbits/${string}`>;

const OF_LNBITS: Record<LnbitsCode, true> = {
  'lnbits/unreachable': true,
  'lnbits/tls': true,
  'lnbits/redirect': true,
  'lnbits/proxy': true,
  'lnbits/rate-limited': true,
  'lnbits/refused': true,
  'lnbits/balance': true,
  'lnbits/wallet-full': true,
  'lnbits/service-fee': true,
  'lnbits/key': true,
  'lnbits/rights': true,
  'lnbits/superuser': true,
  'lnbits/version': true,
  'lnbits/restored': true,
};

/** An error of LNbits, or on the way to it. */
export function isOfLnbits(error: unknown): error is BridgeError {
  return error instanceof BridgeError && error.code in OF_LNBITS;
}

/** The same, or an error in the configuration of LNbits. */
export function keepsFromLnbits(error: unknown): error is BridgeError {
  return isOfLnbits(error) || (error instanceof BridgeError && error.concerns === 'both');
}

/**
 * Whether LNbits itself gave this error, so the request is over. A proxy may answer while LNbits still works on the
 * request. Without a connection nothing was sent, but the bridge does not rely on that.
 */
export function saidByLnbits({ code }: BridgeError): boolean {
  return ['lnbits/refused', 'lnbits/key', 'lnbits/rights', 'lnbits/rate-limited'].includes(code);
}

/**
 * The error for a wallet that holds more than LNbits (1.0 to 1.6) allows: LNbits makes no invoice of any amount in it.
 * Null for another refusal.
 */
export function tooFull(error: BridgeError, name: string, balanceMsat: bigint): BridgeError | null {
  if (!(error instanceof HoldsTooMuch)) return null;
  const sat = (amount: bigint) => `${amount.toLocaleString('en')} sat`;
  return new BridgeError(
    'lnbits/wallet-full',
    `${name} holds ${sat(balanceMsat / 1000n)}, and LNbits lets a wallet hold at most ${sat(error.mostSats)} (lnbits_wallet_limit_max_balance), so it makes no invoice in it, not even the claim of 1 sat that a run makes before it pays`,
    'Until then nothing is paid; what is due waits. Raise lnbits_wallet_limit_max_balance in LNbits (0 is no limit), or move sats out of that wallet; the next run pays.',
  );
}

/** An answer that is not reliable: the request may or may not have taken effect. */
export function unreachable(what: string, why: string, hint?: string, cause?: unknown): BridgeError {
  return new BridgeError('lnbits/unreachable', `${what}: ${why}.`, hint, { cause });
}

/** The error for a connection that failed, or an answer that did not arrive whole. */
export function noAnswer(what: string, why: string, error: unknown): BridgeError {
  const tls = tlsReason(error);
  if (isUnresolved(error))
    return unreachable(what, `the name cannot be resolved (${why})`, CHECK_NAME, error);
  if (tls === undefined) return unreachable(what, why, 'Is LNbits running, and is the URL right?', error);
  return new BridgeError(
    'lnbits/tls',
    `${what}: no trusted TLS connection: ${tls}.`,
    'Look at url and ca_file in [lnbits]: for a certificate of your own, ca_file names the authority that signed it.',
    { cause: error },
  );
}

/** A 2xx without JSON. */
export function noJson(what: string, answer: HttpAnswer, secret: string | null): BridgeError {
  return unreachable(
    what,
    `status ${answer.status}${saying(answer, secret)}`,
    'Does the URL lead to LNbits?',
  );
}

/** The 400 of nginx, Apache and Go for plain HTTP on a TLS port. */
const WANTS_TLS = /plain HTTP.*(HTTPS|SSL)|HTTP request to an HTTPS server/is;

/**
 * What an answer outside 200–299 means (429 apart). LNbits' own refusals are JSON with a `detail` and nothing else but
 * a `status` in words, by 4xx or by its own 520; everything else comes from a proxy in front of it, or from an LNbits
 * that crashed. `keyed`: the request had a wallet's key, or needs none, so a 401 or 403 is about that key. `secret` is
 * removed from the text if LNbits repeats it.
 */
export function failure(
  what: string,
  answer: HttpAnswer,
  secret: string | null,
  keyed: boolean,
): BridgeError {
  const { status, body, location } = answer;
  if (status >= 300 && status < 400) {
    return new BridgeError(
      'lnbits/redirect',
      `${what}: it redirects${location === undefined ? '' : ` to ${shown(placeOf(location), secret)}`} (status ${status}).`,
      'Set [lnbits] url to the address at which LNbits itself answers; keys are not sent to another address.',
    );
  }
  if (status === 400 && body === undefined && WANTS_TLS.test(answer.text ?? '')) {
    return new BridgeError(
      'lnbits/tls',
      `${what}: the server accepts only TLS (status 400${saying(answer, secret)}).`,
      'Set [lnbits] url to https://, with ca_file for a certificate of your own.',
    );
  }
  const detail = isOwn(body) ? detailOf(body, secret) : null;
  const denied = status === 401 || status === 403;
  if (detail !== null && (denied || status === 404) && OF_KEY.test(detail)) {
    return new BridgeError(
      'lnbits/key',
      `${what}: LNbits does not accept the key: ${detail}`,
      'The wallet may have been deleted, its keys reset, or an invoice key used where the admin key is needed.',
    );
  }
  if (detail !== null && MAY_NOT_PAY.test(detail)) {
    return new BridgeError(
      'lnbits/rights',
      `${what}: LNbits refused: ${detail}`,
      'Use the admin key of the source wallet itself, or let its owner grant the shared one to view, to receive and to send payments.',
    );
  }
  const refused = status === 520 || (status >= 400 && status < 500 && !(denied && keyed));
  if (refused && detail !== null && !(status === 404 && detail === 'Not Found')) {
    return refusal(`${what}: LNbits refused: ${detail}`, detail);
  }
  const why = `status ${status}${saying(answer, secret)}`;
  if (denied || status === 407) {
    return new BridgeError(
      'lnbits/proxy',
      `${what}: LNbits, or something in front of it, does not let this host through: ${why}.`,
      'The key is not the cause: let this host pass (a log-in page, a password or a firewall of a proxy, LNbits’ list of blocked addresses), or set [lnbits] url to LNbits itself.',
    );
  }
  return status === 500 ? new FellOver(`${what}: ${why}.`) : unreachable(what, why, CHECK_URL);
}

/** The error of a refusal, by the `detail`: LNbits tells its reason in no other way. */
function refusal(message: string, detail: string): BridgeError {
  if (TOO_LITTLE.test(detail)) return new TooLittle(message);
  if (NO_PERMISSION.test(detail)) return new NoPermission(message);
  const [, most] = HOLDS_TOO_MUCH.exec(detail) ?? [];
  return most === undefined
    ? new BridgeError('lnbits/refused', message)
    : new HoldsTooMuch(message, BigInt(most));
}

/** The address without its query, which may hold a secret. */
function placeOf(location: string): string {
  return location.replace(/[?#].*/s, '?…');
}

/** Whether the JSON is LNbits' own: `detail`, and at most `status` in words. RFC 9457 and others have more fields. */
function isOwn(body: unknown): boolean {
  if (typeof body !== 'object' || body === null || Array.isArray(body) || !('detail' in body)) return false;
  return Object.entries(body).every(
    ([name, value]) => name === 'detail' || (name === 'status' && typeof value === 'string'),
  );
}

/** The text of an answer: of its JSON, or the title of its page. */
function saying({ body, text }: HttpAnswer, secret: string | null): string {
  if (body === undefined) {
    const title = /<title[^>]*>([^<]+)/i.exec(text ?? '')?.[1];
    return ` and no JSON${title === undefined ? '' : `, but a page “${shown(title.trim(), secret)}”`}`;
  }
  const said = ['detail', 'title', 'message', 'error'].map((name) => property(body, name));
  const words = detailOf(body, secret) ?? said.find((one) => typeof one === 'string' && one !== '');
  return typeof words === 'string' ? `: ${shown(words, secret)}` : '';
}

/** LNbits' `detail`: a sentence, or FastAPI's list of fields that were wrong (whose `input` is left out). */
function detailOf(body: unknown, secret: string | null): string | null {
  const detail = property(body, 'detail');
  const said = Array.isArray(detail)
    ? detail.map((item) => [property(item, 'loc'), property(item, 'msg')].flat().join(' ')).join('; ')
    : detail;
  return typeof said !== 'string' || said === '' ? null : shown(said, secret);
}

/** Text of the server on one line, without the key. */
function shown(said: string, secret: string | null): string {
  return redact(said, secret)
    .replace(/[\p{C}\s]+/gu, ' ')
    .slice(0, 200);
}

const UNITS_MS: Record<string, number> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** A server's rate limit: the time between two requests that respects it, and the window in which it counts. */
export interface RateLimit {
  gapMs: number;
  windowMs: number;
}

/** `{"error": "Rate limit exceeded: 200 per 1 minute"}` is how LNbits tells its limit. */
export function limitOf(body: unknown): RateLimit | null {
  const error = property(body, 'error');
  const said = /([1-9]\d*) per (\d+) (second|minute|hour|day)/.exec(typeof error === 'string' ? error : '');
  if (!said) return null;
  const [, count, units, unit = ''] = said;
  const windowMs = (UNITS_MS[unit] ?? 0) * Number(units);
  // 5 % more, because the server's windows and this clock are not aligned.
  return { gapMs: Math.ceil((windowMs * 21) / (Number(count) * 20)), windowMs };
}

/** `Retry-After` as seconds or as a date, at least 0 and at most a minute. */
export function retryAfterOf(header: string | string[] | undefined, now: Instant): number | null {
  if (typeof header !== 'string') return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - toMs(now);
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), 60_000);
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
