import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { BridgeError, catalogue, type ErrorCode, type Kind } from '../../errors.ts';
import type { WebContext } from './site-context.ts';
import { asItIs, inApiWords, type WriteCall } from './view-json.ts';

/* Errors as RFC 9457 has them: `application/problem+json`. */

/** The status of each kind; `busy` and `unavailable` may be tried again, and say so in `Retry-After`. */
const STATUS: Record<Kind, ContentfulStatusCode> = {
  invalid: 422,
  'not-found': 404,
  conflict: 422,
  state: 422,
  declined: 422,
  changed: 412,
  busy: 503,
  paused: 503,
  unavailable: 503,
  misconfigured: 503,
  attention: 503,
  defect: 500,
};

/** Codes whose status differs from that of their kind. */
const OTHERWISE: Partial<Record<ErrorCode, ContentfulStatusCode>> = {
  'usage/forbidden': 403,
  'access/required': 401,
  'access/refused': 401,
  'access/link': 410,
  'access/prove': 403,
  'access/origin': 403,
  'access/too-many': 429,
  'access/precondition': 428,
  'run/busy': 409,
};

/**
 * A request that cannot be read at all, so that no field of it can be named: 400 malformed, 411 of unknown length, 413
 * too large.
 */
export class Unreadable extends BridgeError {
  readonly status: 400 | 411 | 413;

  constructor(status: 400 | 411 | 413, text: string, hint: string) {
    super('usage/invalid', text, hint);
    this.status = status;
  }
}

/** More than a visitor may ask for, with the seconds to wait. */
export class TooMany extends BridgeError {
  readonly seconds: number;

  constructor(seconds: number) {
    const whole = Math.max(1, Math.ceil(seconds));
    super('access/too-many', 'Too many requests.', `Wait ${whole} s, and try again.`);
    this.seconds = whole;
  }
}

const RETRY_S = 30;

/** What a page or a script is told of an error. */
export interface ProblemDetails {
  type: string;
  title: string;
  status: ContentfulStatusCode;
  detail: string;
  code: ErrorCode;
  hint: string | null;
  errors: { pointer: string; detail: string }[];
}

/** Whatever is no BridgeError is a defect: the log has it, and nobody else. */
export function knownError(error: unknown): BridgeError {
  if (error instanceof BridgeError) return error;
  return new BridgeError('internal/defect', 'The program has a defect.', 'The log of the server has it.', {
    cause: error,
  });
}

/** `called`: what the request calls an input. */
export function problemOf(error: BridgeError, write: WriteCall, called = asItIs): ProblemDetails {
  const { code, kind, field, text, hint } = error;
  const detail = inApiWords(text, write, called);
  return {
    type: `/errors/${code}`,
    title: catalogue[code].means,
    status: error instanceof Unreadable ? error.status : (OTHERWISE[code] ?? STATUS[kind]),
    detail: kind === 'defect' ? 'The program has a defect.' : detail,
    code,
    hint: hint === undefined ? null : inApiWords(hint, write, called),
    errors: field === undefined ? [] : [{ pointer: pointerTo(field, called), detail }],
  };
}

/** Of `daily_limit.0`: the input, as the request calls it, and what is inside. */
function pointerTo(field: string, called: (input: string) => string): string {
  const [input = '', ...inside] = field.split('.');
  return ['', called(input), ...inside].join('/');
}

/** Seconds after which another try may succeed; undefined if none will by itself. */
export function retryAfter(error: BridgeError): number | undefined {
  if (error instanceof TooMany) return error.seconds;
  return ['busy', 'unavailable', 'paused'].includes(error.kind) ? RETRY_S : undefined;
}

/** The answer for an error, with the headers that belong to its status. */
export function problemResponse(context: WebContext, error: BridgeError, write: WriteCall): Response {
  const problem = problemOf(error, write, context.get('calledHere'));
  const wait = retryAfter(error);
  if (wait !== undefined) context.header('retry-after', `${wait}`);
  if (problem.status === 401) context.header('www-authenticate', 'Bearer realm="aio-dca"');
  return context.body(JSON.stringify(problem), problem.status, {
    'content-type': 'application/problem+json',
  });
}
