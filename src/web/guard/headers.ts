import type { MiddlewareHandler } from 'hono';
import type { Env } from '../request/site-context.ts';

/**
 * No script, style or picture but our own files, and nothing within the page; no frame, no form to elsewhere, no other
 * host.
 */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "manifest-src 'self'",
].join('; ');

/** Two years, as the preload list of browsers asks for. */
const HSTS = 'max-age=63072000';

/** On every answer, errors included. What has its own `Cache-Control` is the same for everybody. */
export const strictHeaders: MiddlewareHandler<Env> = async (context, next) => {
  await next();
  const { headers } = context.res;
  headers.set('content-security-policy', CSP);
  headers.set('x-content-type-options', 'nosniff');
  headers.set('x-frame-options', 'DENY');
  headers.set('cross-origin-opener-policy', 'same-origin');
  headers.set('cross-origin-resource-policy', 'same-origin');
  // Not `no-referrer`: browsers then send the forms of our own pages with `Origin: null`, which is refused.
  headers.set('referrer-policy', 'same-origin');
  headers.set('permissions-policy', 'publickey-credentials-get=(self), publickey-credentials-create=(self)');
  if (context.get('site').config.publicUrl.startsWith('https:'))
    headers.set('strict-transport-security', HSTS);
  if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
};
