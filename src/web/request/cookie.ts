import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { WebContext } from './site-context.ts';

/* What a request has to show who asks: the cookie of a session, or a token. */

const DAY_S = 86_400;

/** As long as a session can last at most, in seconds. */
const MAX_AGE_S = { client: 180 * DAY_S, admin: DAY_S };

/**
 * By its prefix a browser takes it only over https, for this host alone. Ports do not separate cookies: the name does.
 */
function nameOf(context: WebContext): string {
  const { name, isProtected } = context.get('site');
  return isProtected ? `__Host-aio-dca-${name}` : `aio-dca-${name}`;
}

export function sessionCookie(context: WebContext): string | undefined {
  return getCookie(context, nameOf(context));
}

/** Lax: a link from a messenger leads to a page that knows its visitor; nothing is changed by a link. */
export function setSessionCookie(context: WebContext, secret: string): void {
  const { name, isProtected } = context.get('site');
  const maxAge = MAX_AGE_S[name];
  setCookie(context, nameOf(context), secret, {
    ...{ path: '/', httpOnly: true, secure: isProtected, sameSite: 'Lax', maxAge },
  });
}

export function dropSessionCookie(context: WebContext): void {
  deleteCookie(context, nameOf(context), { path: '/', secure: context.get('site').isProtected });
}

/** The token of `Authorization: Bearer TOKEN`; undefined without that header. */
export function bearerOf(context: WebContext): string | undefined {
  const header = context.req.header('authorization');
  if (header === undefined) return undefined;
  return /^Bearer +(\S+) *$/i.exec(header)?.[1] ?? '';
}
