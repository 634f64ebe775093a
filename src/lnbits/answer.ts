import { BridgeError } from '../errors.ts';

/** A 429, or a request that was not sent because the server's limit is used up. */
export class RateLimited extends BridgeError {
  /** How long LNbits asked to wait; null where it did not say. */
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null) {
    super(
      'lnbits/rate-limited',
      message,
      'LNbits limits the requests of one address. Raise its rate limit, or let the next run go on.',
    );
    this.retryAfterMs = retryAfterMs;
  }
}

export interface Answer {
  status: number;
  /** Undefined where the body is not JSON. */
  body: unknown;
}

const CHECK_URL = 'Check that the URL leads to LNbits itself, and what a proxy in front of it answers.';

/** An answer that cannot be relied on: it says nothing about whether the request took effect. */
export function unreachable(what: string, why: string, hint?: string, cause?: unknown): BridgeError {
  return new BridgeError('lnbits/unreachable', `${what}: ${why}.`, hint, { cause });
}

/**
 * What an answer outside 200–299 means (429 apart). LNbits' own refusals are JSON with a `detail`, by 4xx or by its
 * own 520; everything else comes from something in between, or from an LNbits that fell over.
 * `secret` is taken out of what LNbits says, should it repeat the key.
 */
export function failure(what: string, { status, body }: Answer, secret: string | null): BridgeError {
  const detail = detailOf(body, secret);
  const refused = status === 520 || (status >= 400 && status < 500);
  if (!refused || detail === null || (status === 404 && detail === 'Not Found')) {
    const why = `status ${status}${body === undefined ? ' and no JSON' : ''}${detail === null ? '' : `: ${detail}`}`;
    return unreachable(what, why, status === 500 ? undefined : CHECK_URL);
  }
  if ([401, 403, 404].includes(status) && /key|wallet/i.test(detail)) {
    return new BridgeError(
      'lnbits/key',
      `${what}: LNbits does not accept the key: ${detail}`,
      'The wallet may have been deleted, its keys reset, or an invoice key used where the admin key is needed.',
    );
  }
  return new BridgeError('lnbits/refused', `${what}: LNbits refused: ${detail}`);
}

/** LNbits' `detail`: a sentence, or FastAPI's list of fields that were wrong (whose `input` is left out). */
function detailOf(body: unknown, secret: string | null): string | null {
  const detail = property(body, 'detail');
  const said = Array.isArray(detail)
    ? detail.map((item) => [property(item, 'loc'), property(item, 'msg')].flat().join(' ')).join('; ')
    : detail;
  if (typeof said !== 'string' || said === '') return null;
  const shown = secret ? said.replaceAll(secret, '[redacted]') : said;
  return shown.replace(/[\p{C}\s]+/gu, ' ').slice(0, 200);
}

const UNITS_MS: Record<string, number> = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** A server's rate limit: the time between two requests that keeps to it, and the window in which it counts. */
export interface Limit {
  gapMs: number;
  windowMs: number;
}

/** `{"error": "Rate limit exceeded: 200 per 1 minute"}` is how LNbits tells its limit. */
export function limitOf(body: unknown): Limit | null {
  const error = property(body, 'error');
  const said = /([1-9]\d*) per (\d+) (second|minute|hour|day)/.exec(typeof error === 'string' ? error : '');
  if (!said) return null;
  const [, count, units, unit = ''] = said;
  const windowMs = (UNITS_MS[unit] ?? 0) * Number(units);
  // A twentieth more, because the server's windows and this clock do not tick together.
  return { gapMs: Math.ceil((windowMs * 21) / (Number(count) * 20)), windowMs };
}

/** `Retry-After` as seconds or as a date, at least 0 and at most a minute. */
export function retryAfterOf(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), 60_000);
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
