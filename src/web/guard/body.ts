import type { MiddlewareHandler } from 'hono';
import { Unreadable } from '../request/problem.ts';
import type { Env } from '../request/site-context.ts';

const MOST_BYTES = 65_536;

/**
 * Refuses what is too large before it is read. Node cuts a body at the length that its header states; one without a
 * stated length is refused, too. Browsers and HTTP libraries state it.
 */
export const smallBody: MiddlewareHandler<Env> = async (context, next) => {
  if (context.req.header('transfer-encoding') !== undefined) {
    throw new Unreadable(411, 'The request does not state its length.', 'Send `Content-Length`.');
  }
  if (Number(context.req.header('content-length') ?? 0) > MOST_BYTES) {
    throw new Unreadable(413, 'The request is larger than 64 KB.', 'Send less at a time.');
  }
  await next();
};
